"""A flywheel's life in deployments: without events, with another list of labels, destroyed while a turn runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from flywheel.records.decisions import DecisionKind
from flywheel.records.turns import TurnRecord
from flywheel.records.uploads import Split
from flywheel.turn.start_turn import Poke
from local.cloud import LocalCloud
from ops.deployment.clients import Clients
from ops.verbs.left_behind import find_left_behind
from ops.verbs.pause import pause, wait_until_idle
from tests.local_cloud.pipeline import CONTEXT, LABELS, LONG, NAME, STACK, Pipeline, documents
from tests.local_cloud.resources import Synthesise, stack_status

MORE_LABELS = (*LABELS, "FOG")
OTHER_LAYER = "3.36.0"


@pytest.fixture(scope="module")
def pipeline(cloud: LocalCloud, synthesise: Synthesise) -> Pipeline:
    """One that nothing but its schedule and people start."""
    return Pipeline.deploy(cloud.account("100000000003"), synthesise(context=CONTEXT), TriggerOnUpload="false")


@pytest.fixture(scope="module")
def first_model(pipeline: Pipeline) -> str:
    """The active model of the first generation. One of five test documents has a wrong label, and so has its score."""
    rows = documents(20)
    pipeline.upload("train/first.csv", documents())
    other = dict(zip(LABELS, LABELS[::-1], strict=True))
    pipeline.upload("test/first.csv", [(other[row[0]] if n % 10 < 2 else row[0], row[1]) for n, row in enumerate(rows)])
    assert (pipeline.current, pipeline.queue_depth()) == ("turn-000000", 0)
    record = scheduled(pipeline)
    assert record.candidate
    assert record.candidate.metrics.F1Score == pytest.approx(0.8)
    assert pipeline.at_rest().turn == record.turn
    assert pipeline.active_model() == record.candidate.arn
    return record.candidate.arn


@pytest.fixture(scope="module")
def former(pipeline: Pipeline, first_model: str, synthesise: Synthesise) -> str:
    """The flywheel of the first generation, after a deployment with one more label."""
    arn = pipeline.deployment.flywheel_arn
    pipeline.deploy_again(more_labels(synthesise))
    return arn


def test_another_version_of_the_layer_reaches_every_function(pipeline: Pipeline, former: str) -> None:
    """The CDK CLI keeps the values of parameters: what follows a setting must not be a parameter's default."""
    wanted = "/aws/service/powertools/python/arm64/python3.13/"
    layers = {
        version: pipeline.account.client("ssm").get_parameter(Name=wanted + version)["Parameter"]["Value"]
        for version in ("3.37.0", OTHER_LAYER)
    }
    assert len(set(layers.values())) == 2
    functions = pipeline.account.client("lambda").list_functions()["Functions"]
    found = {layer["Arn"] for function in functions for layer in function["Layers"]}
    assert found == {layers[OTHER_LAYER]}


def test_another_label_list_makes_another_flywheel_and_leaves_the_former(
    pipeline: Pipeline, former: str, first_model: str
) -> None:
    assert pipeline.deployment.flywheel_arn != former
    assert pipeline.deployment.labels == tuple(sorted(MORE_LABELS))
    assert not pipeline.deployment.parameters.trigger_on_upload, "a parameter lost its value"
    assert described(pipeline, former) == ("ACTIVE", first_model)
    assert described(pipeline, pipeline.deployment.flywheel_arn) == ("ACTIVE", None)
    assert pipeline.published() == {"active-model-arn": first_model, "desired-model-arn": first_model}


def test_the_new_flywheel_learns_all_that_the_former_did_but_serves_only_when_it_is_better(
    pipeline: Pipeline, former: str, first_model: str
) -> None:
    """Whoever reads Parameter Store stays on the first model until it is beaten."""
    fog = documents(50, labels=["FOG"])
    pipeline.upload("train/fog.csv", fog)
    pipeline.upload("test/not-fog.csv", [("FOG", text) for _, text in documents(20, labels=["STORM"])])
    worse = scheduled(pipeline)
    assert {dataset.split: dataset.documents for dataset in worse.datasets} == {Split.TRAIN: 150, Split.TEST: 60}
    assert worse.decision is DecisionKind.KEEP
    pipeline.at_rest(serves=first_model)
    assert described(pipeline, pipeline.deployment.flywheel_arn) == ("ACTIVE", None)

    pipeline.upload("train/more.csv", documents(50, labels=MORE_LABELS))
    pipeline.upload("test/more.csv", documents(100, labels=MORE_LABELS))
    better = scheduled(pipeline)
    assert better.decision is DecisionKind.PROMOTE
    assert better.candidate
    pipeline.at_rest(serves=better.candidate.arn)
    assert pipeline.published()["previous-model-arn"] == first_model
    assert described(pipeline, pipeline.deployment.flywheel_arn) == ("ACTIVE", better.candidate.arn)
    assert described(pipeline, former) == ("ACTIVE", first_model)


def test_what_holds_data_is_kept_when_the_stack_is_destroyed(
    pipeline: Pipeline, former: str, synthesise: Synthesise
) -> None:
    """As `make destroy` does it: pause, let the turn that runs end, destroy."""
    before = pipeline.current
    pipeline.upload("train/last.csv", documents(50, labels=MORE_LABELS))
    assert pipeline.ask(Poke.SCHEDULE)["start"]
    pause(pipeline.deployment, reason="it is to be destroyed")
    wait_until_idle(pipeline.deployment, timeout_seconds=LONG, poll_seconds=0.1)
    assert pipeline.record(pipeline.next_turn(before)), "the running turn was not waited for"
    present = pipeline.deployment.flywheel_arn
    pipeline.account.destroy(more_labels(synthesise))

    assert stack_status(pipeline.account, STACK) == "DELETE_COMPLETE"
    assert pipeline.published() == {}
    with pytest.raises(ClientError, match="ResourceNotFound"):
        described(pipeline, present)
    kept = find_left_behind(Clients(pipeline.account.session()), NAME)
    buckets = {bucket.name: bucket.versions for bucket in kept.buckets}
    assert buckets[pipeline.deployment.published.intake_bucket]
    assert buckets[pipeline.deployment.published.lake_bucket]
    assert [flywheel.arn for flywheel in kept.flywheels] == [former]
    assert kept.models


def scheduled(pipeline: Pipeline) -> TurnRecord:
    """The record of the turn that the schedule starts."""
    before = pipeline.current
    assert pipeline.ask(Poke.SCHEDULE)["start"]
    return pipeline.recorded(pipeline.next_turn(before))


def described(pipeline: Pipeline, flywheel_arn: str) -> tuple[str, str | None]:
    """Status and active model of a flywheel."""
    properties = pipeline.account.client("comprehend").describe_flywheel(FlywheelArn=flywheel_arn)["FlywheelProperties"]
    return properties["Status"], properties.get("ActiveModelArn")


def more_labels(synthesise: Synthesise) -> Path:
    return synthesise(context={**CONTEXT, "labels": ",".join(MORE_LABELS), "powertools_layer_version": OTHER_LAYER})
