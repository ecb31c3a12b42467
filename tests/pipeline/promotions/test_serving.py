"""Promotions that wait for an endpoint: what a failed smoke test, a kill or another run in between leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from flywheel.comprehend.flywheel import FlywheelService, FlywheelState
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.faults.errors import ServiceBusy
from flywheel.promotions import requests
from flywheel.promotions.update_active_model import put_back, update_active_model
from flywheel.records import promotions
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionMode, PromotionSource, PromotionStatus
from flywheel.records.serving import smoke_test_of
from local.comprehend.faults import Fault
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import as_csv
from tests.pipeline.promotions.smoke_tested import (
    BEST,
    MOST_KILLS,
    SMOKE,
    SMOKE_KEY,
    TRIED,
    UNTRIED,
    ask,
    better,
    check_serves,
    end_of,
    failed,
    former,
    killed_after,
    schedule,
    served,
    twice_trained,
    until_updated,
)


@pytest.fixture
def at() -> Deployment:
    return twice_trained()


class TestTakenBack:
    def test_the_former_model_is_active_again_and_the_record_says_why(self, at: Deployment) -> None:
        request = ask(at, better(at))
        at.promote_all()
        end = end_of(at, request)
        assert end.status is PromotionStatus.SMOKE_TEST_FAILED
        assert "0 of 6 documents" in end.reason
        assert f"{former(at)} is active again." in end.reason
        assert former(at) in str(end.serving)
        check_serves(at, former(at))

    def test_killed_at_any_place_it_comes_to_the_same_end(self, at: Deployment) -> None:
        for changes in range(MOST_KILLS):
            request = ask(at, better(at))
            killed = killed_after(at, changes)
            assert end_of(at, request).status is PromotionStatus.SMOKE_TEST_FAILED, changes
            check_serves(at, former(at))
            if not killed:
                assert changes > 8, "the promotion was hardly killed"
                return
        raise AssertionError("it never came through")

    def test_stopped_at_any_place_the_former_model_serves_in_the_end(self, at: Deployment) -> None:
        for changes in range(MOST_KILLS):
            request = ask(at, better(at))
            at.script.kill(after=changes)
            at.operator.poke_promotions()
            at.until_killed()
            killed = bool(at.script.killed)
            at.stop("Promote")
            at.promote_all()
            ends = {PromotionStatus.SMOKE_TEST_FAILED, PromotionStatus.STOPPED}
            assert end_of(at, request).status in ends, changes
            check_serves(at, former(at))
            if not killed:
                return
        raise AssertionError("it never came through")

    def test_one_whose_end_nobody_could_report_does_not_become_active_again(self, at: Deployment) -> None:
        request = ask(at, better(at))
        at.operator.poke_promotions()
        at.run_before("ReportSmokeTest", machine="Promote")
        at.script.kill(after=0, times=1000, function="report_promotion")
        at.stop("Promote")
        at.settle()
        at.script.kill()
        assert len(requests.open_requests(at.bucket)) == 1
        at.faults.add(Fault(operation="UpdateFlywheel", code="InvalidRequestException", message="Not again."))
        at.promote_all()
        at.faults.clear()
        end = end_of(at, request)
        assert (end.status, end.stays_active) == (PromotionStatus.SMOKE_TEST_FAILED, False)
        assert f"{former(at)} is active again." in end.reason
        check_serves(at, former(at))

    def test_a_rollback_to_a_model_that_fails_is_taken_back_too(self, at: Deployment) -> None:
        at.change("serving", **UNTRIED)
        ask(at, better(at))
        at.promote_all()
        at.upload(SMOKE_KEY, as_csv(SMOKE))
        at.change("serving", **TRIED)
        request = ask(at, former(at))
        at.promote_all()
        assert end_of(at, request).status is PromotionStatus.SMOKE_TEST_FAILED
        check_serves(at, better(at), previous=former(at))

    def test_without_a_smoke_test_an_old_failure_stands_against_nothing(self, at: Deployment) -> None:
        ask(at, better(at))
        at.promote_all()
        at.change("serving", **UNTRIED)
        request = ask(at, better(at))
        at.promote_all()
        assert end_of(at, request).status is PromotionStatus.PROMOTED
        check_serves(at, better(at), previous=former(at))

    def test_a_test_that_another_run_made_counts_though_the_one_waited_for_fails(self, at: Deployment) -> None:
        request = ask(at, better(at))
        promotion = until_updated(at)
        schedule(at)
        assert failed(at, better(at))
        at.faults.add(Fault(operation="DescribeEndpoint", code="InvalidRequestException", message="No."))
        at.go_on(promotion)
        at.settle()
        at.faults.clear()
        at.promote_all()
        assert end_of(at, request).status is PromotionStatus.SMOKE_TEST_FAILED
        check_serves(at, former(at))

    def test_one_that_fails_right_after_it_was_published_is_taken_back_in_a_promotion_of_its_own(
        self, at: Deployment
    ) -> None:
        at.change("serving", **UNTRIED)
        request = ask(at, better(at))
        at.operator.poke_promotions()
        promotion = at.run_before("ReportPromotion", machine="Promote")
        at.change("serving", **TRIED)
        schedule(at)
        assert failed(at, better(at))
        assert len(requests.open_requests(at.bucket)) == 1, "its own promotion is still under way"
        at.go_on(promotion)
        at.settle()
        assert end_of(at, request).status is PromotionStatus.PROMOTED
        check_serves(at, former(at), previous=better(at))

    def test_made_active_in_the_console_it_is_noticed_and_asked_to_give_way(self, at: Deployment) -> None:
        ask(at, better(at))
        at.promote_all()
        at.comprehend.update_flywheel(FlywheelArn=at.flywheel_arn, ActiveModelArn=better(at))
        at.request_turn()
        assert better(at) in str(at.run_turn().changed_outside)
        assert at.parameters()["active-model-arn"] == better(at)
        schedule(at)
        at.promote_all()
        check_serves(at, former(at), previous=better(at))

    def test_made_active_in_the_console_nothing_is_asked_before_it_is_noticed(self, at: Deployment) -> None:
        """Else the model before the published one would be asked for."""
        ask(at, better(at))
        at.promote_all()
        at.change("serving", **UNTRIED)
        at.upload("train/best.csv", BEST)
        assert at.run_turn().decision is DecisionKind.PROMOTE
        assert at.parameters()["previous-model-arn"] == former(at)
        at.comprehend.update_flywheel(FlywheelArn=at.flywheel_arn, ActiveModelArn=better(at))
        at.change("serving", **TRIED)
        schedule(at)
        assert failed(at, better(at))
        assert requests.open_requests(at.bucket) == []


class TestMeanwhile:
    def test_a_turn_takes_a_model_that_is_not_published_yet_for_no_change_outside(self, at: Deployment) -> None:
        ask(at, better(at))
        until_updated(at)
        at.request_turn()
        turn = at.start_turn().run_before("UnfinishedIteration")
        assert turn.beginning().changed_outside is None
        assert at.parameters()["active-model-arn"] == former(at)

    @pytest.mark.parametrize("source", [PromotionSource.TURN, PromotionSource.OPERATOR])
    def test_what_was_decided_against_a_model_that_is_taken_back_holds_against_the_former(
        self, at: Deployment, source: PromotionSource
    ) -> None:
        at.change(promotion_mode=PromotionMode.NEVER)
        at.upload("train/best.csv", BEST)
        best = at.run_turn().candidate
        assert best
        at.change(promotion_mode=PromotionMode.AUTOMATIC)
        ask(at, better(at))
        promotion = until_updated(at)
        waits = ask(at, best.arn, source=source, decided_against=better(at))
        at.script.events_take = 10_000.0
        at.go_on(promotion)
        at.settle()
        at.script.events_take = 0.5
        at.change("serving", **UNTRIED)
        at.promote_all()
        end = end_of(at, waits)
        assert (end.status, end.former_model_arn) == (PromotionStatus.PROMOTED, former(at)), end.reason
        check_serves(at, best.arn, previous=former(at))

    def test_one_that_could_not_be_put_back_is_not_published_when_no_endpoint_is_wanted_any_more(
        self, at: Deployment
    ) -> None:
        request = ask(at, better(at))
        promotion = until_updated(at)
        at.script.kill(after=0, times=1000, function="update_active_model")
        at.go_on(promotion)
        at.settle()
        at.change("serving", inference_units=0, maximum_inference_units=0)
        at.script.kill()
        at.promote_all()
        assert end_of(at, request).status is PromotionStatus.SMOKE_TEST_FAILED
        assert at.active_model() == at.parameters()["active-model-arn"] == former(at)

    def test_one_that_cannot_be_put_back_is_not_given_up(self, at: Deployment) -> None:
        request = ask(at, better(at))
        promotion = until_updated(at)
        at.script.kill(after=0, times=1000, function="update_active_model")
        at.go_on(promotion)
        at.settle()
        at.promote_all()
        assert promotions.current_number(at.bucket) > promotions.MOST_FAILURES
        at.run_turn()
        assert at.parameters()["active-model-arn"] == former(at)
        at.script.kill()
        at.promote_all()
        assert end_of(at, request).status is PromotionStatus.SMOKE_TEST_FAILED
        check_serves(at, former(at))

    def test_what_was_decided_against_a_model_that_gave_way_to_a_third_is_refused(self, at: Deployment) -> None:
        ask(at, better(at))
        at.promote_all()
        at.change("serving", **UNTRIED)
        at.upload("train/best.csv", BEST)
        best = at.run_turn().candidate
        assert best
        assert at.active_model() == best.arn
        waits = ask(at, former(at), decided_against=better(at))
        at.promote_all()
        assert end_of(at, waits).status is PromotionStatus.REFUSED
        assert at.active_model() == best.arn

    def test_an_approval_that_waits_holds_up_no_endpoint(self, at: Deployment) -> None:
        at.change(promotion_mode=PromotionMode.APPROVAL)
        request = ask(at, better(at), source=PromotionSource.TURN)
        at.promote_all()
        promotion = at.waiting_promotion()
        at.let_pass(timedelta(days=2))
        schedule(at)
        assert not failed(at, former(at))
        assert served(at) == former(at)
        promotion.approve()
        assert end_of(at, request).status is PromotionStatus.SMOKE_TEST_FAILED
        check_serves(at, former(at))

    def test_an_endpoint_that_follows_late_is_waited_for(self, at: Deployment) -> None:
        at.change("serving", **UNTRIED)
        with at.comprehend_with(endpoint_follow_delay_seconds=300):
            ask(at, better(at))
            at.promote_all()
            assert served(at) == better(at)
        check_serves(at, better(at), previous=former(at))

    def test_what_somebody_made_active_meanwhile_is_left_there(self, at: Deployment) -> None:
        at.change(promotion_mode=PromotionMode.NEVER)
        at.upload("train/best.csv", BEST)
        best = at.run_turn().candidate
        assert best
        at.change(promotion_mode=PromotionMode.AUTOMATIC)
        ask(at, better(at))
        promotion = until_updated(at)
        at.comprehend.update_flywheel(FlywheelArn=at.flywheel_arn, ActiveModelArn=best.arn)
        found = put_back(promotion=promotion, intake=at.bucket, service=at.service)
        assert (found.model_arn, at.active_model()) == (best.arn, best.arn)

    def test_a_change_that_comprehend_does_not_show_yet_is_waited_for(self, at: Deployment) -> None:
        """Else the endpoint, which still has the former model, would be taken for one that has the new."""
        ask(at, better(at))
        at.operator.poke_promotions()
        promotion = at.run_before("UpdateActiveModel", machine="Promote")
        late = LateService(comprehend=at.comprehend, flywheel_arn=at.flywheel_arn, kind=DOCUMENT_CLASSIFICATION)
        late.shows = former(at)
        with pytest.raises(ServiceBusy, match="does not say yet"):
            update_active_model(promotion=promotion, intake=at.bucket, service=late, now=at.now())
        late.shows = None
        assert (
            update_active_model(promotion=promotion, intake=at.bucket, service=late, now=at.now())
            is PromotionStatus.PROMOTED
        )


class LateService(FlywheelService):
    """Describes a flywheel as it was."""

    shows: str | None = None

    def describe(self) -> FlywheelState:
        found = super().describe()
        return replace(found, active_model_arn=self.shows) if self.shows else found


class TestNewGeneration:
    def test_a_candidate_that_fails_leaves_the_former_generation_serving(self, at: Deployment) -> None:
        flywheel = at.flywheel_arn
        model = former(at)
        at.replace_flywheel()
        at.upload("train/best.csv", BEST)
        record = at.run_turn()
        assert record.decision is DecisionKind.PROMOTE, record.reasons
        assert record.candidate
        end = end_of(at, at.iterations()[0]["FlywheelIterationId"])
        assert end.status is PromotionStatus.SMOKE_TEST_FAILED, end.reason
        assert f"{model}, of a former generation, serves on." in end.reason
        for _ in range(2):
            schedule(at)
            endpoint = at.endpoint()
            assert endpoint
            assert (endpoint["FlywheelArn"], endpoint["ModelArn"]) == (flywheel, model)
            assert at.parameters()["active-model-arn"] == model
            at.request_turn()
            assert at.run_turn().changed_outside is None

    def test_what_is_made_active_in_the_former_flywheel_does_not_take_the_published_model_away(
        self, at: Deployment
    ) -> None:
        flywheel, model = at.flywheel_arn, former(at)
        at.upload("train/best.csv", BEST)
        other = at.run_turn().candidate
        assert other
        at.replace_flywheel()
        at.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=other.arn)
        for _ in range(3):
            schedule(at)
        endpoint = at.endpoint()
        assert endpoint
        assert (endpoint.get("FlywheelArn"), endpoint["ModelArn"]) == (None, model)
        assert at.parameters()["active-model-arn"] == model


def test_the_test_of_a_model_names_it(at: Deployment) -> None:
    tested = smoke_test_of(former(at), intake=at.bucket)
    assert tested
    assert (tested.model_arn, tested.passed) == (former(at), True)
