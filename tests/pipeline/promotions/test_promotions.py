"""The steps of promotions: who is asked, what comes first, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flywheel.comprehend.model import ModelService
from flywheel.promotions.start_promotion import Poke
from flywheel.records import promotions, turns
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionMode, PromotionSource, PromotionStatus
from local.comprehend.faults import Fault
from ops.verbs.turns import show_turn
from tests.pipeline.deployed import Deployment, WaitingPromotion
from tests.pipeline.documents import LABELS, documents
from tests.pipeline.promotions.world import BETTER, TEST, World, models
from tests.simulation.functions import FunctionFailed

EDIT = "an edit of desired-model-arn"


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

    def test_an_edit_supersedes_what_waits_though_a_turn_has_asked_for_its_model_too(self, world: World) -> None:
        world.ask(world.better, score=0.8)
        world.at.promote_all()
        assert world.waiting()
        turn = world.ask(world.other, score=0.7)
        world.edit(world.other)
        world.at.promote_all()
        world.check_at_rest(active=world.other, previous=world.active)
        assert world.promotion(turn).status is PromotionStatus.SUPERSEDED

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


def page_of(world: World, turn: str) -> str:
    return world.at.bucket.read_bytes(turns.page_key(turn)).decode()


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
