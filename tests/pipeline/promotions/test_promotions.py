"""The steps of promotions: who is asked, what comes first, what is refused, and what a kill or a redrive leaves."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from flywheel.comprehend.flywheel import FOUND_WITHIN
from flywheel.comprehend.model import ModelService
from flywheel.promotions import requests
from flywheel.promotions.start_promotion import Poke
from flywheel.records import promotions, turns
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import Promotion, PromotionMode, PromotionRequest, PromotionSource, PromotionStatus
from flywheel.records.turns import DeletedModels, TurnRecord, deleted_key
from flywheel.store.lease import Lease
from local.comprehend.faults import Fault
from ops.verbs.turns import show_turn
from tests.pipeline.deployed import Deployment, WaitingPromotion
from tests.pipeline.documents import LABELS, Document, documents
from tests.simulation.functions import FunctionFailed

BUSINESS, SPORTS = LABELS
TEST = documents(*LABELS, count=10, words="judge: ")
WRONG = [(SPORTS if label == BUSINESS else BUSINESS, text) for label, text in documents(*LABELS, count=20)]
BETTER = documents(*LABELS, start=500, count=100)
MORE = documents(*LABELS, start=900, count=100)
EDIT = "an edit of desired-model-arn"


@dataclass(kw_only=True)
class World:
    """One deployment with three models: `active`, and two that nobody made active."""

    at: Deployment
    active: str
    better: str
    other: str

    def turn(self, rows: list[Document]) -> TurnRecord:
        self.at.upload(f"train/{len(self.at.iterations())}.csv", rows)
        record = self.at.run_turn()
        assert record.decision is DecisionKind.PROMOTE
        return record

    def ask(
        self,
        model: str,
        *,
        score: float | None = None,
        source: PromotionSource = PromotionSource.TURN,
        against: str | None = None,
        turn: str | None = None,
    ) -> PromotionRequest:
        """A request as a turn or an operator writes it."""
        number = len(self.at.keys(promotions.REQUESTS))
        request = PromotionRequest(
            id=f"request-{number}",
            source=source,
            model_arn=model,
            flywheel_arn=self.at.flywheel_arn,
            requested_at=self.at.now(),
            by=turn or ("a turn" if source is PromotionSource.TURN else "somebody"),
            reason="A test wants it.",
            decided_against=against or self.at.active_model(),
            score=score,
            turn=turn,
        )
        self.at.bucket.write(promotions.request_key(request.id), request)
        return request

    def edit(self, model: str) -> None:
        """What document writers do: `aws ssm put-parameter --overwrite`."""
        self.at.client("ssm").put_parameter(
            Name=f"/comprehend-flywheel/{self.at.name}/desired-model-arn", Value=model, Type="String", Overwrite=True
        )

    def change_in_console(self, model: str) -> None:
        self.at.comprehend.update_flywheel(FlywheelArn=self.at.flywheel_arn, ActiveModelArn=model)

    def promotion(self, request: PromotionRequest) -> Promotion:
        found = requests.promotion_of(request.id, intake=self.at.bucket)
        assert found
        return found

    def noted(self, record: TurnRecord) -> Promotion:
        """As the turn's record has it by now."""
        found = self.at.bucket.require(turns.record_key(record.turn), TurnRecord).promotion
        assert found
        return found

    def ends(self) -> list[Promotion]:
        return self.at.bucket.read_all(self.at.keys(promotions.ENDS), Promotion)

    def waiting(self) -> WaitingPromotion:
        return self.at.waiting_promotion()

    def check_at_rest(self, *, active: str, previous: str | None = None) -> None:
        at = self.at
        assert at.active_model() == active
        expected = {"active-model-arn": active, "desired-model-arn": active}
        assert at.parameters() == (expected | {"previous-model-arn": previous} if previous else expected)
        assert not at.poked_promotion().start
        assert requests.open_requests(at.bucket) == []


def page_of(world: World, turn: str) -> str:
    return world.at.bucket.read_bytes(turns.page_key(turn)).decode()


