"""The deployed Serving stack: the endpoint follows what is wanted and what is active, whatever happens meanwhile."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from flywheel.records.promotions import Promotion, PromotionStatus
from flywheel.records.serving import LEASE_KEY, ServingStatus
from flywheel.store.lease import Lease
from local.cloud import LocalCloud
from tests.local_cloud.people import mislabelled, operator
from tests.local_cloud.pipeline import CONTEXT, Pipeline, as_csv, documents, paused
from tests.local_cloud.resources import Synthesise, until
from tests.local_cloud.serving_stack import SMOKE_TEST_KEY, Serving

CALM = "harbour meadow lullaby"
UNITS = "10"
_wishes = itertools.count(1)
WISH = {
    "InferenceUnits": UNITS,
    "MaximumInferenceUnits": "0",
    "SmokeTestKey": "none",
    "SmokeTestMinimum": "0.8",
    "ServingHoursStart": "none",
    "ServingHoursEnd": "none",
}


@pytest.fixture(scope="module")
def deployed(cloud: LocalCloud, synthesise: Synthesise) -> Serving:
    """A flywheel with two models, a poor one and a good one, which is active; and the Serving stack, without units."""
    assembly = synthesise(context=CONTEXT)
    pipeline = Pipeline.deploy(cloud.account("100000000010"), assembly, MinimumScore="0", ModelsToKeep="100")
    pipeline.account.comprehend_administration("PUT", "settings", {"endpoint_update_seconds": 0.3})
    with paused(pipeline):
        pipeline.upload("test/test.csv", documents(20))
        pipeline.upload("train/poor.csv", mislabelled(documents(50)))
    first = pipeline.at_rest()
    assert first.candidate
    pipeline.upload("train/good.csv", documents(80))
    second = pipeline.at_rest()
    assert second.candidate
    assert pipeline.active_model() == second.candidate.arn
    serving = Serving(pipeline=pipeline, assembly=assembly)
    serving.deploy()
    return serving


@pytest.fixture
def serving(deployed: Serving) -> Iterator[Serving]:
    """Serving with the good model and ten units; each test leaves it as it likes."""
    pipeline = deployed.pipeline
    pipeline.account.comprehend_administration("DELETE", "faults")
    deployed.deploy(**WISH)
    promotion = promote(deployed, good(pipeline))
    assert promotion.status.made_active, promotion.reason
    assert deployed.run()["status"] == "SUCCEEDED", deployed.state().reason
    deployed.becomes("IN_SERVICE", ModelArn=good(pipeline), DesiredInferenceUnits=10)
    deployed.at_rest()
    yield deployed
    pipeline.account.comprehend_administration("DELETE", "faults")
    deployed.at_rest()
    pipeline.await_promotions()


def models(pipeline: Pipeline) -> list[str]:
    """The candidates of the iterations, oldest first."""
    return [iteration["TrainedModelArn"] for iteration in pipeline.iterations()]


def poor(pipeline: Pipeline) -> str:
    return models(pipeline)[0]


def good(pipeline: Pipeline) -> str:
    return models(pipeline)[1]


def promote(serving: Serving, model_arn: str) -> Promotion:
    """What becomes of a person's request for a model."""
    request = f"operator-{next(_wishes)}"
    operator(serving.pipeline, model_arn, request)
    ended = serving.pipeline.ended(request)
    serving.pipeline.await_promotions()
    return ended


def test_without_units_there_is_no_endpoint_and_no_promotion_waits_for_one(deployed: Serving) -> None:
    deployed.deploy(InferenceUnits="0")
    deployed.run()
    assert deployed.becomes(None)
    promotion = promote(deployed, poor(deployed.pipeline))
    assert promotion.status is PromotionStatus.PROMOTED, promotion.reason
    assert promotion.serving is None
    assert deployed.state_becomes(ServingStatus.NOT_WANTED).endpoint_arn is None
    assert set(deployed.parameters()) == {"serving"}


