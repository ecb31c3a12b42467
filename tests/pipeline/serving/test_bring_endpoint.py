"""The steps of the serve machine: killed after every change and run again, they come to the same end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from flywheel.comprehend.endpoint import EndpointFailed, EndpointRefused
from flywheel.comprehend.flywheel import FOUND_WITHIN
from flywheel.faults.errors import ServiceBusy
from flywheel.records import promotions
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionRequest, PromotionSource
from flywheel.records.serving import LEASE_KEY, STATE_KEY, ServingState, ServingStatus, smoke_test_of
from flywheel.serving.bring_endpoint import Serving
from flywheel.serving.report_serving import write_state
from flywheel.serving.smoke_test import Trial
from flywheel.serving.target import EndpointTarget
from flywheel.store.lease import Lease, held
from local.comprehend.faults import Fault
from tests.pipeline.in_process_cloud import Killed, switched
from tests.pipeline.serving_driver import LEASE, ServingRun
from tests.pipeline.turn_driver import ENDPOINT_ROLE, LABELS, Deployment, as_csv, documents

BUSINESS, SPORTS = LABELS
TEST = documents(*LABELS, count=6, words="judge: ")
WRONG = [(SPORTS if label == BUSINESS else BUSINESS, text) for label, text in documents(*LABELS, count=20)]
RIGHT = documents(*LABELS, start=100, count=60)
SMOKE = documents(*LABELS, start=900, count=3)
ONE, MORE, SCALING, NONE = (
    EndpointTarget(inference_units=units, maximum_inference_units=most)
    for units, most in ((1, 0), (3, 0), (2, 6), (0, 0))
)
TRIED = EndpointTarget(
    inference_units=50, maximum_inference_units=0, smoke_test_key="smoke.csv", smoke_test_minimum=0.9
)


def promoted(*rows: list[tuple[str, str]]) -> Deployment:
    """A flywheel that promoted a model after each of these uploads."""
    at = Deployment()
    at.upload("test/test.csv", TEST)
    for number, upload in enumerate(rows):
        at.upload(f"train/{number}.csv", upload)
        assert at.run_turn().decision is DecisionKind.PROMOTE
    return at


@contextlib.contextmanager
def struck_by(at: Deployment, fault: Fault) -> Iterator[None]:
    at.cloud.comprehend.faults.add(fault)
    try:
        yield
    finally:
        at.cloud.comprehend.faults.clear()


def run_killed_everywhere(at: Deployment, run: Callable[[], Serving]) -> Serving:
    """Killed after no change, then after one, and so on until it comes through. A dead holder's lease ends."""
    for survived in range(50):
        at.kills.reset(after=survived)
        with contextlib.suppress(Killed):
            serving = run()
            at.kills.reset()
            return serving
        at.kills.reset()
        at.cloud.clock.advance(LEASE + timedelta(seconds=1))
    raise AssertionError("it never came through")


def test_killed_anywhere_it_comes_to_what_is_wanted() -> None:
    at = promoted(WRONG)
    run = ServingRun(at=at)
    stages: list[tuple[EndpointTarget | None, int | None, list[tuple[int, int]]]] = [
        (ONE, 1, []),
        (MORE, 3, []),
        (SCALING, 3, [(2, 6)]),
        (ONE, 1, []),
        (SCALING, 2, [(2, 6)]),
        (NONE, None, []),
        (SCALING, 2, [(2, 6)]),
        (None, None, []),
    ]
    for target, units, limits in stages:
        serving = run_killed_everywhere(at, lambda target=target: run.run(target))  # type: ignore[misc]  # a default binds it
        assert serving.settled
        endpoint = run.endpoint()
        assert (endpoint and endpoint["CurrentInferenceUnits"]) == units
        assert run.limits() == limits
        assert (at.published.endpoint() == run.endpoint_arn) is (units is not None)
        assert at.keys("serving/lease") == []


def test_a_settled_endpoint_is_left_alone() -> None:
    at = promoted(RIGHT)
    run = ServingRun(at=at)
    run.run(SCALING)
    at.kills.reset()
    assert run.run(SCALING).status is ServingStatus.IN_SERVICE
    assert [name for name in at.kills.requests if name not in {"PutObject", "DeleteObject"}] == []


