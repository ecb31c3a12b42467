"""What people do to a deployed flywheel: drop files with that right only, ask AWS about it, change it by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from flywheel.decision_records import DecisionKind
from flywheel.turn_records import TurnOutcome
from flywheel.upload_records import Split, UploadOutcome
from local.cloud import LocalCloud
from tests.local_cloud.pipeline import CONTEXT, STACK, Document, Pipeline, as_csv, documents, paused, shared_pipeline
from tests.local_cloud.resources import Aws, Synthesise, create_role


@pytest.fixture(scope="module")
def pipeline(cloud: LocalCloud, synthesise: Synthesise) -> Pipeline:
    return shared_pipeline(cloud, synthesise(context=CONTEXT))


@pytest.fixture(scope="module")
def uploader(pipeline: Pipeline) -> Any:
    """An S3 client of somebody who has the uploaders' policy and nothing else."""
    role = create_role(pipeline.account, trusted={"AWS": pipeline.account.account})
    iam = pipeline.account.client("iam")
    iam.attach_role_policy(RoleName=role.rsplit("/", 1)[-1], PolicyArn=outputs(pipeline)["UploadersPolicyArn"])
    return pipeline.account.client("s3", role_arn=role)


def test_an_uploader_drops_files_and_reads_why_one_was_rejected(pipeline: Pipeline, uploader: Any) -> None:
    before = pipeline.current
    bucket = pipeline.deployment.intake.name
    rows = documents()
    pipeline.expect(Split.TRAIN, rows)
    with paused(pipeline):
        uploader.put_object(Bucket=bucket, Key="train/from an uploader.csv", Body=as_csv(rows))
        uploader.put_object(Bucket=bucket, Key="test/wrong.csv", Body=as_csv([("CLAM", "harbour"), ("STROM", "gale")]))
    record = pipeline.recorded(pipeline.next_turn(before))
    outcomes = {result.upload.key: result.outcome for result in record.uploads}
    assert outcomes == {
        "train/from an uploader.csv": UploadOutcome.ACCEPTED,
        "test/wrong.csv": UploadOutcome.REJECTED,
    }
    keys = [found["Key"] for found in uploader.list_objects_v2(Bucket=bucket, Prefix="rejected/")["Contents"]]
    report = next(key for key in keys if key.endswith("/report.txt") and "wrong.csv" in key)
    assert "CALM" in uploader.get_object(Bucket=bucket, Key=report)["Body"].read().decode(), "no 'did you mean'"
    pipeline.at_rest()


@pytest.mark.parametrize(
    ("operation", "key"),
    [
        *(
            ("put_object", f"{prefix}x.csv")
            for prefix in ("", "prepared/train/", "datasets/train/", "turns/", "rejected/")
        ),
        *(("get_object", key) for key in ("turns/current", "train/x.csv")),
        ("delete_object", "train/x.csv"),
    ],
)
def test_an_uploader_can_do_nothing_else(pipeline: Pipeline, uploader: Any, operation: str, key: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(uploader, operation)(Bucket=pipeline.deployment.intake.name, Key=key)


def test_the_aws_cli_uploads_and_shows_what_became_of_it(pipeline: Pipeline, aws: Aws, tmp_path: Path) -> None:
    before = pipeline.current
    rows = documents()
    pipeline.expect(Split.TRAIN, rows)
    (tmp_path / "cli.csv").write_bytes(as_csv(rows))
    aws(pipeline.account, "s3", "cp", str(tmp_path / "cli.csv"), f"s3://{pipeline.deployment.intake.name}/train/")
    record = pipeline.recorded(pipeline.next_turn(before))
    arn = ("--flywheel-arn", pipeline.deployment.flywheel_arn)

    flywheel = aws(pipeline.account, "comprehend", "describe-flywheel", *arn)["FlywheelProperties"]
    assert (flywheel["FlywheelArn"], flywheel["Status"]) == (pipeline.deployment.flywheel_arn, "ACTIVE")
    assert flywheel["ModelType"] == "DOCUMENT_CLASSIFIER"
    assert flywheel["TaskConfig"]["DocumentClassificationConfig"] == {
        "Mode": "MULTI_CLASS",
        "Labels": ["CALM", "STORM"],
    }
    assert flywheel["LatestFlywheelIteration"] == record.iteration_id

    newest = ("--filter", "Status=COMPLETED,DatasetType=TRAIN", "--max-results", "100")
    datasets = aws(pipeline.account, "comprehend", "list-datasets", *arn, *newest)["DatasetPropertiesList"]
    dataset = next(found for found in datasets if found["DatasetName"] == record.datasets[0].name)
    assert dataset["DatasetArn"] == f"{pipeline.deployment.flywheel_arn}/dataset/{record.datasets[0].name}"
    assert (dataset["DatasetType"], dataset["Status"], dataset["NumberOfDocuments"]) == (
        "TRAIN",
        "COMPLETED",
        len(rows),
    )
    assert dataset["CreationTime"] <= dataset["EndTime"]

    history = aws(pipeline.account, "comprehend", "list-flywheel-iteration-history", *arn)
    named = ("--flywheel-iteration-id", str(record.iteration_id))
    iteration = aws(pipeline.account, "comprehend", "describe-flywheel-iteration", *arn, *named)
    properties = iteration["FlywheelIterationProperties"]
    assert properties in history["FlywheelIterationPropertiesList"]
    assert (properties["FlywheelIterationId"], properties["Status"]) == (record.iteration_id, "COMPLETED")
    assert record.candidate
    assert properties["TrainedModelArn"] == record.candidate.arn
    assert properties["TrainedModelMetrics"].keys() == {
        "AverageF1Score",
        "AveragePrecision",
        "AverageRecall",
        "AverageAccuracy",
    }
    assert properties["EvaluationManifestS3Prefix"].startswith("s3://")
    pipeline.at_rest()


def test_a_model_that_was_made_active_by_hand_is_noticed_and_published(pipeline: Pipeline) -> None:
    models = [candidate(pipeline, documents()) for _ in range(2)]
    former = pipeline.active_model()
    chosen = next(model for model in models if model != former)
    pipeline.account.client("comprehend").update_flywheel(
        FlywheelArn=pipeline.deployment.flywheel_arn, ActiveModelArn=chosen
    )
    record = pipeline.turn_now()
    assert (record.outcome, record.decision) == (TurnOutcome.SUCCEEDED, DecisionKind.NOTHING)
    assert record.changed_outside == f"The active model was changed outside the pipeline, from {former} to {chosen}."
    assert pipeline.published()["active-model-arn"] == chosen
    assert pipeline.published()["previous-model-arn"] == former
    pipeline.at_rest()


def candidate(pipeline: Pipeline, rows: list[Document]) -> str:
    """The model that a turn with these documents trained."""
    before = pipeline.current
    pipeline.upload("train/candidate.csv", rows)
    record = pipeline.recorded(pipeline.next_turn(before))
    pipeline.at_rest()
    assert record.candidate
    return record.candidate.arn


def outputs(pipeline: Pipeline) -> dict[str, str]:
    """Of the stack."""
    stack = pipeline.account.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