def test_units_bring_an_endpoint_that_is_bound_to_the_flywheel(deployed: Serving) -> None:
    pipeline = deployed.pipeline
    deployed.deploy(InferenceUnits="0")
    deployed.becomes(None)
    deployed.deploy(InferenceUnits="2")
    endpoint = deployed.becomes("IN_SERVICE")
    assert endpoint["FlywheelArn"] == pipeline.deployment.flywheel_arn
    assert endpoint["ModelArn"] == pipeline.active_model()
    assert endpoint["CurrentInferenceUnits"] == 2
    tags = pipeline.account.client("comprehend").list_tags_for_resource(ResourceArn=deployed.endpoint_arn)["Tags"]
    assert {"Key": "application", "Value": "news-flywheel"} in tags
    state = deployed.state_becomes(ServingStatus.IN_SERVICE)
    assert (state.endpoint_arn, state.model_arn) == (deployed.endpoint_arn, pipeline.active_model())
    assert deployed.parameters()["endpoint-arn"] == deployed.endpoint_arn
    assert deployed.limits() == []


def test_a_promotion_under_load_costs_no_answer(serving: Serving) -> None:
    """Ten calls a second, through a promotion and its undoing; and no answer but of the two models."""
    pipeline = serving.pipeline
    of_good = serving.classify(CALM)
    assert of_good[0] == "CALM"
    with serving.under_load(CALM) as load:
        until(lambda: len(load.answers) > 5)
        promoted = promote(serving, poor(pipeline))
        of_poor = serving.classify(CALM)
        back = promote(serving, good(pipeline))
        now = len(load.answers)
        until(lambda: len(load.answers) > now + 5)
    assert load.errors == []
    assert of_poor[0] == "STORM"
    assert promoted.status is back.status is PromotionStatus.PROMOTED
    assert promoted.serving == f"The endpoint answers with {promoted.model_arn}."
    changes = [answer for answer, _ in itertools.groupby(load.answers)]
    assert changes == [of_good, of_poor, of_good]


def test_scaling_under_load_costs_no_answer(serving: Serving) -> None:
    with serving.under_load(CALM) as load:
        serving.deploy(InferenceUnits="12")
        serving.becomes("IN_SERVICE", CurrentInferenceUnits=12)
        serving.deploy(InferenceUnits=UNITS)
        serving.becomes("IN_SERVICE", CurrentInferenceUnits=10)
    assert load.errors == []
    assert len(set(load.answers)) == 1


def test_a_wish_that_meets_a_lease_is_taken_up_when_that_ends(serving: Serving) -> None:
    """Of a run that was killed: nobody but the machine's own retries will look again for a quarter of an hour."""
    left_behind = Lease(holder="serve-killed", until=datetime.now(UTC) + timedelta(seconds=10))
    serving.pipeline.deployment.intake.write(LEASE_KEY, left_behind)
    serving.deploy(InferenceUnits="11")
    serving.becomes("IN_SERVICE", DesiredInferenceUnits=11)


def test_a_model_that_fails_its_smoke_test_is_taken_back(serving: Serving) -> None:
    pipeline = serving.pipeline
    serving.smoke_test(documents(3))
    serving.deploy(SmokeTestKey=SMOKE_TEST_KEY, SmokeTestMinimum="0.8")
    serving.run()
    published = pipeline.published()
    refused = promote(serving, poor(pipeline))
    assert refused.status is PromotionStatus.SMOKE_TEST_FAILED
    assert "0 of 6 documents of serving/smoke.csv are right, at least 80% have to be" in refused.reason
    assert f"{good(pipeline)} is active again." in refused.reason
    assert pipeline.active_model() == good(pipeline)
    assert pipeline.published() == published
    assert serving.becomes("IN_SERVICE")["ModelArn"] == good(pipeline)
    assert serving.classify(CALM)[0] == "CALM"
    # It is tried again whenever somebody wants it again.
    serving.smoke_test(mislabelled(documents(3)))
    again = promote(serving, poor(pipeline))
    assert again.status is PromotionStatus.PROMOTED, again.reason
    assert again.serving
    assert "6 of 6 documents" in again.serving


