"""One iteration at a time, every candidate decided once, and one door to the active model."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest

from flywheel.decisions.compare_metrics import compare_metrics
from flywheel.decisions.gate import Bar
from flywheel.faults.errors import ServiceBusy
from flywheel.records.decisions import Decision, DecisionKind
from flywheel.records.promotions import PromotionStatus
from flywheel.records.turns import TurnOutcome
from flywheel.turn.run_iteration import run_iteration
from flywheel.turn.start_turn import Poke
from local.comprehend.faults import Fault
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, documents, mislabelled

HOUR = timedelta(hours=1)
BUSINESS, SPORTS = LABELS
TEST = documents(*LABELS, count=10, words="judge: ")
GOOD = documents(*LABELS, count=20)
MORE = documents(*LABELS, start=50, count=20)


WRONG = mislabelled(GOOD)
WORSE = mislabelled(documents(*LABELS, start=100, count=80))
BETTER = documents(*LABELS, start=500, count=300)


@pytest.fixture
def at() -> Deployment:
    return Deployment()


@pytest.fixture
def trained() -> Deployment:
    """With an active model from the first turn."""
    at = Deployment()
    at.upload("train/a.csv", GOOD)
    at.upload("test/a.csv", TEST)
    assert at.run_turn().decision is DecisionKind.PROMOTE
    return at


def iterations_that_take_an_hour(at: Deployment, **settings: object) -> contextlib.AbstractContextManager[None]:
    return at.comprehend_with(iteration_training_seconds=HOUR.total_seconds(), **settings)


def test_the_first_model_is_promoted_and_published(trained: Deployment) -> None:
    model = trained.active_model()
    assert model
    assert trained.parameters() == {"active-model-arn": model, "desired-model-arn": model}
    trained.check_consistency()


def test_a_better_model_is_promoted_and_the_former_published_as_previous(at: Deployment) -> None:
    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", WRONG)
    first = at.run_turn()
    assert first.candidate
    former = at.active_model()
    at.upload("train/b.csv", BETTER)
    record = at.run_turn()
    assert record.decision is DecisionKind.PROMOTE
    assert record.promotion
    assert record.promotion.former_model_arn == former
    assert at.parameters() == {
        "active-model-arn": at.active_model(),
        "desired-model-arn": at.active_model(),
        "previous-model-arn": former,
    }
    assert at.active_model() != former
    at.check_consistency()


def test_a_worse_model_is_not(trained: Deployment) -> None:
    before = trained.parameters()
    trained.upload("train/b.csv", WORSE)
    record = trained.run_turn()
    assert record.decision is DecisionKind.KEEP
    assert record.candidate
    assert record.promotion is None
    assert "Not better" in record.reasons[0]
    assert trained.parameters() == before
    trained.check_consistency()


def test_test_data_alone_report_the_score_of_the_active_model(trained: Deployment) -> None:
    trained.upload("test/b.csv", documents(*LABELS, count=10, words="jury: "))
    record = trained.run_turn()
    assert (record.decision, record.candidate) == (DecisionKind.REPORT, None)
    assert record.active
    assert record.active.arn == trained.active_model()
    assert record.active.source == "this iteration"
    trained.check_consistency()


def test_test_data_without_any_model_start_no_iteration(at: Deployment) -> None:
    at.upload("test/a.csv", TEST)
    record = at.run_turn()
    assert (record.outcome, record.decision) == (TurnOutcome.SUCCEEDED, DecisionKind.NOTHING)
    assert "no training data" in record.reasons[0]
    assert at.iterations() == []
    at.upload("train/a.csv", GOOD)
    assert at.run_turn().decision is DecisionKind.PROMOTE
    at.check_consistency()


def test_without_anything_new_no_iteration_starts(trained: Deployment) -> None:
    trained.request_turn()
    record = trained.run_turn()
    assert (record.decision, record.iteration_id) == (DecisionKind.NOTHING, None)
    assert "No dataset is new" in record.reasons[0]
    assert len(trained.iterations()) == 1
    trained.check_consistency()


def test_a_failed_iteration_is_followed_by_another_in_the_next_turn(at: Deployment) -> None:
    at.upload("train/a.csv", GOOD)
    at.faults.add(Fault(resource="iteration", times=1, message="The machine ran hot."))
    record = at.run_turn()
    assert (record.outcome, record.error, record.cause) == (
        TurnOutcome.FAILED,
        "IterationFailed",
        "The machine ran hot.",
    )
    assert not at.poked(Poke.TURN_ENDED).start
    assert at.poked(Poke.SCHEDULE).start
    assert at.run_turn().decision is DecisionKind.PROMOTE
    assert [item["Status"] for item in at.iterations()] == ["COMPLETED", "FAILED"]
    at.check_consistency()


def test_an_iteration_that_a_killed_turn_left_is_finished_before_anything_new(at: Deployment) -> None:
    at.upload("train/a.csv", GOOD)
    at.start_turn().run_before("AwaitIterationBegin")
    (iteration,) = at.iterations()
    at.upload("train/b.csv", MORE)
    second = at.run_turn()
    assert second.iteration_id == iteration["FlywheelIterationId"]
    assert second.uploads == ()
    assert "the next turn takes the uploads" in at.bucket.read_bytes("turns/turn-000002/begin.json").decode()
    records = at.run_until_at_rest()
    assert len(records) == 1
    assert at.registered() == sorted(GOOD + MORE)
    at.check_consistency()


def test_an_iteration_whose_start_was_not_noted_down_is_found(at: Deployment) -> None:
    at.upload("train/a.csv", GOOD)
    turn = at.start_turn().run_before("RunIteration")
    with iterations_that_take_an_hour(at):
        # Killed after the iteration was started, before that was noted down.
        at.script.kill(after=1)
        turn.run()
    assert at.script.killed
    assert at.script.changes[0] == "StartFlywheelIteration"
    assert len(at.iterations()) == 1
    at.check_consistency()


def test_an_iteration_that_somebody_started_in_the_console_is_decided(trained: Deployment) -> None:
    iteration_id = trained.train_in_console(MORE)
    assert trained.poked(Poke.SCHEDULE).start
    record = trained.run_turn()
    assert record.iteration_id == iteration_id
    assert record.decision in {DecisionKind.KEEP, DecisionKind.PROMOTE}
    assert len(trained.iterations()) == 2
    trained.check_consistency(datasets_of_others=True)


def test_several_undecided_iterations_are_decided_from_the_oldest_on(trained: Deployment) -> None:
    ids = [trained.train_in_console(documents(*LABELS, start=start, count=10)) for start in (1000, 2000)]
    trained.upload("train/b.csv", MORE)
    records = trained.run_until_at_rest()
    assert [record.iteration_id for record in records][:2] == ids
    assert len(records) == 3
    trained.check_consistency(datasets_of_others=True)


def test_no_second_iteration_while_one_runs(trained: Deployment) -> None:
    with iterations_that_take_an_hour(trained):
        trained.upload("train/b.csv", MORE)
        trained.start_turn().run_before("AwaitIterationBegin")
        second = trained.start_turn()
        again = run_iteration(turn=second.name, intake=trained.bucket, service=trained.service)
        assert again.iteration_id == trained.iterations()[0]["FlywheelIterationId"]
        second.run()
    trained.run_until_at_rest()
    assert len(trained.iterations()) == 2
    trained.check_consistency()


@pytest.mark.parametrize("refusal", ["ResourceInUseException", "TooManyRequestsException", "InvalidRequestException"])
def test_an_iteration_that_starts_elsewhere_at_the_same_moment_is_taken_over(trained: Deployment, refusal: str) -> None:
    """Between our look at the history and our start somebody else starts one; how ours is refused is not documented."""
    trained.upload("train/b.csv", MORE)
    turn = trained.start_turn().run_before("RunIteration")
    theirs: list[str] = []

    def start_theirs() -> None:
        answer = trained.comprehend.start_flywheel_iteration(FlywheelArn=trained.flywheel_arn)
        theirs.append(answer["FlywheelIterationId"])

    trained.script.before("StartFlywheelIteration", start_theirs)
    with iterations_that_take_an_hour(trained, second_iteration_error=refusal):
        record = turn.run()
    assert record.iteration_id == theirs[0]
    assert len(trained.iterations()) == 2
    trained.check_consistency()


@pytest.mark.parametrize("refusal", ["ResourceInUseException", "TooManyRequestsException", "InvalidRequestException"])
def test_an_iteration_waits_while_a_dataset_is_taken_in(trained: Deployment, refusal: str) -> None:
    trained.upload("train/b.csv", MORE)
    turn = trained.start_turn().run_before("RunIteration")
    with trained.comprehend_with(dataset_ingestion_seconds=HOUR.total_seconds(), iteration_during_ingestion=refusal):
        trained.create_dataset_in_console(documents(*LABELS, start=3000, count=10))
        with pytest.raises(ServiceBusy):
            run_iteration(turn=turn.name, intake=trained.bucket, service=trained.service)
        assert turn.run().iteration_id
    trained.run_until_at_rest()
    trained.check_consistency(datasets_of_others=True)


def test_the_decision_is_written_once(trained: Deployment) -> None:
    trained.upload("train/b.csv", WORSE)
    turn = trained.start_turn().run_before("CompareMetrics")
    decisions = [
        compare_metrics(
            pipeline=trained.pipeline,
            turn=turn.name,
            iteration_id=trained.iterations()[0]["FlywheelIterationId"],
            bar=Bar(selection_metric=metric, minimum_score=0, minimum_improvement=0, maximum_regression=1),
            now=trained.now() + timedelta(hours=hours),
        )
        for hours, metric in enumerate(["F1Score", "Accuracy"])
    ]
    assert decisions[0] == decisions[1]
    assert decisions[0].selection_metric == "F1Score"


def test_a_decision_names_what_it_was_made_against(trained: Deployment) -> None:
    trained.upload("train/b.csv", MORE)
    record = trained.run_turn()
    decision = trained.bucket.require(f"decisions/{record.iteration_id}.json", Decision)
    assert decision.decided_against == decision.active.arn if decision.active else None
    assert decision.candidate
    assert decision.candidate.arn != decision.decided_against


def test_nothing_below_the_floor_is_promoted() -> None:
    at = Deployment(minimum_score=0.9)
    at.upload("test/a.csv", mislabelled(TEST))
    at.upload("train/a.csv", GOOD)
    record = at.run_turn()
    assert record.decision is DecisionKind.KEEP
    assert "below MinimumScore 0.9" in record.reasons[0]
    assert at.active_model() is None
    assert at.parameters() == {}
    assert not at.poked().start


def test_a_promotion_is_refused_if_the_active_model_was_changed_after_the_decision(at: Deployment) -> None:
    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", WRONG)
    at.run_turn()
    at.upload("train/b.csv", WORSE)
    theirs = at.run_turn().candidate
    at.upload("train/c.csv", BETTER)
    turn = at.start_turn()
    promotion = at.run_before("BeginPromotion", machine="Promote")
    assert theirs
    at.comprehend.update_flywheel(FlywheelArn=at.flywheel_arn, ActiveModelArn=theirs.arn)
    at.go_on(promotion)
    record = turn.run()
    assert record.promotion
    assert record.promotion.status is PromotionStatus.REFUSED
    assert at.active_model() == theirs.arn
    assert theirs.arn in at.poked().reason
    assert theirs.arn in (at.run_turn().changed_outside or "")
    at.check_consistency()


@pytest.mark.parametrize("times", [1, 2])
def test_an_already_active_candidate_is_success(at: Deployment, times: int) -> None:
    at.upload("train/a.csv", GOOD)
    turn = at.start_turn()
    held = at.run_before("BeginPromotion", machine="Promote")
    decision = at.bucket.require(f"decisions/{at.iterations()[0]['FlywheelIterationId']}.json", Decision)
    assert decision.candidate
    for _ in range(times):
        at.comprehend.update_flywheel(FlywheelArn=at.flywheel_arn, ActiveModelArn=decision.candidate.arn)
    at.go_on(held)
    promotion = turn.run().promotion
    assert promotion
    assert promotion.status is PromotionStatus.PROMOTED
    at.check_consistency()


@pytest.mark.parametrize("refusal", ["InvalidRequestException", "TooManyRequestsException"])
def test_a_promotion_that_comprehend_refuses_for_a_running_iteration_is_tried_again(
    at: Deployment, refusal: str
) -> None:
    at.upload("train/a.csv", GOOD)
    turn = at.start_turn()
    held = at.run_before("UpdateActiveModel", machine="Promote")
    with iterations_that_take_an_hour(at, update_during_iteration=refusal):
        at.create_dataset_in_console(MORE)
        at.let_pass(timedelta(minutes=1))
        at.comprehend.start_flywheel_iteration(FlywheelArn=at.flywheel_arn)
        at.go_on(held)
        # The machine repeats a step that is ServiceBusy for hours, a throttled one for minutes.
        turn.run()
        at.promote_all()
    promotion = turn.record().promotion
    assert promotion
    assert promotion.status is PromotionStatus.PROMOTED
    at.run_until_at_rest()
    at.check_consistency(datasets_of_others=True)


def change_outside(at: Deployment) -> str:
    """Make another model active, in the console."""
    at.upload("train/outside.csv", WORSE)
    candidate = at.run_turn().candidate
    assert candidate
    at.comprehend.update_flywheel(FlywheelArn=at.flywheel_arn, ActiveModelArn=candidate.arn)
    return candidate.arn


def test_a_change_outside_the_pipeline_is_noticed_and_published(trained: Deployment) -> None:
    former = trained.active_model()
    theirs = change_outside(trained)
    trained.request_turn()
    record = trained.run_turn()
    assert f"from {former} to {theirs}" in (record.changed_outside or "")
    assert trained.parameters() == {
        "active-model-arn": theirs,
        "desired-model-arn": theirs,
        "previous-model-arn": former,
    }
    trained.request_turn()
    assert trained.run_turn().changed_outside is None
    trained.check_consistency()


def test_a_change_outside_is_noticed_by_a_turn_that_finishes_an_iteration_too(trained: Deployment) -> None:
    theirs = change_outside(trained)
    trained.train_in_console(mislabelled(documents(*LABELS, start=2000, count=100)))
    (record,) = trained.run_until_at_rest()
    assert record.decision is DecisionKind.KEEP
    assert theirs in (record.changed_outside or "")
    trained.check_consistency(datasets_of_others=True)


def test_a_promotion_that_was_killed_is_no_change_from_outside(at: Deployment) -> None:
    at.upload("train/a.csv", GOOD)
    turn = at.start_turn()
    held = at.run_before("UpdateActiveModel", machine="Promote")
    at.go_on(held)
    at.run_before("PublishModel", machine="Promote")
    assert turn.execution.status == "SUCCEEDED"
    at.stop("Promote")
    assert at.active_model()
    assert at.parameters() == {}
    assert at.run_turn().changed_outside is None
    at.run_until_at_rest()
    at.check_consistency()


@pytest.mark.parametrize("changes", range(4))
def test_a_change_outside_is_recorded_even_if_the_turn_that_noticed_it_is_killed(
    trained: Deployment, changes: int
) -> None:
    theirs = change_outside(trained)
    trained.request_turn()
    turn = trained.start_turn()
    trained.script.kill(after=changes)
    assert theirs in (turn.run().changed_outside or "")
    assert trained.script.killed
    trained.check_consistency()


def test_repeating_the_turn_that_noticed_a_change_does_not_undo_its_promotion(trained: Deployment) -> None:
    theirs = change_outside(trained)
    trained.upload("train/b.csv", BETTER)
    turn = trained.start_turn()
    record = turn.run()
    assert theirs in (record.changed_outside or "")
    assert record.decision is DecisionKind.PROMOTE
    trained.invoke("begin_turn", {"turn": turn.name})
    trained.check_consistency()


@pytest.mark.parametrize("step", ["BeginTurn", "RunIteration", "CompareMetrics", "RequestPromotion"])
def test_only_the_current_turn_iterates_decides_and_promotes(at: Deployment, step: str) -> None:
    at.upload("train/a.csv", GOOD)
    turn = at.start_turn().run_before(step)
    turn.stop()
    at.start_turn().run_before("BeginTurn")
    at.script.kill()
    turn.redrive()
    at.settle()
    assert (turn.execution.status, turn.execution.error) == ("FAILED", "NotCurrentTurn")
    assert at.script.changes == []
    assert at.active_model() is None


def test_a_turn_whose_steps_are_repeated_does_everything_once(trained: Deployment) -> None:
    trained.upload("train/b.csv", BETTER)
    trained.upload("train/c.csv", b"unusable\n" * 30)
    trained.script.lose_answers()
    turn = trained.start_turn()
    record = turn.run()
    assert trained.world.retries["CompareMetrics", "Lambda.ClientExecutionTimeoutException"]
    assert (record.outcome, record.decision) == (TurnOutcome.SUCCEEDED, DecisionKind.KEEP)
    assert sorted(result.outcome for result in record.uploads) == ["accepted", "rejected"]
    assert len(trained.iterations()) == 2
    assert trained.registered() == sorted(GOOD + BETTER)
    trained.check_consistency()