@pytest.fixture
def world() -> World:
    at = Deployment()
    at.upload("train/a.csv", WRONG)
    at.upload("test/a.csv", TEST)
    assert at.run_turn().decision is DecisionKind.PROMOTE
    at.change(promotion_mode=PromotionMode.NEVER)
    at.upload("train/b.csv", BETTER)
    better = at.run_turn()
    at.upload("train/c.csv", MORE)
    other = at.run_turn()
    at.change(promotion_mode=PromotionMode.APPROVAL)
    active = at.active_model()
    assert active
    assert better.candidate
    assert other.candidate
    return World(at=at, active=active, better=better.candidate.arn, other=other.candidate.arn)


class TestNever:
    def test_a_better_model_is_left_to_people(self, world: World) -> None:
        ends = [end for end in world.ends() if end.model_arn == world.better]
        assert [end.status for end in ends] == [PromotionStatus.LEFT_TO_PEOPLE]
        world.check_at_rest(active=world.active)

    def test_people_may_still_ask_for_it(self, world: World) -> None:
        world.at.change(promotion_mode=PromotionMode.NEVER)
        request = world.ask(world.better, source=PromotionSource.OPERATOR)
        world.at.promote_all()
        assert world.promotion(request).status is PromotionStatus.PROMOTED
        world.check_at_rest(active=world.better, previous=world.active)

    def test_what_is_asked_for_already_is_not_taken_back_by_a_repeated_step(self, world: World) -> None:
        """PromotionMode was changed while the turn ran."""
        at = world.at
        at.change(promotion_mode=PromotionMode.AUTOMATIC)
        at.upload("train/d.csv", documents(*LABELS, start=2000, count=30))
        turn = at.start_turn().run_before("RequestPromotion")
        iteration = at.iterations()[0]["FlywheelIterationId"]
        at.invoke("request_promotion", {"turn": turn.name, "iteration_id": iteration})
        at.change(promotion_mode=PromotionMode.NEVER)
        record = turn.run()
        assert record.promotion
        assert record.promotion.status is PromotionStatus.PROMOTED


class TestApproval:
    def test_the_turn_does_not_wait(self, world: World) -> None:
        record = world.turn(documents(*LABELS, start=2000, count=30))
        assert world.waiting()
        shown = show_turn(world.at.operator, record.turn).record
        assert shown
        assert shown.promotion
        assert shown.promotion.status is PromotionStatus.WAITING
        assert world.at.active_model() == world.active

    def test_an_approved_model_is_promoted(self, world: World) -> None:
        record = world.turn(documents(*LABELS, start=2000, count=30))
        world.waiting().approve(reason="Better on short texts.")
        noted = world.noted(record)
        assert (noted.status, noted.answered_by) == (PromotionStatus.PROMOTED, world.at.operator.clients.caller())
        assert noted.answer_reason == "Better on short texts."
        assert any("(Better on short texts.)" in message for message in world.at.notifications())
        assert noted.former_model_arn == world.active
        assert record.candidate
        world.check_at_rest(active=record.candidate.arn, previous=world.active)
        world.at.check_consistency()

    @pytest.mark.parametrize(
        ("answer", "status"),
        [
            (lambda run: run.decline(reason="Not before the holidays."), PromotionStatus.DECLINED),
            (WaitingPromotion.time_out, PromotionStatus.NOT_ANSWERED),
            (WaitingPromotion.stop, PromotionStatus.STOPPED),
        ],
        ids=["declined", "timed-out", "stopped"],
    )
    def test_any_other_answer_leaves_the_former_model_and_is_not_asked_again(
        self, world: World, answer: Callable[[WaitingPromotion], object], status: PromotionStatus
    ) -> None:
        record = world.turn(documents(*LABELS, start=2000, count=30))
        answer(world.waiting())
        world.at.promote_all()
        noted = world.noted(record)
        assert noted.status is status
        if status is PromotionStatus.DECLINED:
            assert noted.reason.startswith("Not before the holidays. (")
        world.check_at_rest(active=world.active)
        world.at.run_until_at_rest()
        world.check_at_rest(active=world.active)
        world.at.check_consistency()

    def test_the_pages_of_a_declined_model_and_of_its_successor_are_right_later_too(self, world: World) -> None:
        """Whoever asks for it: the page of the turn that trained it tells the end, and so does the one it replaced."""
        record = world.turn(documents(*LABELS, start=2000, count=30))
        assert record.candidate
        world.waiting().decline(reason="There is a release freeze.")
        assert "declined it: the active model stayed." in page_of(world, record.turn)
        world.ask(record.candidate.arn, source=PromotionSource.OPERATOR)
        world.at.promote_all()
        page = page_of(world, record.turn)
        assert "Later the candidate became the active model." in page
        assert "Later somebody asked for the candidate: promoted" in page
        assert "declined, promoted later" in page
        world.ask(world.better, source=PromotionSource.OPERATOR)
        world.at.promote_all()
        assert "took its place as the active model" in page_of(world, record.turn)

    def test_an_answer_to_a_model_that_became_active_meanwhile_is_refused(self, world: World) -> None:
        request = world.ask(world.better)
        world.at.promote_all()
        world.change_in_console(world.other)
        world.waiting().approve()
        assert world.promotion(request).status is PromotionStatus.REFUSED
        assert world.at.active_model() == world.other

    def test_a_stop_that_is_seen_before_it_is_reported_starts_no_other_promotion(self, world: World) -> None:
        request = world.ask(world.better)
        world.at.promote_all()
        run = world.waiting()
        assert not world.at.poked_promotion(Poke.ENDED).start
        run.stop()
        assert world.promotion(request).status is PromotionStatus.STOPPED
        assert not world.at.poked_promotion().start

    def test_a_lost_report_of_a_stop_is_made_up_for_by_the_schedule(self, world: World) -> None:
        world.ask(world.better)
        world.at.promote_all()
        assert world.at.poked_promotion(Poke.SCHEDULE).start

    def test_a_promotion_that_waits_is_asked_once_a_token(self, world: World) -> None:
        world.ask(world.better)
        world.at.promote_all()
        key = promotions.approval_key(world.waiting().name)
        before = world.at.bucket.read_bytes(key)
        world.at.let_pass(timedelta(minutes=5))
        (event,) = world.at.invoked("ask_for_approval")
        world.at.invoke("ask_for_approval", event)
        assert world.at.bucket.read_bytes(key) == before