def test_who_changes_it_keeps_everybody_else_out() -> None:
    at = promoted(RIGHT)
    run = ServingRun(at=at)
    with held(LEASE_KEY, holder="another run", intake=at.bucket, now=at.now(), lasts=LEASE):
        with pytest.raises(ServiceBusy, match="another run is changing the same"):
            run.step(ONE)
        at.cloud.clock.advance(LEASE + timedelta(seconds=1))
        # Its holder cannot live any more.
        assert run.step(ONE).status is ServingStatus.CREATING
    assert at.keys("serving/lease") == []


def test_who_was_too_slow_does_not_take_the_lease_of_the_next_away() -> None:
    at = Deployment()
    slow, following = (
        held(LEASE_KEY, holder=holder, intake=at.bucket, now=at.now() + timedelta(minutes=late), lasts=LEASE)
        for holder, late in (("slow", 0), ("next", 5))
    )
    slow.__enter__()
    with following:
        slow.__exit__(None, None, None)
        assert at.bucket.require(LEASE_KEY, Lease).holder == "next"
    assert at.keys("serving/lease") == []


def test_the_state_tells_since_when_the_status_is_so() -> None:
    at = Deployment()

    def look(status: ServingStatus) -> ServingState:
        at.cloud.clock.advance(timedelta(minutes=1))
        return write_state(
            status=status, reason="It is so.", model_arn=None, endpoint_arn="an-arn", intake=at.bucket, now=at.now()
        )

    first = look(ServingStatus.CREATING)
    again = look(ServingStatus.CREATING)
    other = look(ServingStatus.OUT_OF_HOURS)
    assert first.since == first.at == again.since < again.at < other.since == other.at
    assert (again.endpoint_arn, other.endpoint_arn) == ("an-arn", None)
    assert at.bucket.require(STATE_KEY, ServingState) == other


def test_nothing_promoted_means_nothing_served() -> None:
    at = Deployment()
    serving = ServingRun(at=at).run(ONE)
    assert (serving.settled, serving.status) == (True, ServingStatus.NO_MODEL)


def test_a_wish_that_changes_during_a_change_is_carried_out_after_it() -> None:
    at = promoted(RIGHT)
    run = ServingRun(at=at)
    assert run.step(ONE).status is ServingStatus.CREATING
    assert run.run(None).status is ServingStatus.NOT_WANTED
    assert run.endpoint() is None


@pytest.mark.parametrize("during_change", ["allow", "ResourceInUseException"])
def test_an_endpoint_that_is_changing_goes_as_soon_as_comprehend_lets_it(during_change: str) -> None:
    at = promoted(RIGHT)
    run = ServingRun(at=at)
    settings = at.cloud.comprehend.settings
    at.cloud.comprehend.settings = settings.model_copy(
        update={
            "endpoint_creation_seconds": 0.3,
            "endpoint_update_seconds": 0.3,
            "endpoint_deletion_during_change": during_change,
        }
    )
    try:
        assert run.step(ONE).status is ServingStatus.CREATING
        assert run.run(None).settled
        assert run.endpoint() is None
        run.run(ONE)
        assert run.step(MORE).status is ServingStatus.UPDATING
        assert run.run(NONE).settled
        assert run.endpoint() is None
    finally:
        at.cloud.comprehend.settings = settings


def test_an_endpoint_stops_scaling_before_it_is_deleted() -> None:
    at = promoted(RIGHT)
    run = ServingRun(at=at)
    run.run(SCALING)
    assert run.step(None).status is ServingStatus.DELETING
    assert run.limits() == []


def test_a_refused_creation_says_what_comprehend_said() -> None:
    at = promoted(RIGHT)
    fault = Fault(operation="CreateEndpoint", code="ResourceLimitExceededException", message="No more units.")
    with struck_by(at, fault), pytest.raises(EndpointRefused, match=r"ResourceLimitExceededException: No more units\."):
        ServingRun(at=at).run(ONE)


