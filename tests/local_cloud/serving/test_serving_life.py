"""Serving from a flywheel's first model to the end of its stack: nothing that is billed by the hour is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionStatus
from flywheel.records.serving import LEASE_KEY, ServingStatus
from local.cloud import LocalCloud
from tests.local_cloud.people import mislabelled, operator
from tests.local_cloud.pipeline import CONTEXT, LABELS, Pipeline, documents, paused
from tests.local_cloud.resources import Synthesise, stack_status, until
from tests.local_cloud.serving_stack import SERVING_STACK, SMOKE_TEST_KEY, Serving

MORE_LABELS = (*LABELS, "FOG")
SLOW = 2.0
"""Seconds that a change takes while the stack is destroyed in the middle of it."""


@pytest.fixture(scope="module")
def serving(cloud: LocalCloud, synthesise: Synthesise) -> Serving:
    """Serving with a smoke test, deployed before there is any model."""
    assembly = synthesise(context=CONTEXT)
    pipeline = Pipeline.deploy(cloud.account("100000000011"), assembly, MinimumScore="0")
    found = Serving(pipeline=pipeline, assembly=assembly)
    found.smoke_test(documents(3))
    found.deploy(InferenceUnits="10", SmokeTestKey=SMOKE_TEST_KEY)
    return found


@pytest.fixture(scope="module")
def refused(serving: Serving) -> str:
    """The first model, which answers everything wrongly."""
    pipeline = serving.pipeline
    assert serving.run()["status"] == "SUCCEEDED"
    assert serving.state().status is ServingStatus.NO_MODEL
    with paused(pipeline):
        pipeline.upload("test/test.csv", mislabelled(documents(20)))
        pipeline.upload("train/wrong.csv", mislabelled(documents(50)))
    record = pipeline.recorded(pipeline.next_turn(pipeline.current))
    promotion = pipeline.promotion_of(record)
    pipeline.await_promotions()
    assert promotion.status is PromotionStatus.SMOKE_TEST_FAILED, promotion.reason
    assert "0 of 6 documents" in promotion.reason
    assert "There was no former model: no endpoint serves it." in promotion.reason
    return promotion.model_arn


@pytest.fixture(scope="module")
def served(serving: Serving, refused: str) -> str:
    """The active model, which passed."""
    pipeline = serving.pipeline
    pipeline.upload("train/right.csv", documents(400))
    pipeline.upload("test/right.csv", documents(200))
    record = pipeline.at_rest()
    assert record.decision is DecisionKind.PROMOTE, record.reasons
    assert record.candidate
    return record.candidate.arn


def smoke_test_alarms(serving: Serving) -> list[str]:
    found = serving.pipeline.account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return [alarm["StateValue"] for alarm in found if "SmokeTestFailed" in alarm["AlarmName"]]


def test_a_first_model_that_fails_its_smoke_test_is_not_served(serving: Serving, refused: str) -> None:
    assert serving.becomes(None)
    assert serving.pipeline.published() == {}
    until(lambda: smoke_test_alarms(serving) == ["ALARM"])
    assert serving.run()["status"] == "SUCCEEDED"
    assert serving.endpoint() is None
    assert serving.state().status is ServingStatus.NO_MODEL


def test_the_first_model_that_passes_brings_the_endpoint(serving: Serving, refused: str, served: str) -> None:
    assert serving.pipeline.published()["active-model-arn"] == served
    endpoint = serving.becomes("IN_SERVICE")
    assert (endpoint["ModelArn"], endpoint["FlywheelArn"]) == (served, serving.pipeline.deployment.flywheel_arn)
    promotion = serving.pipeline.promotion_of(serving.pipeline.records()[-1])
    assert promotion.serving
    assert "6 of 6 documents" in promotion.serving


def nothing(serving: Serving) -> None:
    serving.deploy(InferenceUnits="0")
    serving.becomes(None)


def creating(serving: Serving) -> None:
    nothing(serving)
    slow(serving, "creation")
    serving.deploy(InferenceUnits="10")
    serving.becomes("CREATING")


def in_service(serving: Serving) -> None:
    serving.deploy(InferenceUnits="10", MaximumInferenceUnits="20")
    serving.becomes("IN_SERVICE")
    until(lambda: serving.limits() == [(10, 20)])


def updating(serving: Serving) -> None:
    in_service(serving)
    slow(serving, "update")
    comprehend = serving.pipeline.account.client("comprehend")
    comprehend.update_endpoint(EndpointArn=serving.endpoint_arn, DesiredInferenceUnits=11)
    serving.becomes("UPDATING")


def failed(serving: Serving) -> None:
    nothing(serving)
    serving.at_rest()
    comprehend = serving.pipeline.account.client("comprehend")
    with serving.pipeline.fault(resource="endpoint"):
        comprehend.create_endpoint(
            EndpointName=serving.endpoint_arn.rpartition("/")[2],
            FlywheelArn=serving.pipeline.deployment.flywheel_arn,
            DesiredInferenceUnits=1,
        )
        serving.becomes("FAILED")


def deleting(serving: Serving) -> None:
    in_service(serving)
    slow(serving, "deletion")
    serving.pipeline.account.client("comprehend").delete_endpoint(EndpointArn=serving.endpoint_arn)
    serving.becomes("DELETING")


def promoting(serving: Serving) -> None:
    """A promotion is about to have the endpoint made."""
    nothing(serving)
    slow(serving, "creation")
    pipeline = serving.pipeline
    serving.deploy(InferenceUnits="10")
    operator(pipeline, str(pipeline.active_model()), f"operator-{len(pipeline.keys('promotions/requests/'))}")
    until(pipeline.promotes)


@pytest.mark.parametrize("stage", [nothing, creating, in_service, updating, failed, deleting, promoting])
def test_destroying_the_stack_leaves_no_endpoint(
    serving: Serving, served: str, stage: Callable[[Serving], None]
) -> None:
    pipeline = serving.pipeline
    serving.deploy(InferenceUnits="10", MaximumInferenceUnits="0")
    stage(serving)
    serving.destroy()
    assert stack_status(pipeline.account, SERVING_STACK) == "DELETE_COMPLETE"
    pipeline.await_promotions()
    assert serving.endpoint() is None
    assert serving.limits() == []
    assert serving.parameters() == {}
    assert pipeline.published()["active-model-arn"] == served
    # A run may have lost its role in the middle; its lease would hold up the next stage for minutes.
    pipeline.deployment.intake.delete([LEASE_KEY])


@pytest.fixture(autouse=True)
def quick(serving: Serving) -> Iterator[None]:
    yield
    for change in ("creation", "update", "deletion"):
        slow(serving, change, seconds=0.2)


def slow(serving: Serving, change: str, *, seconds: float = SLOW) -> None:
    settings = {f"endpoint_{change}_seconds": seconds}
    serving.pipeline.account.comprehend_administration("PUT", "settings", settings)


def test_on_a_new_generation_serving_moves_when_its_model_has_passed_the_gate(
    cloud: LocalCloud, synthesise: Synthesise
) -> None:
    assembly = synthesise(context=CONTEXT)
    pipeline = Pipeline.deploy(cloud.account("100000000012"), assembly, TriggerOnUpload="false")
    other = dict(zip(LABELS, LABELS[::-1], strict=True))
    rows = documents(20)
    pipeline.upload("train/first.csv", documents())
    # One of five is wrong: the next generation can be worse or better.
    pipeline.upload("test/first.csv", [(other[row[0]] if n % 10 < 2 else row[0], row[1]) for n, row in enumerate(rows)])
    pipeline.turn_now()
    first = pipeline.at_rest().candidate
    assert first
    former = pipeline.deployment.flywheel_arn
    serving = Serving(pipeline=pipeline, assembly=assembly)
    serving.deploy(InferenceUnits="10")
    serving.becomes("IN_SERVICE", FlywheelArn=former, ModelArn=first.arn)
    serving.at_rest()

    serving = Serving(pipeline=pipeline, assembly=more_labels(synthesise))
    pipeline.deploy_again(serving.assembly)
    serving.deploy()
    present = pipeline.deployment.flywheel_arn
    assert present != former
    pipeline.upload("train/fog.csv", documents(50, labels=["FOG"]))
    pipeline.upload("test/not-fog.csv", [("FOG", text) for _, text in documents(20, labels=["STORM"])])
    pipeline.turn_now()
    worse = pipeline.at_rest(serves=first.arn)
    assert worse.decision is DecisionKind.KEEP
    assert serving.run()["status"] == "SUCCEEDED"
    assert serving.becomes("IN_SERVICE", FlywheelArn=former, ModelArn=first.arn)

    pipeline.upload("train/more.csv", documents(50, labels=MORE_LABELS))
    pipeline.upload("test/more.csv", documents(100, labels=MORE_LABELS))
    with serving.under_load("harbour meadow lullaby") as load:
        pipeline.turn_now()
        better = pipeline.at_rest().candidate
    assert better
    assert load.errors == []
    assert serving.becomes("IN_SERVICE", FlywheelArn=present, ModelArn=better.arn)


def more_labels(synthesise: Synthesise) -> Path:
    return synthesise(context={**CONTEXT, "labels": ",".join(MORE_LABELS)})