class TestOrder:
    def test_a_better_candidate_supersedes_the_one_that_waits(self, world: World) -> None:
        worse, better = world.ask(world.better, score=0.7), None
        world.at.promote_all()
        first = world.waiting()
        better = world.ask(world.other, score=0.8)
        world.at.promote_all()
        assert world.promotion(worse).status is PromotionStatus.SUPERSEDED
        assert world.waiting().name != first.name
        world.waiting().approve()
        assert world.promotion(better).status is PromotionStatus.PROMOTED
        assert world.at.active_model() == world.other

    def test_a_worse_newer_candidate_waits_for_its_turn(self, world: World) -> None:
        better = world.ask(world.better, score=0.8)
        world.at.promote_all()
        first = world.waiting()
        worse = world.ask(world.other, score=0.7)
        world.at.promote_all()
        assert world.waiting().name == first.name
        first.decline()
        world.at.promote_all()
        assert world.promotion(better).status is PromotionStatus.DECLINED
        world.waiting().approve()
        assert world.promotion(worse).status is PromotionStatus.PROMOTED

    def test_a_worse_newer_candidate_is_refused_once_the_better_is_active(self, world: World) -> None:
        world.ask(world.better, score=0.8)
        world.at.promote_all()
        worse = world.ask(world.other, score=0.7)
        world.waiting().approve()
        world.at.promote_all()
        assert world.promotion(worse).status is PromotionStatus.REFUSED
        world.check_at_rest(active=world.better, previous=world.active)

    def test_a_person_does_not_wait_for_an_approval(self, world: World) -> None:
        candidate = world.ask(world.better, score=0.8)
        world.at.promote_all()
        asked = world.ask(world.other, source=PromotionSource.OPERATOR)
        world.at.promote_all()
        assert world.promotion(candidate).status is PromotionStatus.SUPERSEDED
        assert world.promotion(asked).status is PromotionStatus.PROMOTED
        world.check_at_rest(active=world.other, previous=world.active)

    def test_a_person_does_not_wait_for_one_that_was_stopped_and_could_not_report_it(self, world: World) -> None:
        candidate = world.ask(world.better, score=0.8)
        world.at.promote_all()
        world.at.script.kill(after=0, times=1000, function="report_promotion")
        world.waiting().stop()
        world.at.script.kill()
        asked = world.ask(world.other, source=PromotionSource.OPERATOR)
        world.at.promote_all()
        assert world.promotion(candidate).status is PromotionStatus.SUPERSEDED
        assert world.promotion(asked).status is PromotionStatus.PROMOTED

    def test_what_cannot_become_active_supersedes_nothing_that_waits(self, world: World) -> None:
        world.ask(world.better, score=0.8)
        world.at.promote_all()
        first = world.waiting()
        world.edit(f"{world.better}-typing-error")
        world.at.promote_all()
        assert world.waiting().name == first.name
        refused = [end for end in world.ends() if end.source is PromotionSource.PARAMETER]
        assert [end.status for end in refused] == [PromotionStatus.REFUSED]
        assert "does not exist" in refused[0].reason
        first.approve()
        world.check_at_rest(active=world.better, previous=world.active)

    def test_what_cannot_become_active_supersedes_nothing_that_is_open(self, world: World) -> None:
        world.at.change(promotion_mode=PromotionMode.AUTOMATIC)
        candidate = world.ask(world.better, score=0.8)
        asked = world.ask(f"{world.better}-typing-error", source=PromotionSource.OPERATOR)
        world.at.promote_all()
        assert world.promotion(asked).status is PromotionStatus.REFUSED
        assert world.promotion(candidate).status is PromotionStatus.PROMOTED
        world.check_at_rest(active=world.better, previous=world.active)