def test_a_failed_endpoint_is_replaced_once_in_a_run() -> None:
    at = promoted(RIGHT)
    run = ServingRun(at=at)
    with struck_by(at, Fault(resource="endpoint", times=1, message="Out of luck.")):
        assert run.run(ONE).status is ServingStatus.IN_SERVICE
    assert any("Out of luck." in reason for reason in run.waits)
    run.run(None)
    with (
        struck_by(at, Fault(resource="endpoint", message="Out of luck.")),
        pytest.raises(EndpointFailed, match=r"failed again: Out of luck\."),
    ):
        run.run(ONE)
    assert run.run(ONE).status is ServingStatus.IN_SERVICE


class TestAnEndpointThatDoesNotShowYet:
    @pytest.fixture
    def at(self) -> Iterator[Deployment]:
        at = promoted(RIGHT)
        # All that there is by now shows.
        at.cloud.clock.advance(timedelta(minutes=10))
        # Longer than a dead holder's lease.
        with switched(created_things_found_after_seconds=200):
            yield at

    def test_is_waited_for(self, at: Deployment) -> None:
        run = ServingRun(at=at)
        assert run.run(ONE).status is ServingStatus.IN_SERVICE
        assert run.endpoint()

    @pytest.mark.parametrize("survived", [1, 2, 3])
    def test_is_not_left_behind(self, at: Deployment, survived: int) -> None:
        """Asked for, and its stack is destroyed before it shows: nobody else would delete it."""
        run = ServingRun(at=at)
        at.kills.reset(after=survived)
        with contextlib.suppress(Killed):
            run.step(ONE)
        at.kills.reset()
        at.cloud.clock.advance(LEASE)
        assert run.run(None).status is ServingStatus.NOT_WANTED
        at.cloud.clock.advance(timedelta(minutes=10))
        assert run.endpoint() is None

    def test_is_given_up_after_minutes(self, at: Deployment) -> None:
        """Noted and never asked for: there is nothing to wait for."""
        run = ServingRun(at=at)
        at.bucket.write(
            STATE_KEY,
            ServingState(status=ServingStatus.CREATING, reason="It is being created.", since=at.now(), at=at.now()),
        )
        assert run.run(None).status is ServingStatus.NOT_WANTED


@pytest.mark.parametrize("reading", ["flywheel_alone", "flywheel_with_model"])
def test_a_move_under_each_reading_of_update_endpoint(reading: str) -> None:
    at = promoted(RIGHT)
    run = ServingRun(at=at)
    run.run(ONE)
    # Pinned to its model, as somebody may do in the console.
    at.comprehend.update_endpoint(EndpointArn=run.endpoint_arn, DesiredModelArn=at.active_model())
    with switched(endpoint_moves_by=reading, bad_value_error="ValidationException"):
        assert run.run(ONE).status is ServingStatus.IN_SERVICE
    endpoint = run.endpoint()
    assert endpoint
    assert endpoint["FlywheelArn"] == at.flywheel_arn


class TestNewGeneration:
    def test_its_candidate_is_served_only_once_it_is_promoted(self) -> None:
        at = promoted(RIGHT)
        run = ServingRun(at=at)
        run.run(ONE)
        former, model = at.flywheel_arn, at.active_model()
        at.replace_flywheel()
        run.run(ONE)
        endpoint = run.endpoint()
        assert endpoint
        assert (endpoint["FlywheelArn"], endpoint["ModelArn"]) == (former, model)
        at.upload("train/again.csv", documents(*LABELS, start=2000, count=5))
        record = at.run_turn()
        run.run(ONE)
        endpoint = run.endpoint()
        assert endpoint
        moved = record.decision is DecisionKind.PROMOTE
        assert (endpoint["FlywheelArn"] == at.flywheel_arn) is moved
        assert endpoint["ModelArn"] == at.parameters()["active-model-arn"]

    def test_the_endpoint_takes_its_role_along(self) -> None:
        """The former one's models were not encrypted, this one's are."""
        at = promoted(WRONG)
        ServingRun(at=at).run(ONE)
        at.replace_flywheel()
        at.upload("train/best.csv", documents(*LABELS, start=5000, count=200))
        assert at.run_turn().decision is DecisionKind.PROMOTE
        at.variant = "new-key"
        run = ServingRun(at=at, role_arn=ENDPOINT_ROLE)
        run.run(ONE)
        endpoint = run.endpoint()
        assert endpoint
        assert (endpoint["FlywheelArn"], endpoint["DataAccessRoleArn"]) == (at.flywheel_arn, ENDPOINT_ROLE)


