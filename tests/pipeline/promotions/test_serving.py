"""Promotions that wait for an endpoint: what a failed smoke test, a kill or another run in between leaves."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from flywheel.comprehend.flywheel import FlywheelService, FlywheelState
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.faults.errors import ServiceBusy
from flywheel.promotions import requests
from flywheel.promotions.report_promotion import MOST_FAILURES
from flywheel.promotions.update_active_model import put_back, update_active_model
from flywheel.records import promotions
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import Promotion, PromotionMode, PromotionRequest, PromotionSource, PromotionStatus
from flywheel.records.serving import ServingStatus, smoke_test_of
from flywheel.serving.target import EndpointTarget
from local.comprehend.faults import Fault
from tests.pipeline.in_process_cloud import Killed
from tests.pipeline.serving_driver import LEASE, ServingRun
from tests.pipeline.turn_driver import ENDPOINT_ROLE, LABELS, Deployment, Document, as_csv, documents

BUSINESS, SPORTS = LABELS
TEST = documents(*LABELS, count=6, words="judge: ")
RIGHT = documents(*LABELS, start=100, count=60)
BEST = documents(*LABELS, start=5000, count=100)
SMOKE_KEY = "smoke.csv"
TRIED = EndpointTarget(inference_units=50, maximum_inference_units=0, smoke_test_key=SMOKE_KEY, smoke_test_minimum=0.9)
UNTRIED = EndpointTarget(inference_units=50, maximum_inference_units=0)
_MOST_KILLS = 60


def other_way_round(rows: list[Document]) -> list[Document]:
    return [(SPORTS if label == BUSINESS else BUSINESS, text) for label, text in rows]


WRONG = other_way_round(documents(*LABELS, count=20))
SMOKE = documents(*LABELS, start=900, count=3)


def ask(
    at: Deployment,
    model: str,
    *,
    source: PromotionSource = PromotionSource.OPERATOR,
    decided_against: str | None = None,
) -> str:
    """The request's id."""
    number = len(at.keys(promotions.REQUESTS))
    request = PromotionRequest(
        id=f"request-{number}",
        source=source,
        model_arn=model,
        flywheel_arn=at.flywheel_arn,
        requested_at=at.now(),
        by="a test",
        reason="A test wants it.",
        decided_against=decided_against or at.active_model(),
    )
    at.bucket.write(promotions.request_key(request.id), request)
    return request.id


def end_of(at: Deployment, request: str) -> Promotion:
    return at.bucket.require(promotions.end_key(request), Promotion)


def schedule(at: Deployment) -> ServingRun:
    """What mends serving by itself."""
    run = ServingRun(at=at)
    run.run(at.endpoint_target)
    return run


def served(at: Deployment) -> str | None:
    endpoint = ServingRun(at=at).endpoint()
    return endpoint["ModelArn"] if endpoint else None


def check_serves(at: Deployment, model: str, *, previous: str | None = None) -> None:
    """Everywhere, and nothing is left to do."""
    schedule(at)
    at.promote_all()
    parameters = {"active-model-arn": model, "desired-model-arn": model}
    assert at.parameters() == (parameters | {"previous-model-arn": previous} if previous else parameters)
    assert (at.active_model(), served(at)) == (model, model)
    assert requests.open_requests(at.bucket) == []
    assert not at.poked_promotion().start


def until_updated(at: Deployment) -> None:
    """The next promotion, up to where it waits for the endpoint."""
    run = at.start_promotion()
    for _ in range(3):
        run.steps[0]()
        run.steps = run.steps[1:]


@pytest.fixture
def at() -> Deployment:
    """A served model that answers as the smoke test wants, which is wrongly, and a better one that does not."""
    at = Deployment(endpoint_target=TRIED)
    at.upload(SMOKE_KEY, as_csv(other_way_round(SMOKE)))
    at.upload("test/test.csv", TEST)
    at.upload("train/wrong.csv", WRONG)
    assert at.run_turn().decision is DecisionKind.PROMOTE
    at.promotion_mode = PromotionMode.NEVER
    at.upload("train/right.csv", RIGHT)
    assert at.run_turn().decision is DecisionKind.PROMOTE
    at.promotion_mode = PromotionMode.AUTOMATIC
    check_serves(at, former(at))
    return at