class TestRollback:
    def test_a_rolled_back_model_is_not_promoted_again_on_the_same_evidence(self, world: World) -> None:
        world.at.change(promotion_mode=PromotionMode.AUTOMATIC)
        record = world.turn(documents(*LABELS, start=2000, count=30))
        assert record.candidate
        world.ask(world.active, source=PromotionSource.OPERATOR)
        world.at.promote_all()
        world.check_at_rest(active=world.active, previous=record.candidate.arn)
        world.at.request_turn()
        assert world.at.run_turn().decision is DecisionKind.NOTHING
        world.at.run_until_at_rest()
        world.check_at_rest(active=world.active, previous=record.candidate.arn)

    @pytest.mark.parametrize("poke", [Poke.DESIRED, Poke.SCHEDULE], ids=["event", "lost-event"])
    def test_an_edit_of_the_parameter_is_a_wish_with_and_without_its_event(self, world: World, poke: Poke) -> None:
        world.edit(world.better)
        assert world.at.poked_promotion(poke).start
        world.at.promote_all()
        world.check_at_rest(active=world.better, previous=world.active)
        end = next(end for end in world.ends() if end.model_arn == world.better and end.by == EDIT)
        assert (end.source, end.status) == (PromotionSource.PARAMETER, PromotionStatus.PROMOTED)

    def test_an_edit_to_the_model_that_waits_is_its_approval(self, world: World) -> None:
        world.ask(world.better)
        world.at.promote_all()
        assert world.waiting()
        world.edit(world.better)
        world.at.promote_all()
        world.check_at_rest(active=world.better, previous=world.active)

    def test_an_edit_during_a_promotion_holds_after_it(self, world: World) -> None:
        world.ask(world.better, source=PromotionSource.OPERATOR)
        world.at.operator.poke_promotions()
        run = world.at.run_before("UpdateActiveModel", machine="Promote")
        world.edit(world.other)
        world.at.let_pass(timedelta(minutes=5))
        world.at.go_on(run)
        world.at.promote_all()
        world.check_at_rest(active=world.other, previous=world.better)

    def test_an_edit_to_the_model_that_is_being_replaced_brings_it_back(self, world: World) -> None:
        world.ask(world.better, source=PromotionSource.OPERATOR)
        world.at.operator.poke_promotions()
        run = world.at.run_before("UpdateActiveModel", machine="Promote")
        world.edit(world.active)
        world.at.let_pass(timedelta(minutes=5))
        world.at.go_on(run)
        world.at.promote_all()
        world.check_at_rest(active=world.active, previous=world.better)

    def test_what_a_turn_publishes_while_a_promotion_waits_is_no_edit(self, world: World) -> None:
        world.change_in_console(world.other)
        world.ask(world.better, score=0.8)
        world.at.promote_all()
        waiting = world.waiting()
        world.at.let_pass(timedelta(minutes=5))
        world.at.request_turn()
        world.at.run_turn()
        assert world.at.parameters()["desired-model-arn"] == world.other
        waiting.approve()
        world.check_at_rest(active=world.better, previous=world.other)

    def test_an_edit_does_not_hold_against_a_later_change_in_the_console(self, world: World) -> None:
        world.edit(world.better)
        world.at.poked_promotion(Poke.DESIRED)
        world.change_in_console(world.other)
        world.at.promote_all()
        assert world.at.active_model() == world.other
        assert world.ends()[-1].status in {PromotionStatus.REFUSED, PromotionStatus.LEFT_TO_PEOPLE}
        assert [end.status for end in world.ends() if end.by == EDIT] == [PromotionStatus.REFUSED]

    def test_a_change_in_the_console_is_not_fought(self, world: World) -> None:
        world.change_in_console(world.other)
        world.at.promote_all()
        world.at.run_until_at_rest()
        world.check_at_rest(active=world.other, previous=world.active)

    def test_what_is_active_already_is_only_published(self, world: World) -> None:
        world.at.script.kill()
        request = world.ask(world.active, source=PromotionSource.OPERATOR)
        world.at.promote_all()
        assert world.promotion(request).status is PromotionStatus.ALREADY_ACTIVE
        assert "UpdateFlywheel" not in world.at.script.changes
        world.check_at_rest(active=world.active)