def test_a_served_model_that_fails_another_smoke_test_gives_way_to_the_former(serving: Serving) -> None:
    pipeline = serving.pipeline
    promote(serving, poor(pipeline))
    promote(serving, good(pipeline))
    pipeline.drop("serving/another.csv", as_csv(mislabelled(documents(3))))
    serving.deploy(SmokeTestKey="serving/another.csv")
    [key] = until(lambda: pipeline.keys("promotions/requests/smoke-test-"))
    pipeline.send_promotion(json.dumps({"poke": "schedule"}))
    ended = pipeline.ended(key.rpartition("/")[2].removesuffix(".json"))
    assert (ended.status, ended.model_arn) == (PromotionStatus.PROMOTED, poor(pipeline)), ended.reason
    pipeline.await_promotions()
    assert pipeline.published()["active-model-arn"] == poor(pipeline)
    assert serving.becomes("IN_SERVICE")["ModelArn"] == poor(pipeline)


def test_an_endpoint_that_cannot_be_made_holds_up_no_promotion_and_comes_later(serving: Serving) -> None:
    pipeline = serving.pipeline
    serving.deploy(InferenceUnits="0")
    serving.becomes(None)
    serving.at_rest()
    refusal = {"operation": "CreateEndpoint", "code": "ResourceLimitExceededException", "message": "No more units."}
    with pipeline.fault(**refusal):
        serving.deploy(InferenceUnits="4")
        behind = serving.state_becomes(ServingStatus.BEHIND)
        assert "No more units." in behind.reason
        serving.at_rest()
        promotion = promote(serving, poor(pipeline))
    assert promotion.status is PromotionStatus.PROMOTED, promotion.reason
    assert promotion.serving
    assert "It is behind." in promotion.serving
    assert "No more units." in promotion.serving
    assert pipeline.published()["active-model-arn"] == poor(pipeline)
    until(lambda: alarm(serving, "ServingBehind") == "ALARM")
    assert serving.run()["status"] == "SUCCEEDED"
    assert serving.becomes("IN_SERVICE")["ModelArn"] == poor(pipeline)
    assert serving.state().status is ServingStatus.IN_SERVICE


def test_a_throttled_creation_is_tried_again(serving: Serving) -> None:
    serving.deploy(InferenceUnits="0")
    serving.becomes(None)
    with serving.pipeline.fault(operation="CreateEndpoint", kind="throttle", code="TooManyRequestsException", times=3):
        serving.deploy(InferenceUnits="1")
        serving.becomes("IN_SERVICE")


def test_a_failed_endpoint_is_replaced(serving: Serving) -> None:
    serving.deploy(InferenceUnits="0")
    serving.becomes(None)
    # Runs may overlap, and each would replace it once.
    serving.at_rest()
    before = creations(serving)
    with serving.pipeline.fault(resource="endpoint", times=1):
        serving.deploy(InferenceUnits="1")
        serving.becomes("IN_SERVICE")
    assert creations(serving) - before == 2


def test_an_endpoint_that_fails_again_and_again_is_given_up_until_the_next_run(serving: Serving) -> None:
    serving.deploy(InferenceUnits="0")
    serving.becomes(None)
    # Runs may overlap, and each would replace it once.
    serving.at_rest()
    with serving.pipeline.fault(resource="endpoint", message="Out of capacity."):
        before = creations(serving)
        serving.deploy(InferenceUnits="1")
        assert "Out of capacity." in serving.state_becomes(ServingStatus.BEHIND).reason
        serving.at_rest()
        assert creations(serving) - before == 2
    assert serving.run()["status"] == "SUCCEEDED"
    serving.becomes("IN_SERVICE")