def former(at: Deployment) -> str:
    return str(at.iterations()[-1]["TrainedModelArn"])


def better(at: Deployment) -> str:
    return str(at.iterations()[-2]["TrainedModelArn"])


@pytest.fixture
def first() -> Deployment:
    """A flywheel whose only model failed its smoke test."""
    at = Deployment(endpoint_target=TRIED)
    at.upload(SMOKE_KEY, as_csv(SMOKE))
    at.upload("test/test.csv", TEST)
    at.upload("train/wrong.csv", WRONG)
    assert at.run_turn().decision is DecisionKind.PROMOTE
    return at


@contextlib.contextmanager
def struck_by(at: Deployment, fault: Fault) -> Iterator[None]:
    at.cloud.comprehend.faults.add(fault)
    try:
        yield
    finally:
        at.cloud.comprehend.faults.clear()


def killed_after(at: Deployment, changes: int) -> bool:
    """Whether the promotions were killed before they came to their end."""
    at.kills.reset(after=changes)
    try:
        at.promote_all()
    except Killed:
        return True
    finally:
        at.kills.reset()
        # A dead holder's lease ends.
        at.cloud.clock.advance(LEASE + timedelta(seconds=1))
    return False


def check_refused(at: Deployment) -> None:
    """The first model is active, but nobody serves it or names it."""
    schedule(at)
    assert at.parameters() == {}
    assert served(at) is None
    assert requests.open_requests(at.bucket) == []
    assert not at.poked_promotion().start
    assert not at.poked().start


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

    @pytest.mark.parametrize("recover", [Deployment.end_killed_promotion, Deployment.promote_all], ids=["next", "same"])
    def test_killed_at_any_place_it_comes_to_the_same_end(
        self, at: Deployment, recover: Callable[[Deployment], None]
    ) -> None:
        for changes in range(_MOST_KILLS):
            request = ask(at, better(at))
            killed = killed_after(at, changes)
            recover(at)
            at.promote_all()
            assert end_of(at, request).status is PromotionStatus.SMOKE_TEST_FAILED, changes
            check_serves(at, former(at))
            if not killed:
                assert changes > 8, "the promotion was hardly killed"
                return
        raise AssertionError("it never came through")

    def test_stopped_at_any_place_the_former_model_serves_in_the_end(self, at: Deployment) -> None:
        for changes in range(_MOST_KILLS):
            request = ask(at, better(at))
            killed = killed_after(at, changes)
            if killed and at.promotion and not at.promotion.ended:
                at.promotion.stop()
            at.promote_all()
            ends = {PromotionStatus.SMOKE_TEST_FAILED, PromotionStatus.STOPPED}
            assert end_of(at, request).status in ends, changes
            check_serves(at, former(at))
            if not killed:
                return
        raise AssertionError("it never came through")

    def test_a_rollback_to_a_model_that_fails_is_taken_back_too(self, at: Deployment) -> None:
        at.endpoint_target = UNTRIED
        ask(at, better(at))
        at.promote_all()
        at.upload(SMOKE_KEY, as_csv(SMOKE))
        at.endpoint_target = TRIED
        request = ask(at, former(at))
        at.promote_all()
        assert end_of(at, request).status is PromotionStatus.SMOKE_TEST_FAILED
        check_serves(at, better(at), previous=former(at))

    def test_without_a_smoke_test_an_old_failure_stands_against_nothing(self, at: Deployment) -> None:
        ask(at, better(at))
        at.promote_all()
        at.endpoint_target = UNTRIED
        request = ask(at, better(at))
        at.promote_all()
        assert end_of(at, request).status is PromotionStatus.PROMOTED
        check_serves(at, better(at), previous=former(at))

    def test_a_test_that_another_run_made_counts_though_the_one_waited_for_fails(self, at: Deployment) -> None:
        request = ask(at, better(at))
        until_updated(at)
        assert schedule(at).smoke_test_failed
        with struck_by(at, Fault(operation="DescribeEndpoint", code="InvalidRequestException", message="No.")):
            at.promote_all()
        assert end_of(at, request).status is PromotionStatus.SMOKE_TEST_FAILED
        check_serves(at, former(at))

    def test_one_that_fails_right_after_it_was_published_is_taken_back_in_a_promotion_of_its_own(
        self, at: Deployment
    ) -> None:
        at.endpoint_target = UNTRIED
        request = ask(at, better(at))
        until_updated(at)
        assert at.promotion
        for _ in range(2):
            at.promotion.steps[0]()
            at.promotion.steps = at.promotion.steps[1:]
        at.endpoint_target = TRIED
        assert schedule(at).smoke_test_failed
        assert len(requests.open_requests(at.bucket)) == 1, "its own promotion is still under way"
        at.promotion._publish()
        at.promotion.run()
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
        at.endpoint_target = UNTRIED
        at.upload("train/best.csv", BEST)
        assert at.run_turn().decision is DecisionKind.PROMOTE
        assert at.parameters()["previous-model-arn"] == former(at)
        at.comprehend.update_flywheel(FlywheelArn=at.flywheel_arn, ActiveModelArn=better(at))
        at.endpoint_target = TRIED
        assert schedule(at).smoke_test_failed
        assert requests.open_requests(at.bucket) == []