class TestRefusal:
    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"status": "IN_ERROR"}, "is IN_ERROR"),
            ({"status": "TRAINING"}, "is TRAINING"),
            ({"mode": "MULTI_LABEL"}, "MULTI_LABEL model"),
            ({"language": "de"}, "language"),
        ],
        ids=lambda value: value if isinstance(value, str) else None,
    )
    def test_a_model_that_does_not_fit_is_refused_before_anybody_is_asked(
        self, world: World, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], says: str
    ) -> None:
        service = world.at.service
        found = service.models.describe(world.better)
        assert found
        unfit = replace(found, **change)
        monkeypatch.setattr(ModelService, "describe", lambda *_: unfit)
        request = world.ask(world.better)
        world.at.promote_all()
        end = world.promotion(request)
        assert end.status is PromotionStatus.REFUSED
        assert says in end.reason
        world.check_at_rest(active=world.active)

    def test_a_model_that_was_trained_with_a_warning_is_promoted_and_the_warning_said(self, world: World) -> None:
        world.at.faults.add(Fault(resource="model", kind="warn", message="Few documents of SPORTS.", times=1))
        record = world.turn(documents(*LABELS, start=2000, count=30))
        world.waiting().approve()
        noted = world.noted(record)
        assert (noted.status, noted.warning) == (PromotionStatus.PROMOTED, "Few documents of SPORTS.")

    def test_a_decision_for_a_flywheel_that_was_replaced_is_refused(self, world: World) -> None:
        request = world.ask(world.better)
        world.at.replace_flywheel()
        world.at.promote_all()
        end = world.promotion(request)
        assert end.status is PromotionStatus.REFUSED
        assert "has replaced" in end.reason


