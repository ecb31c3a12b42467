"""`flywheel purge` removes everything of a destroyed flywheel, and nothing else."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from local.cloud import CloudAccount, LocalCloud
from ops.deployment.clients import Clients
from ops.deployment.errors import OperatorError
from ops.deployment.published import find_deployment
from ops.main import app
from ops.verbs.left_behind import LeftBehind, find_left_behind
from ops.verbs.purge import purge
from tests.local_cloud.ops import ops_stack

NAME = "mail"
PHYSICAL_NAME = "mail-0a1b2c3d"
SIBLING = "mail-2"
"""Its stack and its flywheel begin like the purged one's."""
SIBLING_PHYSICAL_NAME = "mail-2-0a1b2c3d"
_ITERATION_SECONDS = 120


@pytest.fixture(scope="module")
def account() -> Iterator[CloudAccount]:
    with LocalCloud(instance=f"tests/{os.getpid()}-purge") as cloud:
        account = cloud.account()
        durations = ("flywheel_creation", "flywheel_deletion", "dataset_ingestion", "iteration_training")
        settings: dict[str, Any] = {f"{duration}_seconds": 0 for duration in durations} | {
            "model_deletion_seconds": 600,
        }
        account.comprehend_administration("PUT", "settings", settings)
        ops_stack.deploy(account, name=SIBLING, physical_name=SIBLING_PHYSICAL_NAME)
        yield account


def deploy_and_use(account: CloudAccount) -> None:
    """A deployment with objects in several versions, a trained model, and an old generation of the flywheel."""
    ops_stack.deploy(account, name=NAME, physical_name=PHYSICAL_NAME)
    deployment = find_deployment(Clients(account.session()), name=NAME)
    intake = deployment.intake
    for text in ("one", "two"):
        intake.write_text("train/a.csv", text)
    intake.delete(["train/a.csv"])
    lines = [f"{label},document {number} of {label.lower()}" for label in ops_stack.LABELS for number in range(60)]
    intake.write_text("data/train.csv", "\n".join(lines))
    comprehend = deployment.clients.comprehend
    dataset = comprehend.create_dataset(
        FlywheelArn=deployment.flywheel_arn,
        DatasetName="train",
        DatasetType="TRAIN",
        InputDataConfig={
            "DataFormat": "COMPREHEND_CSV",
            "DocumentClassifierInputDataConfig": {"S3Uri": f"s3://{intake.name}/data/"},
        },
    )["DatasetArn"]
    wait_for("COMPLETED", lambda: comprehend.describe_dataset(DatasetArn=dataset)["DatasetProperties"])
    iteration = comprehend.start_flywheel_iteration(FlywheelArn=deployment.flywheel_arn)["FlywheelIterationId"]
    finished = wait_for(
        "COMPLETED",
        lambda: comprehend.describe_flywheel_iteration(
            FlywheelArn=deployment.flywheel_arn, FlywheelIterationId=iteration
        )["FlywheelIterationProperties"],
    )
    comprehend.update_flywheel(FlywheelArn=deployment.flywheel_arn, ActiveModelArn=finished["TrainedModelArn"])
    properties = comprehend.describe_flywheel(FlywheelArn=deployment.flywheel_arn)["FlywheelProperties"]
    comprehend.create_flywheel(
        FlywheelName=f"{NAME}-ffffffff",
        ModelType="DOCUMENT_CLASSIFIER",
        DataAccessRoleArn=properties["DataAccessRoleArn"],
        DataLakeS3Uri=f"s3://{deployment.published.lake_bucket}/flywheels/",
        TaskConfig=properties["TaskConfig"],
    )


def wait_for(status: str, describe: Any) -> Any:
    deadline = time.monotonic() + _ITERATION_SECONDS
    while (properties := describe())["Status"] != status:
        assert properties["Status"] != "FAILED", properties
        assert time.monotonic() < deadline, properties
        time.sleep(0.1)
    return properties