class TestMeanwhile:
    def test_a_turn_takes_a_model_that_is_not_published_yet_for_no_change_outside(self, at: Deployment) -> None:
        ask(at, better(at))
        until_updated(at)
        at.request_turn()
        turn = at.start_turn()
        turn.take_step()
        assert turn.beginning().changed_outside is None
        assert at.parameters()["active-model-arn"] == former(at)

    @pytest.mark.parametrize("source", [PromotionSource.TURN, PromotionSource.OPERATOR])
    def test_what_was_decided_against_a_model_that_is_taken_back_holds_against_the_former(
        self, at: Deployment, source: PromotionSource
    ) -> None:
        at.promotion_mode = PromotionMode.NEVER
        at.upload("train/best.csv", BEST)
        best = at.run_turn().candidate
        assert best
        at.promotion_mode = PromotionMode.AUTOMATIC
        ask(at, better(at))
        until_updated(at)
        assert at.promotion
        waits = ask(at, best.arn, source=source, decided_against=better(at))
        at.promotion.run()
        at.endpoint_target = UNTRIED
        at.promote_all()
        end = end_of(at, waits)
        assert (end.status, end.former_model_arn) == (PromotionStatus.PROMOTED, former(at)), end.reason
        check_serves(at, best.arn, previous=former(at))

    def test_what_was_decided_against_a_model_that_gave_way_to_a_third_is_refused(self, at: Deployment) -> None:
        ask(at, better(at))
        at.promote_all()
        at.endpoint_target = UNTRIED
        at.upload("train/best.csv", BEST)
        best = at.run_turn().candidate
        assert best
        assert at.active_model() == best.arn
        waits = ask(at, former(at), decided_against=better(at))
        at.promote_all()
        assert end_of(at, waits).status is PromotionStatus.REFUSED
        assert at.active_model() == best.arn

    def test_an_approval_that_waits_holds_up_no_endpoint(self, at: Deployment) -> None:
        at.promotion_mode = PromotionMode.APPROVAL
        request = ask(at, better(at), source=PromotionSource.TURN)
        at.promote_all()
        assert at.promotion
        assert at.promotion.waits
        at.cloud.clock.advance(timedelta(days=2))
        assert not schedule(at).smoke_test_failed
        assert served(at) == former(at)
        at.promotion.approve()
        assert end_of(at, request).status is PromotionStatus.SMOKE_TEST_FAILED
        check_serves(at, former(at))

    def test_an_endpoint_that_follows_late_is_waited_for(self, at: Deployment) -> None:
        at.endpoint_target = UNTRIED
        settings = at.cloud.comprehend.settings
        at.cloud.comprehend.settings = settings.model_copy(update={"endpoint_follow_delay_seconds": 0.3})
        try:
            ask(at, better(at))
            at.promote_all()
            assert served(at) == better(at)
        finally:
            at.cloud.comprehend.settings = settings
        check_serves(at, better(at), previous=former(at))

    def test_what_somebody_made_active_meanwhile_is_left_there(self, at: Deployment) -> None:
        at.promotion_mode = PromotionMode.NEVER
        at.upload("train/best.csv", BEST)
        best = at.run_turn().candidate
        assert best
        at.promotion_mode = PromotionMode.AUTOMATIC
        ask(at, better(at))
        until_updated(at)
        assert at.promotion
        at.comprehend.update_flywheel(FlywheelArn=at.flywheel_arn, ActiveModelArn=best.arn)
        found = put_back(promotion=at.promotion.name, intake=at.intake, service=at.service)
        assert (found, at.active_model()) == (best.arn, best.arn)

    def test_a_change_that_comprehend_does_not_show_yet_is_waited_for(self, at: Deployment) -> None:
        """Else the endpoint, which still has the former model, would be taken for one that has the new."""
        ask(at, better(at))
        run = at.start_promotion()
        run.steps[0]()
        late = LateService(
            comprehend=at.cloud.clients["comprehend"], flywheel_arn=at.flywheel_arn, kind=DOCUMENT_CLASSIFICATION
        )
        late.shows = former(at)
        with pytest.raises(ServiceBusy, match="does not say yet"):
            update_active_model(promotion=run.name, intake=at.intake, service=late)
        late.shows = None
        assert update_active_model(promotion=run.name, intake=at.intake, service=late) is PromotionStatus.PROMOTED