class TestTwoAtOnce:
    @pytest.mark.parametrize("done", ["BeginPromotion", "CheckModel", "UpdateActiveModel", "PublishModel"])
    def test_a_promotion_that_is_not_the_current_one_changes_nothing(self, world: World, done: str) -> None:
        at = world.at
        at.change(promotion_mode=PromotionMode.AUTOMATIC)
        world.ask(world.better)
        at.operator.poke_promotions()
        stale = at.run_before(done, machine="Promote")
        execution = at.executions("Promote")[-1]
        at.stop("Promote")
        at.settle()
        world.ask(world.better, source=PromotionSource.OPERATOR)
        at.promote_all()
        assert at.active_model() == world.better
        world.ask(world.other, source=PromotionSource.OPERATOR)
        at.promote_all()
        at.script.kill()
        for function in ("check_model", "update_active_model", "publish_model"):
            with pytest.raises(FunctionFailed, match="NotCurrentPromotion"):
                at.invoke(function, {"promotion": stale})
        assert at.script.changes == []
        # The redriven execution fails, and its report changes nothing but its own record.
        execution.redrive()
        at.settle()
        assert (execution.status, execution.error) == ("FAILED", "NotCurrentPromotion")
        world.check_at_rest(active=world.other, previous=world.better)
        assert [end.status for end in world.ends() if end.status is PromotionStatus.FAILED] == []

    def test_the_same_step_twice_is_once(self, world: World) -> None:
        world.ask(world.better, source=PromotionSource.OPERATOR)
        world.at.script.lose_answers()
        world.at.promote_all()
        world.check_at_rest(active=world.better, previous=world.active)

    def test_publishing_waits_until_comprehend_says_that_the_model_is_active(self, world: World) -> None:
        world.ask(world.better, source=PromotionSource.OPERATOR)
        world.at.operator.poke_promotions()
        run = world.at.run_before("PublishModel", machine="Promote")
        world.change_in_console(world.active)
        with pytest.raises(FunctionFailed, match="ServiceBusy"):
            world.at.invoke("publish_model", {"promotion": run})

    @pytest.mark.parametrize("fails", [False, True])
    def test_what_somebody_has_put_back_is_not_promoted_again(self, world: World, fails: bool) -> None:
        """Neither by the promotion that made it active, nor by the next one if that one failed."""
        world.at.change(promotion_mode=PromotionMode.AUTOMATIC)
        request = world.ask(world.better)
        world.at.operator.poke_promotions()
        run = world.at.run_before("PublishModel", machine="Promote")
        if fails:
            world.at.script.kill(after=0, times=1000, function="publish_model")
            world.at.go_on(run)
            execution = world.at.executions("Promote")[-1]
            world.at.until_quiet(lambda: execution.status == "FAILED")
            world.at.script.kill()
        world.change_in_console(world.active)
        world.at.go_on(run)
        world.at.settle()
        world.at.let_pass(FOUND_WITHIN)
        world.at.promote_all()
        world.check_at_rest(active=world.active)
        (end,) = [end for end in world.ends() if end.request_id == request.id]
        assert end.status is PromotionStatus.REFUSED
        assert "somebody has put" in end.reason

    def test_a_redriven_promotion_does_not_publish_what_somebody_replaced(self, world: World) -> None:
        world.ask(world.better, source=PromotionSource.OPERATOR)
        world.at.operator.poke_promotions()
        run = world.at.run_before("PublishModel", machine="Promote")
        world.change_in_console(world.other)
        world.at.go_on(run)
        world.at.settle()
        assert world.at.parameters()["active-model-arn"] == world.active
        world.at.run_until_at_rest()
        world.check_at_rest(active=world.other, previous=world.active)


class TestRedrive:
    def test_a_stopped_promotion_that_is_redriven_changes_nothing(self, world: World) -> None:
        request = world.ask(world.better)
        world.at.promote_all()
        run = world.waiting()
        run.stop()
        run.execution.redrive()
        world.at.settle()
        # It asks nobody about a request that has ended.
        assert run.execution.status != "RUNNING"
        assert world.promotion(request).status is PromotionStatus.STOPPED
        world.check_at_rest(active=world.active)

    def test_what_a_stopped_promotion_may_still_change_is_waited_for(self, world: World) -> None:
        request = world.ask(world.better, source=PromotionSource.OPERATOR)
        until = world.at.now() + timedelta(minutes=2)
        world.at.bucket.write(promotions.LEASE_KEY, Lease(holder="promotion-000099", until=until))
        world.at.promote_all()
        assert world.at.bucket.require(promotions.end_key(request.id), Promotion).status is PromotionStatus.PROMOTED
        made = world.at.bucket.require(promotions.made_active_key(request.id), promotions.MadeActive)
        assert made.at > until
        assert not world.at.bucket.exists(promotions.LEASE_KEY)

    def test_a_failed_promotion_is_tried_again_three_times_at_most(self, world: World) -> None:
        request = world.ask(world.better, source=PromotionSource.OPERATOR)
        world.at.faults.add(Fault(operation="UpdateFlywheel", code="KmsKeyValidationException"))
        before = len(world.at.executions("Promote"))
        tries = 0
        while world.at.poked_promotion(Poke.SCHEDULE).start:
            world.at.poke_promotions(Poke.SCHEDULE)
            world.at.settle()
            assert not world.at.poked_promotion(Poke.ENDED).start
            tries += 1
        assert tries == len(world.at.executions("Promote")) - before == 3
        assert world.promotion(request).status is PromotionStatus.FAILED
        assert world.at.active_model() == world.active


