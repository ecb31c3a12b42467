"""The endpoint on the synthesised serve machine: killed anywhere and started again, it comes to the same end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from flywheel.comprehend.endpoint import EndpointService
from flywheel.comprehend.flywheel import FOUND_WITHIN
from flywheel.records import promotions
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import Promotion, PromotionRequest, PromotionSource
from flywheel.records.serving import LEASE_KEY, STATE_KEY, ServingState, ServingStatus, smoke_test_of
from flywheel.serving.report_serving import write_state
from flywheel.store.lease import Lease, held
from local.comprehend.faults import Fault
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, Document, as_csv, documents, mislabelled
from tests.pipeline.promotions.smoke_tested import ask
from tests.simulation.cloudformation import DeploymentFailed
from tests.simulation.functions import FunctionFailed

if TYPE_CHECKING:
    from tests.simulation.machines.execution import Execution

BUSINESS, SPORTS = LABELS
TEST = documents(*LABELS, count=6, words="judge: ")
RIGHT = documents(*LABELS, start=100, count=60)
SMOKE = documents(*LABELS, start=900, count=3)
LEASE = timedelta(minutes=2, seconds=30)
ONE, MORE, SCALING, NONE = (
    {"inference_units": units, "maximum_inference_units": most} for units, most in ((1, 0), (3, 0), (2, 6), (0, 0))
)
TRIED = {"inference_units": 50, "maximum_inference_units": 0, "smoke_test_key": "smoke.csv", "smoke_test_minimum": 0.9}
STEP = {"execution": "a run", "replaced": False}
"""What bring_endpoint gets."""


WRONG = mislabelled(documents(*LABELS, count=20))


def promoted(*rows: list[Document]) -> Deployment:
    """A flywheel that promoted a model after each of these uploads, and serves none."""
    at = Deployment(serving=NONE)
    at.upload("test/test.csv", TEST)
    for number, upload in enumerate(rows):
        at.upload(f"train/{number}.csv", upload)
        assert at.run_turn().decision is DecisionKind.PROMOTE
    return at


def bring(at: Deployment, target: dict[str, Any]) -> ServingStatus:
    """What it comes to when the target is changed to this."""
    at.change("serving", **target)
    at.settle()
    return status_of(at.serve())


def status_of(execution: Execution) -> ServingStatus:
    assert execution.status == "SUCCEEDED", (execution.error, execution.cause)
    return ServingStatus[execution.output["status"]]


def destroy(at: Deployment) -> None:
    """The stack; CloudFormation tries until it works."""
    while "serving" in at.app.stacks:
        try:
            at.app.destroy("serving")
        except DeploymentFailed:
            at.let_pass(timedelta(minutes=1))


def endpoint_of(at: Deployment) -> dict[str, Any]:
    endpoint = at.endpoint()
    assert endpoint
    return endpoint


def limits(at: Deployment) -> list[tuple[int, int]]:
    """Of auto scaling."""
    targets = at.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="comprehend")
    return [(target["MinCapacity"], target["MaxCapacity"]) for target in targets["ScalableTargets"]]


def run_killed_everywhere(at: Deployment) -> None:
    """Stopped and followed by another run when a function was killed before its first change, then after one, and so
    on until it comes through."""
    for survived in range(50):
        at.script.kill(after=survived)
        at.client("stepfunctions").start_execution(stateMachineArn=at.app.machine("Serve").arn, input="{}")
        at.until_killed()
        if not at.script.killed:
            return
        at.stop("Serve")
        at.script.kill()
        at.let_pass(LEASE)
    raise AssertionError("it never came through")


def test_killed_anywhere_it_comes_to_what_is_wanted() -> None:
    at = promoted(WRONG)
    stages: list[tuple[dict[str, Any], int | None, list[tuple[int, int]]]] = [
        (ONE, 1, []),
        (MORE, 3, []),
        (SCALING, 3, [(2, 6)]),
        (ONE, 1, []),
        (SCALING, 2, [(2, 6)]),
        (NONE, None, []),
        (SCALING, 2, [(2, 6)]),
    ]
    for target, units, expected in stages:
        at.change("serving", **target)
        run_killed_everywhere(at)
        check_endpoint(at, units, expected)
    at.script.kill_everywhere()
    destroy(at)
    at.script.kill()
    check_endpoint(at, None, [])


def check_endpoint(at: Deployment, units: int | None, expected: list[tuple[int, int]]) -> None:
    endpoint = at.endpoint()
    assert (endpoint and endpoint["CurrentInferenceUnits"]) == units
    assert limits(at) == expected
    assert at.published.endpoint() == (endpoint and endpoint["EndpointArn"])
    assert at.keys("serving/lease") == []


def test_a_settled_endpoint_is_left_alone() -> None:
    at = promoted(RIGHT)
    bring(at, SCALING)
    at.script.kill()
    assert status_of(at.serve()) is ServingStatus.IN_SERVICE
    assert [name for name in at.script.changes if name not in {"PutObject", "DeleteObject"}] == []


def test_who_changes_it_keeps_everybody_else_out() -> None:
    at = promoted(RIGHT)
    at.change("serving", **ONE)
    with held(LEASE_KEY, holder="another run", intake=at.bucket, now=at.now(), lasts=LEASE):
        with pytest.raises(FunctionFailed, match="ServiceBusy: another run is changing the same"):
            at.invoke("bring_endpoint", STEP)
        at.settle()
        # Its holder cannot live any more.
        assert at.endpoint()
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
        at.let_pass(timedelta(minutes=1))
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
    at = Deployment(serving=ONE)
    assert status_of(at.serve()) is ServingStatus.NO_MODEL


def changing_to(at: Deployment, target: dict[str, Any], status: str) -> None:
    """Until Comprehend is at it."""
    at.change("serving", **target)
    at.step_until(lambda: (at.endpoint() or {}).get("Status") == status)


def test_a_target_that_changes_during_a_change_is_carried_out_after_it() -> None:
    at = promoted(RIGHT)
    with at.comprehend_with(endpoint_creation_seconds=300):
        changing_to(at, ONE, "CREATING")
        destroy(at)
    assert at.endpoint() is None


@pytest.mark.parametrize("during_change", ["allow", "ResourceInUseException"])
def test_an_endpoint_that_is_changing_goes_as_soon_as_comprehend_lets_it(during_change: str) -> None:
    at = promoted(RIGHT)
    with at.comprehend_with(
        endpoint_creation_seconds=300, endpoint_update_seconds=300, endpoint_deletion_during_change=during_change
    ):
        changing_to(at, ONE, "CREATING")
        assert bring(at, NONE) is ServingStatus.NOT_WANTED
        assert at.endpoint() is None
        bring(at, ONE)
        changing_to(at, MORE, "UPDATING")
        assert bring(at, NONE) is ServingStatus.NOT_WANTED
        assert at.endpoint() is None


def test_an_endpoint_stops_scaling_before_it_is_deleted() -> None:
    at = promoted(RIGHT)
    bring(at, SCALING)
    seen: list[Any] = []
    at.script.before("DeleteEndpoint", lambda: seen.append(limits(at)))
    bring(at, NONE)
    assert seen == [[]]


def test_a_refused_creation_says_what_comprehend_said() -> None:
    at = promoted(RIGHT)
    at.faults.add(Fault(operation="CreateEndpoint", code="ResourceLimitExceededException", message="No more units."))
    at.change("serving", **ONE)
    execution = at.serve()
    assert (execution.status, execution.error) == ("FAILED", "EndpointRefused")
    assert "ResourceLimitExceededException: No more units." in (execution.cause or "")


def test_a_failed_endpoint_is_replaced_once_in_a_run() -> None:
    at = promoted(RIGHT)
    at.faults.add(Fault(resource="endpoint", times=1, message="Out of luck."))
    assert bring(at, ONE) is ServingStatus.IN_SERVICE
    assert any("Out of luck." in line for line in at.logged("endpoint"))
    bring(at, NONE)
    at.faults.add(Fault(resource="endpoint", message="Out of luck."))
    at.change("serving", **ONE)
    execution = at.serve()
    assert (execution.status, execution.error) == ("FAILED", "EndpointFailed")
    assert "failed again: Out of luck." in (execution.cause or "")
    at.faults.clear()
    assert status_of(at.serve()) is ServingStatus.IN_SERVICE


class TestAnEndpointThatDoesNotShowYet:
    @pytest.fixture
    def at(self) -> Iterator[Deployment]:
        at = promoted(RIGHT)
        # All that there is by now shows.
        at.let_pass(timedelta(minutes=10))
        # Longer than a dead holder's lease.
        with at.comprehend_with(created_things_found_after_seconds=200):
            yield at

    def test_is_waited_for(self, at: Deployment) -> None:
        assert bring(at, ONE) is ServingStatus.IN_SERVICE
        assert at.endpoint()

    @pytest.mark.parametrize("survived", [1, 2, 3])
    def test_is_not_left_behind(self, at: Deployment, survived: int) -> None:
        """Asked for, and its stack is destroyed before it shows: nobody else would delete it."""
        at.change("serving", **ONE)
        at.script.kill(after=survived, function="bring_endpoint")
        at.until_killed()
        assert at.script.killed
        at.stop("Serve")
        destroy(at)
        at.let_pass(timedelta(minutes=10))
        assert at.endpoint() is None

    def test_is_given_up_after_minutes(self, at: Deployment) -> None:
        """Noted and never asked for: there is nothing to wait for."""
        at.bucket.write(
            STATE_KEY,
            ServingState(status=ServingStatus.CREATING, reason="It is being created.", since=at.now(), at=at.now()),
        )
        assert status_of(at.serve()) is ServingStatus.NOT_WANTED


@pytest.mark.parametrize("reading", ["flywheel_alone", "flywheel_with_model"])
def test_a_move_under_each_reading_of_update_endpoint(reading: str) -> None:
    at = promoted(RIGHT)
    bring(at, ONE)
    endpoint = endpoint_of(at)
    # Pinned to its model, as somebody may do in the console.
    at.comprehend.update_endpoint(EndpointArn=endpoint["EndpointArn"], DesiredModelArn=at.active_model())
    with at.comprehend_with(endpoint_moves_by=reading, bad_value_error="ValidationException"):
        assert status_of(at.serve()) is ServingStatus.IN_SERVICE
    assert endpoint_of(at)["FlywheelArn"] == at.flywheel_arn


class TestNewGeneration:
    def test_its_candidate_is_served_only_once_it_is_promoted(self) -> None:
        at = promoted(RIGHT)
        bring(at, ONE)
        former, model = at.flywheel_arn, at.active_model()
        at.replace_flywheel()
        at.serve()
        endpoint = endpoint_of(at)
        assert (endpoint["FlywheelArn"], endpoint["ModelArn"]) == (former, model)
        at.upload("train/again.csv", documents(*LABELS, start=2000, count=5))
        record = at.run_turn()
        at.serve()
        endpoint = endpoint_of(at)
        moved = record.decision is DecisionKind.PROMOTE
        assert (endpoint["FlywheelArn"] == at.flywheel_arn) is moved
        assert endpoint["ModelArn"] == at.parameters()["active-model-arn"]

    def test_the_endpoint_takes_its_role_along(self) -> None:
        """The former one's models were not encrypted, this one's are."""
        at = promoted(WRONG)
        bring(at, ONE)
        assert "DataAccessRoleArn" not in endpoint_of(at)
        at.app.settings = {"encryption": "new"}
        at.replace_flywheel()
        at.upload("train/best.csv", documents(*LABELS, start=5000, count=200))
        assert at.run_turn().decision is DecisionKind.PROMOTE
        at.serve()
        endpoint = endpoint_of(at)
        assert endpoint["FlywheelArn"] == at.flywheel_arn
        assert "Endpoint" in endpoint["DataAccessRoleArn"]


class TestSmokeTest:
    def test_each_model_is_tried_once(self) -> None:
        at = promoted(RIGHT)
        at.upload("smoke.csv", as_csv(SMOKE))
        bring(at, TRIED)
        tested = smoke_test_of(str(at.active_model()), intake=at.bucket)
        assert tested
        assert (tested.right, tested.documents, tested.passed) == (6, 6, True)
        at.serve()
        assert len(at.invoked("smoke_test")) == 1

    def test_a_served_model_that_fails_has_the_former_one_asked_for_once(self) -> None:
        at = promoted(WRONG, RIGHT)
        wrong = at.parameters()["previous-model-arn"]
        at.upload("smoke.csv", as_csv(mislabelled(SMOKE)))
        before = set(at.keys(promotions.REQUESTS))
        at.change("serving", **TRIED)
        run_killed_everywhere(at)
        [key] = set(at.keys(promotions.REQUESTS)) - before
        request = at.bucket.require(key, PromotionRequest)
        assert (request.source, request.model_arn) == (PromotionSource.SERVING, wrong)
        assert "0 of 6 documents" in request.reason
        at.promote_all()
        assert at.active_model() == wrong
        at.serve()
        assert endpoint_of(at)["ModelArn"] == wrong

    def test_the_former_one_is_not_asked_for_while_another_takes_the_place_of_one_that_fails(self) -> None:
        """It would be decided against the other, and promoted after it."""
        at = promoted(WRONG, RIGHT)
        at.upload("train/wrong.csv", mislabelled(documents(*LABELS, start=5000, count=300)))
        other = at.run_turn().candidate
        assert other
        at.upload("smoke.csv", as_csv(mislabelled(SMOKE)))
        at.change("serving", **TRIED)
        serving = at.run_before("ReportServing", machine="Serve")
        request = ask(at, other.arn)
        at.operator.poke_promotions()
        promotion = at.run_before("FindServing", machine="Promote")
        assert at.active_model() == other.arn
        before = at.keys(promotions.REQUESTS)
        at.go_on(serving)
        at.until_quiet(lambda: all(one.status != "RUNNING" for one in at.executions("Serve")))
        assert at.keys(promotions.REQUESTS) == before
        at.go_on(promotion)
        at.promote_all()
        assert at.bucket.require(promotions.end_key(request), Promotion).status.made_active
        assert at.active_model() == at.parameters()["active-model-arn"] == other.arn

    def test_a_model_is_not_asked_for_instead_of_itself(self) -> None:
        """A promotion that is killed while it publishes leaves the active model as the previous one, too."""
        at = promoted(WRONG)
        at.upload("smoke.csv", as_csv(SMOKE))
        at.client("ssm").put_parameter(
            Name=f"/comprehend-flywheel/{at.name}/previous-model-arn", Value=str(at.active_model()), Type="String"
        )
        before = at.keys(promotions.REQUESTS)
        bring(at, TRIED)
        assert at.serve().output["smoke_test_failed"] is True
        assert at.keys(promotions.REQUESTS) == before

    def test_a_former_model_that_failed_as_well_is_not_asked_for(self) -> None:
        at = promoted(WRONG, RIGHT)
        at.upload("smoke.csv", as_csv([(LABELS[number % 2], f"gibberish {number}") for number in range(20)]))
        bring(at, TRIED)
        at.promote_all()
        tested = smoke_test_of(str(at.active_model()), intake=at.bucket)
        assert tested
        assert not tested.passed
        asked = len(at.keys(promotions.REQUESTS))
        for _ in range(2):
            at.serve()
            at.promote_all()
        assert len(at.keys(promotions.REQUESTS)) == asked


def test_an_endpoint_is_bound_to_a_model_or_to_a_flywheel() -> None:
    at = promoted(RIGHT)
    arn = f"{at.flywheel_arn.partition(':flywheel/')[0]}:{at.kind.arn_resource}-endpoint/{at.name}"
    endpoints = EndpointService(comprehend=at.comprehend, arn=arn)
    model = at.service.find_active_model()
    assert model is not None
    endpoints.create(flywheel_arn=None, model_arn=model, units=1, role_arn=None, tags={})
    at.let_pass(FOUND_WITHIN)
    for bound_to, next_to in ((None, at.flywheel_arn), (at.flywheel_arn, None), (None, None)):
        at.let_pass(timedelta(seconds=1))
        endpoint = endpoints.describe()
        assert endpoint is not None
        assert (endpoint.flywheel_arn, endpoint.model_arn) == (bound_to, model)
        endpoints.move(flywheel_arn=next_to, model_arn=model, role_arn=None, units=endpoint.desired_units)