def test_outside_its_hours_there_is_no_endpoint(serving: Serving) -> None:
    now = datetime.now(UTC)
    start, end = (now + timedelta(hours=hours) for hours in (4, 8))
    serving.deploy(
        ServingHoursStart=f"cron({start.minute} {start.hour} ? * * *)",
        ServingHoursEnd=f"cron({end.minute} {end.hour} ? * * *)",
    )
    serving.becomes(None)
    assert "hours" in serving.state_becomes(ServingStatus.OUT_OF_HOURS).reason
    promotion = promote(serving, poor(serving.pipeline))
    assert promotion.status is PromotionStatus.PROMOTED, promotion.reason
    start, end = (now + timedelta(hours=hours) for hours in (-2, 8))
    serving.deploy(
        ServingHoursStart=f"cron({start.minute} {start.hour} ? * * *)",
        ServingHoursEnd=f"cron({end.minute} {end.hour} ? * * *)",
    )
    assert serving.becomes("IN_SERVICE")["ModelArn"] == poor(serving.pipeline)


def test_auto_scaling_has_the_units_between_its_limits(serving: Serving) -> None:
    serving.deploy(MaximumInferenceUnits="15")
    until(lambda: serving.limits() == [(10, 15)])
    serving.at_rest()
    comprehend = serving.pipeline.account.client("comprehend")
    comprehend.update_endpoint(EndpointArn=serving.endpoint_arn, DesiredInferenceUnits=13)
    serving.becomes("IN_SERVICE", CurrentInferenceUnits=13)
    assert serving.run()["status"] == "SUCCEEDED"
    assert serving.becomes("IN_SERVICE")["DesiredInferenceUnits"] == 13, "auto scaling's choice was undone"
    serving.deploy(InferenceUnits="14", MaximumInferenceUnits="20")
    serving.becomes("IN_SERVICE", CurrentInferenceUnits=14)
    until(lambda: serving.limits() == [(14, 20)])
    serving.deploy(MaximumInferenceUnits="0")
    until(lambda: serving.limits() == [])
    serving.deploy(InferenceUnits="0", MaximumInferenceUnits="3")
    serving.becomes(None)
    assert serving.limits() == []


def test_what_somebody_pinned_by_hand_follows_the_flywheel_again(serving: Serving) -> None:
    pipeline = serving.pipeline
    comprehend = pipeline.account.client("comprehend")
    comprehend.update_endpoint(EndpointArn=serving.endpoint_arn, DesiredModelArn=poor(pipeline))
    serving.becomes("IN_SERVICE", ModelArn=poor(pipeline))
    assert serving.run()["status"] == "SUCCEEDED"
    endpoint = serving.becomes("IN_SERVICE", ModelArn=good(pipeline))
    assert endpoint["FlywheelArn"] == pipeline.deployment.flywheel_arn


def test_runs_that_overlap_come_to_the_same_end(serving: Serving) -> None:
    serving.deploy(InferenceUnits="0")
    serving.becomes(None)
    stepfunctions = serving.pipeline.account.client("stepfunctions")
    before, failed_before = creations(serving), serving.failed_runs()
    serving.deploy(InferenceUnits="3")
    for _ in range(4):
        stepfunctions.start_execution(stateMachineArn=serving.machine_arn)
    serving.becomes("IN_SERVICE", CurrentInferenceUnits=3)
    serving.at_rest()
    assert creations(serving) - before == 1
    assert serving.failed_runs() == failed_before


def creations(serving: Serving) -> int:
    """How many endpoints were made."""
    calls = serving.pipeline.account.comprehend_administration("GET", "calls?operation=CreateEndpoint")["calls"]
    return sum(call["outcome"] == "ok" for call in calls)


def alarm(serving: Serving, name: str) -> str:
    found = serving.pipeline.account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    (state,) = [alarm["StateValue"] for alarm in found if f"Alarms{name}" in alarm["AlarmName"]]
    return str(state)