class TestKills:
    @pytest.mark.parametrize("times", [1, 7], ids=["tried-again", "given-up"])
    def test_the_next_promotion_goes_on_after_a_kill_at_any_place(self, times: int) -> None:
        """The machine tries again, or all of its seven attempts are killed, and the schedule brings the next one."""
        for after in itertools.count():
            at = approvable()
            at.script.kill(after=after, times=times)
            approve_all(at)
            if not at.script.killed:
                assert after > 6, "the promotion was hardly killed"
                return
            at.script.kill()
            approve_all(at)
            check_promoted(at, after)

    def test_a_promotion_that_is_killed_at_every_place_goes_on_each_time(self) -> None:
        at = approvable()
        at.script.kill_everywhere()
        killed = -1
        while len(at.script.killed) > killed:
            killed = len(at.script.killed)
            approve_all(at)
        at.script.kill()
        assert killed > 6, "the promotion was hardly killed"
        check_promoted(at, killed)


def approvable() -> Deployment:
    """A candidate that is to be approved, and an older one that it supersedes."""
    at = Deployment()
    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", WRONG)
    at.run_turn()
    at.change(promotion_mode=PromotionMode.APPROVAL)
    at.upload("train/b.csv", BETTER)
    turn = at.start_turn()
    at.script.events_take = 3600.0
    at.step_until(lambda: turn.execution.status == "SUCCEEDED")
    older = requests.open_requests(at.bucket)[0]
    at.bucket.write(
        promotions.request_key("older"),
        older.model_copy(
            update={"id": "older", "score": 0.0, "requested_at": older.requested_at - timedelta(1), "turn": None}
        ),
    )
    at.script.events_take = 0.5
    return at


def approve_all(at: Deployment) -> None:
    at.promote_all()
    while any(at.world.states.waits_for_a_person(one) for one in at.executions("Promote") if one.status == "RUNNING"):
        at.waiting_promotion().approve()


def check_promoted(at: Deployment, kills: int) -> None:
    at.run_until_at_rest()
    at.check_consistency()
    ends = {end.request_id: end for end in at.bucket.read_all(at.keys(promotions.ENDS), Promotion)}
    newest = at.iterations()[0]
    assert at.active_model() == newest["TrainedModelArn"], kills
    assert at.parameters()["previous-model-arn"] == at.iterations()[1]["TrainedModelArn"]
    assert ends["older"].status is PromotionStatus.SUPERSEDED
    end = ends[newest["FlywheelIterationId"]]
    assert end.status is PromotionStatus.PROMOTED
    record = at.bucket.require(turns.record_key("turn-000002"), TurnRecord)
    assert record.promotion == end


