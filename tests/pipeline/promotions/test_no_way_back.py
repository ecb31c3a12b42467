"""Models that fail their smoke test while the flywheel has no other to make active again."""

from __future__ import annotations

import pytest

from flywheel.promotions import requests
from flywheel.records import promotions
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import Promotion, PromotionMode, PromotionStatus
from flywheel.records.serving import STATE_KEY, ServingState, ServingStatus
from local.comprehend.faults import Fault
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import as_csv, mislabelled
from tests.pipeline.promotions.smoke_tested import (
    BEST,
    MOST_KILLS,
    RIGHT,
    SMOKE,
    SMOKE_KEY,
    TEST,
    TRIED,
    UNTRIED,
    WRONG,
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


@pytest.fixture
def first() -> Deployment:
    """A flywheel whose only model failed its smoke test."""
    at = Deployment(serving=TRIED)
    at.upload(SMOKE_KEY, as_csv(SMOKE))
    at.upload("test/test.csv", TEST)
    at.upload("train/wrong.csv", WRONG)
    assert at.run_turn().decision is DecisionKind.PROMOTE
    return at


def check_refused(at: Deployment) -> None:
    """The first model is active, but nobody serves it or names it."""
    schedule(at)
    assert at.parameters() == {}
    assert served(at) is None
    assert requests.open_requests(at.bucket) == []
    assert not at.poked_promotion().start
    assert not at.poked().start


class TestFirstModel:
    def test_nobody_serves_it(self, first: Deployment) -> None:
        [end] = first.bucket.read_all(first.keys(promotions.ENDS), Promotion)
        assert end.status is PromotionStatus.SMOKE_TEST_FAILED
        assert "There was no former model: no endpoint serves it." in end.reason
        check_refused(first)

    def test_people_are_told_why_there_is_no_endpoint(self, first: Deployment) -> None:
        schedule(first)
        serving = first.bucket.require(STATE_KEY, ServingState)
        assert serving.status is ServingStatus.NO_MODEL
        assert "0 of 6 documents" in serving.reason

    def test_killed_at_any_place_nobody_serves_it(self, first: Deployment) -> None:
        model = str(first.active_model())
        for changes in range(MOST_KILLS):
            request = ask(first, model)
            killed = killed_after(first, changes)
            assert end_of(first, request).status is PromotionStatus.SMOKE_TEST_FAILED, changes
            check_refused(first)
            if not killed:
                assert changes > 8, "the promotion was hardly killed"
                return
        raise AssertionError("it never came through")

    def test_another_run_that_tests_it_first_and_deletes_the_endpoint_does_not_let_it_through(
        self, first: Deployment
    ) -> None:
        model = str(first.active_model())
        request = ask(first, model)
        promotion = until_updated(first)
        schedule(first)
        assert failed(first, model)
        schedule(first)
        assert served(first) is None
        first.go_on(promotion)
        first.settle()
        assert end_of(first, request).status is PromotionStatus.SMOKE_TEST_FAILED
        check_refused(first)

    def test_what_a_stopped_promotion_reports_late_ends_the_next_one_of_the_same_request(
        self, first: Deployment
    ) -> None:
        [failed_before] = first.bucket.read_all(first.keys(promotions.ENDS), Promotion)
        first.change("serving", **UNTRIED)
        request = ask(first, str(first.active_model()))
        first.operator.poke_promotions()
        promotion = first.run_before("PublishModel", machine="Promote")
        end = failed_before.model_copy(update={"request_id": request})
        first.bucket.write(promotions.end_key(request), end)
        first.go_on(promotion)
        first.settle()
        assert end_of(first, request) == end
        check_refused(first)

    def test_the_next_promotion_of_the_same_request_does_not_try_it_again(self, first: Deployment) -> None:
        """Not even if it would pass now. Who wants that asks for it."""
        model = str(first.active_model())
        request = ask(first, model)
        first.operator.poke_promotions()
        first.run_before("ReportSmokeTest", machine="Promote")
        first.stop("Promote")
        first.upload(SMOKE_KEY, as_csv(mislabelled(SMOKE)))
        first.promote_all()
        end = end_of(first, request)
        assert end.status is PromotionStatus.SMOKE_TEST_FAILED
        assert "0 of 6 documents" in end.reason
        assert failed(first, model)
        check_refused(first)
        ask(first, model)
        first.promote_all()
        check_serves(first, model)

    def test_one_whose_promotion_was_given_up_is_not_served_before_it_is_published(self, first: Deployment) -> None:
        first.change("serving", **UNTRIED)
        request = ask(first, str(first.active_model()))
        for _ in range(promotions.MOST_FAILURES):
            first.script.kill(after=0, times=1000, function="publish_model")
            first.promote_all()
        first.script.kill()
        assert end_of(first, request).status is PromotionStatus.FAILED
        schedule(first)
        assert served(first) is None

    def test_promotions_whose_ends_cannot_be_reported_do_not_start_each_other_forever(self, first: Deployment) -> None:
        first.change("serving", **UNTRIED)
        before = promotions.current_number(first.bucket)
        request = ask(first, str(first.active_model()))
        first.script.kill(after=0, times=1000, function="report_promotion")
        first.operator.poke_promotions()
        first.settle()
        assert promotions.current_number(first.bucket) == before + promotions.MOST_FAILURES
        first.script.kill()
        first.promote_all()
        assert end_of(first, request).status.made_active

    def test_one_that_could_not_be_reported_is_not_published_when_the_next_one_gives_way_to_it(
        self, first: Deployment
    ) -> None:
        model = str(first.active_model())
        first.change(promotion_mode=PromotionMode.NEVER)
        first.upload("train/right.csv", RIGHT)
        next_one = first.run_turn().candidate
        assert next_one
        first.upload(SMOKE_KEY, as_csv([*SMOKE[:3], *mislabelled(SMOKE[3:])]))
        unreported = ask(first, model)
        first.script.kill(after=0, times=1000, function="report_promotion")
        first.operator.poke_promotions()
        first.settle()
        first.script.kill()
        newer = ask(first, next_one.arn)
        first.promote_all()
        assert failed(first, next_one.arn)
        assert end_of(first, newer).status is end_of(first, unreported).status is PromotionStatus.SMOKE_TEST_FAILED
        assert first.active_model() == model
        check_refused(first)

    def test_people_can_have_it_without_the_smoke_test(self, first: Deployment) -> None:
        first.change("serving", **UNTRIED)
        model = str(first.active_model())
        ask(first, model)
        first.promote_all()
        check_serves(first, model)


class TestNoWayBack:
    """The former model cannot be made active again."""

    def test_one_that_was_deleted_meanwhile_leaves_none_to_serve(self, at: Deployment) -> None:
        request = ask(at, better(at))
        promotion = until_updated(at)
        at.comprehend.delete_document_classifier(DocumentClassifierArn=former(at))
        at.go_on(promotion)
        at.settle()
        end = end_of(at, request)
        assert (end.status, end.stays_active) == (PromotionStatus.SMOKE_TEST_FAILED, True)
        assert f"{former(at)} does not exist any more" in end.reason
        assert "no other can serve" in str(end.serving)
        check_not_used(at)

    def test_one_that_comprehend_refuses_leaves_none_to_serve(self, at: Deployment) -> None:
        request = ask(at, better(at))
        promotion = until_updated(at)
        at.faults.add(Fault(operation="UpdateFlywheel", code="InvalidRequestException", message="Not this one."))
        at.go_on(promotion)
        at.settle()
        at.faults.clear()
        end = end_of(at, request)
        assert end.status is PromotionStatus.SMOKE_TEST_FAILED
        assert "Not this one." in end.reason
        check_not_used(at)

    def test_people_can_have_the_new_one_all_the_same(self, at: Deployment) -> None:
        without_a_way_back(at)
        at.change("serving", **UNTRIED)
        ask(at, better(at))
        at.promote_all()
        check_serves(at, better(at), previous=former(at))

    def test_the_next_one_that_passes_serves(self, at: Deployment) -> None:
        without_a_way_back(at)
        best = other_model(at)
        at.upload(SMOKE_KEY, as_csv(SMOKE))
        ask(at, best)
        at.promote_all()
        check_serves(at, best, previous=former(at))

    def test_what_somebody_makes_active_in_the_console_afterwards_is_published(self, at: Deployment) -> None:
        without_a_way_back(at)
        failed_before, best = better(at), other_model(at)
        for model in (best, failed_before):
            at.comprehend.update_flywheel(FlywheelArn=at.flywheel_arn, ActiveModelArn=model)
            at.request_turn()
            assert model in str(at.run_turn().changed_outside)
            assert at.parameters()["active-model-arn"] == model

    def test_one_that_failed_too_and_could_not_be_reported_gives_way_to_the_published_one(self, at: Deployment) -> None:
        best = other_model(at)
        unreported = ask(at, better(at))
        promotion = until_updated(at)
        at.script.kill(after=0, times=1000, function="update_active_model")
        at.go_on(promotion)
        at.settle()
        at.script.kill()
        assert at.active_model() == better(at)
        newer = ask(at, best)
        at.promote_all()
        assert failed(at, best)
        assert end_of(at, newer).status is end_of(at, unreported).status is PromotionStatus.SMOKE_TEST_FAILED
        check_serves(at, former(at))


def without_a_way_back(at: Deployment) -> None:
    ask(at, better(at))
    promotion = until_updated(at)
    at.comprehend.delete_document_classifier(DocumentClassifierArn=former(at))
    at.go_on(promotion)
    at.settle()


def other_model(at: Deployment) -> str:
    """A third one, which nobody promotes."""
    at.change(promotion_mode=PromotionMode.NEVER)
    at.upload("train/best.csv", BEST)
    trained = at.run_turn().candidate
    assert trained
    at.change(promotion_mode=PromotionMode.AUTOMATIC)
    return trained.arn


def check_not_used(at: Deployment) -> None:
    """The new model is active, but nobody serves it or names it."""
    schedule(at)
    assert at.active_model() == better(at)
    assert at.parameters()["active-model-arn"] == former(at)
    assert served(at) is None
    assert "no other can serve" in at.bucket.require(STATE_KEY, ServingState).reason
    assert requests.open_requests(at.bucket) == []
    assert not at.poked_promotion().start
    assert not at.poked().start
    at.request_turn()
    assert at.run_turn().changed_outside is None
    assert at.parameters()["active-model-arn"] == former(at)