class LateService(FlywheelService):
    """Describes a flywheel as it was."""

    shows: str | None = None

    def describe(self) -> FlywheelState:
        found = super().describe()
        return replace(found, active_model_arn=self.shows) if self.shows else found


class TestFirstModel:
    def test_nobody_serves_it(self, first: Deployment) -> None:
        [end] = first.bucket.read_all(first.keys(promotions.ENDS), Promotion)
        assert end.status is PromotionStatus.SMOKE_TEST_FAILED
        assert "There was no former model: no endpoint serves it." in end.reason
        check_refused(first)

    def test_people_are_told_why_there_is_no_endpoint(self, first: Deployment) -> None:
        serving = ServingRun(at=first).run(TRIED)
        assert serving.status is ServingStatus.NO_MODEL
        assert "0 of 6 documents" in serving.reason

    def test_killed_at_any_place_nobody_serves_it(self, first: Deployment) -> None:
        model = str(first.active_model())
        for changes, recover in itertools.product(
            range(_MOST_KILLS), (Deployment.end_killed_promotion, Deployment.promote_all)
        ):
            request = ask(first, model)
            killed = killed_after(first, changes)
            recover(first)
            first.promote_all()
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
        until_updated(first)
        assert schedule(first).smoke_test_failed
        schedule(first)
        assert served(first) is None
        first.promote_all()
        assert end_of(first, request).status is PromotionStatus.SMOKE_TEST_FAILED
        check_refused(first)

    def test_one_whose_promotion_was_given_up_is_not_served_before_it_is_published(self, first: Deployment) -> None:
        first.endpoint_target = UNTRIED
        request = ask(first, str(first.active_model()))
        for _ in range(MOST_FAILURES):
            until_updated(first)
            assert first.promotion
            first.promotion.fail()
        assert end_of(first, request).status is PromotionStatus.FAILED
        schedule(first)
        assert served(first) is None

    def test_people_can_have_it_without_the_smoke_test(self, first: Deployment) -> None:
        first.endpoint_target = UNTRIED
        model = str(first.active_model())
        ask(first, model)
        first.promote_all()
        check_serves(first, model)


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
            endpoint = ServingRun(at=at).endpoint()
            assert endpoint
            assert (endpoint["FlywheelArn"], endpoint["ModelArn"]) == (flywheel, model)
            assert at.parameters()["active-model-arn"] == model
            at.request_turn()
            assert at.run_turn().changed_outside is None

    def test_the_endpoint_takes_its_role_along(self, at: Deployment) -> None:
        """The former one's models were not encrypted, this one's are."""
        at.endpoint_target = None
        at.replace_flywheel()
        at.upload("train/best.csv", BEST)
        at.run_turn()
        at.variant = "new-key"
        run = ServingRun(at=at, role_arn=ENDPOINT_ROLE)
        run.run(UNTRIED)
        endpoint = run.endpoint()
        assert endpoint
        assert (endpoint["FlywheelArn"], endpoint["DataAccessRoleArn"]) == (at.flywheel_arn, ENDPOINT_ROLE)


def test_the_test_of_a_model_names_it(at: Deployment) -> None:
    tested = smoke_test_of(former(at), intake=at.bucket)
    assert tested
    assert (tested.model_arn, tested.passed) == (former(at), True)