class TestRetention:
    @pytest.fixture
    def many(self) -> Deployment:
        """Seven models, of which the fourth is active and the second was before."""
        at = Deployment(promotion_mode=PromotionMode.NEVER)
        at.upload("test/a.csv", TEST)
        for number in range(7):
            at.upload(f"train/{number}.csv", documents(*LABELS, start=1000 * number, count=10))
            at.run_turn()
        world = World(at=at, active="", better="", other="")
        for index in (1, 3):
            world.ask(models(at)[index], source=PromotionSource.OPERATOR)
            at.promote_all()
        return at

    def test_keeps_the_newest_and_what_is_needed(self, many: Deployment) -> None:
        before = models(many)
        world = World(at=many, active=before[3], better="", other="")
        many.change(promotion_mode=PromotionMode.APPROVAL)
        world.ask(before[2])
        many.promote_all()
        many.change(models_to_keep=1)
        run_retention(many)
        assert models(many) == [before[1], before[2], before[3], before[6]]

    def test_keeps_what_a_promotion_may_have_to_put_back(self, many: Deployment) -> None:
        before = models(many)
        many.comprehend.update_flywheel(FlywheelArn=many.flywheel_arn, ActiveModelArn=before[4])
        World(at=many, active=before[4], better="", other="").ask(before[2])
        many.operator.poke_promotions()
        promotion = many.run_before("PublishModel", machine="Promote")
        many.change(models_to_keep=1)
        run_retention(many)
        assert models(many) == [before[1], before[2], before[3], before[4], before[6]]
        many.go_on(promotion)

    def test_keeps_what_is_desired(self, many: Deployment) -> None:
        before = models(many)
        World(at=many, active="", better="", other="").edit(before[0])
        many.change(models_to_keep=2)
        run_retention(many)
        assert models(many) == [before[0], before[1], before[3], before[5], before[6]]

    def test_keeps_what_is_in_use_and_says_so(self, many: Deployment) -> None:
        before = models(many)
        many.change(models_to_keep=1)
        many.faults.add(Fault(operation="DeleteDocumentClassifier", code="ResourceInUseException", times=1))
        found = run_retention(many)
        assert found.in_use == (before[0],)
        assert found.deleted == (before[2], before[4], before[5])
        assert models(many) == [before[0], before[1], before[3], before[6]]

    def test_leaves_models_of_others_alone(self, many: Deployment) -> None:
        former = models(many)
        many.replace_flywheel()
        many.change(models_to_keep=1)
        run_retention(many)
        assert models(many) == former

    def test_a_killed_retention_is_repeated_and_its_record_is_whole(self, many: Deployment) -> None:
        before = models(many)
        many.change(models_to_keep=1)
        turn = many.start_turn().run_before("BeginTurn")
        for changes in itertools.count():
            many.script.kill(after=changes % 3)
            with contextlib.suppress(FunctionFailed):
                many.invoke("delete_old_models", {"turn": turn.name})
            if not many.script.killed:
                break
        many.script.kill()
        assert changes > 4, "it was hardly killed"
        found = many.bucket.require(deleted_key(turn.name), DeletedModels)
        assert models(many) == [before[1], before[3], before[6]]
        assert sorted(found.deleted) == sorted([before[0], before[2], before[4], before[5]])


def models(at: Deployment) -> list[str]:
    """Oldest first; those that Comprehend has not got rid of."""
    pages = at.comprehend.get_paginator("list_document_classifiers").paginate()
    listed = [item for page in pages for item in page["DocumentClassifierPropertiesList"]]
    own = [item for item in listed if f":flywheel/{at.name}-" in item.get("FlywheelArn", "")]
    done = [item for item in own if item["Status"] == "TRAINED"]
    return [item["DocumentClassifierArn"] for item in sorted(done, key=lambda item: item["SubmitTime"])]


def run_retention(at: Deployment) -> DeletedModels:
    turn = at.start_turn().run_before("BeginTurn")
    at.invoke("delete_old_models", {"turn": turn.name})
    turn.stop()
    return at.bucket.read(deleted_key(turn.name), DeletedModels) or DeletedModels()


def test_a_turns_own_candidate_may_take_minutes_to_show() -> None:
    at = Deployment()
    at.let_pass(timedelta(minutes=15))
    at.upload("test/test.csv", TEST)
    at.upload("train/better.csv", BETTER)
    turn = at.start_turn().run_before("ReportTurn")
    with at.comprehend_with(created_things_found_after_seconds=240):
        at.go_on(turn.name)
        promotion = at.run_before("CheckModel", machine="Promote")
        with pytest.raises(FunctionFailed, match=r"ServiceBusy.* does not show"):
            at.invoke("check_model", {"promotion": promotion})
        at.go_on(promotion)
        at.settle()
    assert at.world.retries["CheckModel", "ServiceBusy"] > 1
    assert at.active_model() == models(at)[0]