class TestSmokeTest:
    def test_each_model_is_tried_once(self) -> None:
        at = promoted(RIGHT)
        at.upload("smoke.csv", as_csv(SMOKE))
        run = ServingRun(at=at)
        assert run.run(TRIED).trial is Trial.DUE
        tested = smoke_test_of(str(at.active_model()), intake=at.bucket)
        assert tested
        assert (tested.right, tested.documents, tested.passed) == (6, 6, True)
        assert run.run(TRIED).trial is Trial.DONE

    def test_a_served_model_that_fails_has_the_former_one_asked_for_once(self) -> None:
        at = promoted(WRONG, RIGHT)
        wrong = at.parameters()["previous-model-arn"]
        at.upload("smoke.csv", as_csv([(SPORTS if label == BUSINESS else BUSINESS, text) for label, text in SMOKE]))
        run = ServingRun(at=at)
        before = set(at.keys(promotions.REQUESTS))
        run_killed_everywhere(at, lambda: run.run(TRIED))
        [key] = set(at.keys(promotions.REQUESTS)) - before
        request = at.bucket.require(key, PromotionRequest)
        assert (request.source, request.model_arn) == (PromotionSource.SERVING, wrong)
        assert "0 of 6 documents" in request.reason
        at.promote_all()
        assert at.active_model() == wrong
        run.run(TRIED)
        endpoint = run.endpoint()
        assert endpoint
        assert endpoint["ModelArn"] == wrong

    def test_a_model_is_not_asked_for_instead_of_itself(self) -> None:
        """A promotion that is killed while it publishes leaves the active model as the previous one, too."""
        at = promoted(WRONG)
        at.upload("smoke.csv", as_csv(SMOKE))
        at.cloud.clients["ssm"].put_parameter(
            Name=f"/comprehend-flywheel/{at.name}/previous-model-arn", Value=str(at.active_model()), Type="String"
        )
        before = at.keys(promotions.REQUESTS)
        run = ServingRun(at=at)
        run.run(TRIED)
        assert run.smoke_test_failed
        assert at.keys(promotions.REQUESTS) == before

    def test_a_former_model_that_failed_as_well_is_not_asked_for(self) -> None:
        at = promoted(WRONG, RIGHT)
        at.upload("smoke.csv", as_csv([(LABELS[number % 2], f"gibberish {number}") for number in range(20)]))
        run = ServingRun(at=at)
        run.run(TRIED)
        tested = smoke_test_of(str(at.active_model()), intake=at.bucket)
        assert tested
        assert not tested.passed
        at.promote_all()
        asked = len(at.keys(promotions.REQUESTS))
        run.run(TRIED)
        at.promote_all()
        run.run(TRIED)
        assert len(at.keys(promotions.REQUESTS)) == asked


def test_an_endpoint_is_bound_to_a_model_or_to_a_flywheel() -> None:
    at = promoted(RIGHT)
    run = ServingRun(at=at)
    endpoints = run.server().endpoints
    model = at.service.find_active_model()
    assert model is not None
    endpoints.create(flywheel_arn=None, model_arn=model, units=1, role_arn=None, tags={})
    at.cloud.clock.advance(FOUND_WITHIN)
    for bound_to, next_to in ((None, at.flywheel_arn), (at.flywheel_arn, None), (None, None)):
        run.wait_until(lambda endpoint: endpoint["Status"] == "IN_SERVICE")
        endpoint = endpoints.describe()
        assert endpoint is not None
        assert (endpoint.flywheel_arn, endpoint.model_arn) == (bound_to, model)
        endpoints.move(flywheel_arn=next_to, model_arn=model, role_arn=None, units=endpoint.desired_units)