def bucket_exists(account: CloudAccount, bucket: str) -> bool:
    try:
        account.client("s3").head_bucket(Bucket=bucket)
    except ClientError:
        return False
    return True


def model_arns(account: CloudAccount) -> list[str]:
    answer = account.client("comprehend").list_document_classifiers()
    return [
        model["DocumentClassifierArn"]
        for model in answer["DocumentClassifierPropertiesList"]
        if model["Status"] != "DELETING"
    ]


def test_the_life_after_destroy(account: CloudAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clients = Clients(account.session())
    deploy_and_use(account)
    deployment = find_deployment(clients, name=NAME)

    with pytest.raises(OperatorError, match=f"{NAME}-flywheel is CREATE_COMPLETE"):
        find_left_behind(clients, NAME)

    ops_stack.deploy_beside(account, stack=f"{NAME}-analysis", publishes=f"/comprehend-flywheel/{NAME}/analysis")
    ops_stack.deploy_beside(account, stack=f"{NAME}-website", publishes=None)
    ops_stack.destroy(account, name=NAME)
    with pytest.raises(OperatorError, match=f"{NAME}-analysis is CREATE_COMPLETE"):
        find_left_behind(clients, NAME)
    ops_stack.destroy(account, name=NAME, kind="analysis")
    forgotten = "forgotten-by-cloudformation"
    clients.s3.create_bucket(Bucket=forgotten)
    kept = find_left_behind(clients, NAME, buckets=[forgotten, "never-there"])
    buckets = {bucket.name: bucket.versions for bucket in kept.buckets}
    assert set(buckets) == {deployment.published.intake_bucket, deployment.published.lake_bucket, forgotten}
    assert buckets[deployment.published.intake_bucket] == 4
    assert [flywheel.arn.rpartition("/")[2] for flywheel in kept.flywheels] == [f"{NAME}-ffffffff"]
    assert [model.arn for model in kept.models] == model_arns(account)
    assert len(kept.models) == 1
    assert len(kept.keys) == 1

    assert_nobody_is_there_to_ask(account, tmp_path, monkeypatch)
    assert find_left_behind(clients, NAME, buckets=[forgotten]) == kept

    steps: list[str] = []
    purge(clients, kept, on_step=steps.append, poll_seconds=0.1)
    assert len(steps) == 1 + 1 + 3
    assert not any(bucket_exists(account, bucket) for bucket in buckets)
    assert model_arns(account) == []
    left = find_left_behind(clients, NAME, buckets=[forgotten])
    assert left == LeftBehind(name=NAME, region=account.region, keys=kept.keys)

    # The model is still being deleted: that a purge is repeated changes nothing.
    purge(clients, kept, delete_keys=True, poll_seconds=0.1)
    key = clients.kms.describe_key(KeyId=kept.keys[0])["KeyMetadata"]
    assert key["KeyState"] == "PendingDeletion"
    assert find_left_behind(clients, NAME).nothing

    assert_sibling_is_untouched(account)


def assert_nobody_is_there_to_ask(account: CloudAccount, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --yes a script removes nothing; --json only lists."""
    for variable, value in account.environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(folder)
    runner = CliRunner()
    asked = runner.invoke(app, ["--name", NAME, "purge"])
    assert asked.exit_code == 1
    assert "--yes" in asked.stderr
    assert "Bucket" in asked.stdout
    listed = runner.invoke(app, ["--name", NAME, "purge", "--json"])
    assert listed.exit_code == 0, listed.stderr
    assert json.loads(listed.stdout)["removed"] is False


def assert_sibling_is_untouched(account: CloudAccount) -> None:
    sibling = find_deployment(Clients(account.session()), name=SIBLING)
    assert bucket_exists(account, sibling.intake.name)
    assert bucket_exists(account, sibling.published.lake_bucket)
    sibling.clients.comprehend.describe_flywheel(FlywheelArn=sibling.flywheel_arn)
