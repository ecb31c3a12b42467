"""What people do to a deployed flywheel: drop files with that right only, ask AWS about it, change it by hand."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from flywheel.records.decisions import DecisionKind
from flywheel.records.turns import TurnOutcome
from flywheel.records.uploads import Split, UploadOutcome
from local.cloud import LocalCloud
from ops.verbs.exclude import Excluded, exclude, excluded, undo
from ops.verbs.models import list_models
from ops.verbs.pause import pause, resume
from ops.verbs.rejected import find_rejected, list_rejected
from ops.verbs.status import status
from ops.verbs.turns import list_turns
from ops.verbs.upload import upload
from tests.local_cloud.pipeline import (
    CONTEXT,
    NAME,
    Document,
    Pipeline,
    as_csv,
    documents,
    paused,
    shared_pipeline,
)
from tests.local_cloud.resources import Aws, Synthesise


@pytest.fixture(scope="module")
def pipeline(cloud: LocalCloud, synthesise: Synthesise) -> Pipeline:
    return shared_pipeline(cloud, synthesise(context=CONTEXT))


def test_uploaders_drop_files_and_a_reviewer_reads_why_one_was_rejected(pipeline: Pipeline, tmp_path: Path) -> None:
    before = pipeline.current
    bucket = pipeline.deployment.intake.name
    rows = documents()
    pipeline.expect(Split.TRAIN, rows)
    (tmp_path / "from an uploader.csv").write_bytes(as_csv(rows))
    trainer = pipeline.as_person("TrainingUploaders")
    with paused(pipeline):
        upload(trainer, [tmp_path / "from an uploader.csv"])
        pipeline.person("TestUploaders").client("s3").put_object(
            Bucket=bucket, Key="test/wrong.csv", Body=as_csv([("CLAM", "harbour"), ("STROM", "gale")])
        )
    record = pipeline.recorded(pipeline.next_turn(before))
    outcomes = {result.upload.key: result.outcome for result in record.uploads}
    assert outcomes == {
        "train/from an uploader.csv": UploadOutcome.ACCEPTED,
        "test/wrong.csv": UploadOutcome.REJECTED,
    }
    reviewer = pipeline.as_person("RejectedReviewers")
    (result,) = [found for found in list_rejected(reviewer) if found.upload.key == "test/wrong.csv"]
    assert "CALM" in find_rejected(reviewer, result.upload.id).report, "no 'did you mean'"
    pipeline.at_rest()


def test_an_operator_sees_and_steers_the_flywheel(pipeline: Pipeline, tmp_path: Path) -> None:
    deployment = pipeline.as_person("Operators")
    few = documents(10)
    with paused(pipeline):
        pipeline.upload("train/too-few.csv", few)
        pipeline.drop("train/some-again.csv", as_csv(few[:5]))
    pipeline.turn_now()
    found = status(deployment)
    assert found.flywheel_status == "ACTIVE"
    (train,) = [prepared for prepared in found.prepared if prepared.split is Split.TRAIN]
    assert (train.documents, train.copies, train.ready) == (len(few), 5, 0)
    # What is excluded waits, and compose_datasets looks at it by its own role's rights.
    bad = tmp_path / "bad.csv"
    bad.write_bytes(as_csv(few[5:7]))
    assert exclude(deployment, ["some-again.csv"], [bad], reason="a test").waiting == 7
    assert pipeline.turn_now().excluded == {"train": 7}
    found = status(deployment)
    assert [each.exclusion.reason for each in found.excluded.uploads] == ["a test"]
    assert found.excluded.total_documents == 2
    undo(deployment, ["some-again.csv"], [bad])
    assert excluded(deployment) == Excluded()
    # The copies go when a dataset takes the others.
    pipeline.upload("train/enough.csv", documents(50))
    pipeline.at_rest()
    assert list_turns(deployment)
    assert {model.arn for model in list_models(deployment)} >= {pipeline.active_model()}
    pause(deployment, reason="a test")
    resume(deployment)
    pipeline.at_rest()


def test_an_approver_sees_what_was_decided(pipeline: Pipeline) -> None:
    pipeline.turn_now()
    assert list_turns(pipeline.as_person("Approvers"))
    pipeline.at_rest()


PARTS = ("what", "status", "running", "turns", "models", "promotions", "endpoint", "cost", "uploads", "share", "queue")
"""Of the console."""
_NOT_THEIRS: dict[str, list[tuple[str, str]]] = {
    "TrainingUploaders": [
        *(("put_object", f"{prefix}x.csv") for prefix in ("", "test/", "prepared/train/", "datasets/train/", "turns/")),
        ("get_object", "train/x.csv"),
        ("delete_object", "train/x.csv"),
        ("get_object", "rejected/x/report.txt"),
    ],
    "TestUploaders": [
        ("put_object", "train/x.csv"),
        ("get_object", "test/x.csv"),
        ("delete_object", "test/x.csv"),
        ("get_object", "rejected/x/report.txt"),
    ],
    "RejectedReviewers": [
        ("put_object", "rejected/x/report.txt"),
        ("delete_object", "rejected/x/report.txt"),
        ("put_object", "train/x.csv"),
        ("get_object", "train/x.csv"),
    ],
    "Operators": [
        *(("put_object", f"{prefix}x") for prefix in ("train/", "test/", "turns/", "decisions/", "promotions/ends/")),
        ("delete_object", "datasets/train/x/dataset.json"),
        ("delete_object", "turns/current"),
        ("get_object", "train/x.csv"),
        ("get_object", "datasets/train/x/documents/x.csv"),
        ("get_object", "prepared/train/x/documents.csv"),
        ("get_object", "review/items/x.json"),
        ("get_object", "review/waiting/0-adjudicate/x"),
        ("get_object", "predictions/2026-03-02/x.json"),
    ],
    "Reviewers": [
        *(("put_object", f"{prefix}x") for prefix in ("train/", "train/review/", "test/", "turns/", "review/batches/")),
        ("put_object", "review/guidelines.md"),
        ("get_object", "train/x.csv"),
        ("get_object", "datasets/train/x/documents/x.csv"),
        ("get_object", "predictions/2026-03-02/x.json"),
        ("delete_object", "review/items/x.json"),
    ],
    "Approvers": [
        *(("put_object", f"{prefix}x") for prefix in ("train/", "test/", "promotions/requests/", "promotions/ends/")),
        ("get_object", "datasets/train/x/documents/x.csv"),
    ],
}


@pytest.mark.parametrize(
    ("policy", "operation", "key"), [(policy, *refused) for policy, all_ in _NOT_THEIRS.items() for refused in all_]
)
def test_no_policy_opens_what_is_not_theirs(pipeline: Pipeline, policy: str, operation: str, key: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(pipeline.person(policy).client("s3"), operation)(Bucket=pipeline.deployment.intake.name, Key=key)


@pytest.mark.parametrize("policy", _NOT_THEIRS)
def test_none_makes_a_model_active_past_the_door(pipeline: Pipeline, policy: str) -> None:
    session = pipeline.person(policy)
    with pytest.raises(ClientError, match="AccessDenied"):
        session.client("ssm").put_parameter(
            Name=f"/comprehend-flywheel/{NAME}/desired-model-arn", Value="x", Type="String", Overwrite=True
        )
    with pytest.raises(ClientError, match="AccessDenied"):
        session.client("comprehend").update_flywheel(
            FlywheelArn=pipeline.deployment.flywheel_arn, ActiveModelArn=str(pipeline.active_model())
        )
    with pytest.raises(ClientError, match="AccessDenied"):
        session.client("stepfunctions").start_execution(
            stateMachineArn=pipeline.deployment.published.promotion_machine_arn, input="{}"
        )


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


class _Console:
    """`flywheel console` as a program of somebody with that policy."""

    def __init__(self, pipeline: Pipeline, policy: str) -> None:
        credentials = pipeline.person(policy).get_credentials()
        assert credentials is not None
        frozen = credentials.get_frozen_credentials()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ops", "--name", NAME, "console", "--no-open"],
            env={
                **os.environ,
                **pipeline.account.environment(),
                "AWS_ACCESS_KEY_ID": str(frozen.access_key),
                "AWS_SECRET_ACCESS_KEY": str(frozen.secret_key),
                "AWS_SESSION_TOKEN": str(frozen.token),
                "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self._address = urlsplit(self._process.stdout.readline().strip())

    def __enter__(self) -> _Console:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=30)

    def ask(self, path: str, *, method: str = "GET", body: object = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(str(self._address.hostname), self._address.port or 0, timeout=60)
        headers = {"X-Flywheel-Token": self._address.fragment.removeprefix("token=")}
        if method != "GET":
            headers["Origin"] = f"http://{self._address.netloc}"
        connection.request(method, f"/api/{path}", json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        found = json.loads(answer.read())
        connection.close()
        return answer.status, found

    def parts(self) -> dict[str, tuple[int, Any]]:
        return {path: self.ask(f"console/flywheels/{NAME}/{path}") for path in PARTS}


def test_the_console_shows_an_operator_all_but_what_no_policy_of_the_flywheels_gives(pipeline: Pipeline) -> None:
    pipeline.upload("train/for-the-console.csv", documents())
    pipeline.at_rest()
    with _Console(pipeline, "Operators") as console:
        found = console.parts()
        assert {path: said for path, (status, said) in found.items() if status != 200}.keys() == {"cost"}
        assert found["cost"][1]["code"] == "NOT_ALLOWED"
        assert found["status"][1]["flywheel_status"] == "ACTIVE"
        model = found["models"][1]["models"][0]["name"]
        status, card = console.ask(f"console/flywheels/{NAME}/models/{model}")
        assert (status, card["card"]["model"]["name"]) == (200, model)
        turn = found["turns"][1]["turns"][0]["turn"]
        assert console.ask(f"console/flywheels/{NAME}/turns/{turn}")[0] == 200
        # Asked twice: the first changes nothing, the second does it by this person's rights.
        for action in ("pause", "resume"):
            status, asked = console.ask(
                f"console/flywheels/{NAME}/actions", method="POST", body={"action": action, "reason": ""}
            )
            assert status == 200, asked
            status, said = console.ask(f"console/confirmations/{asked['confirm']}", method="POST", body={})
            assert status == 200, said
    pipeline.at_rest()


def test_the_console_tells_a_reviewer_which_policy_the_other_parts_take(pipeline: Pipeline) -> None:
    with _Console(pipeline, "Reviewers") as console:
        assert console.ask("review/session")[1]["flywheel"] == NAME
        assert console.ask("review/claims", method="POST", body={"count": 1})[0] == 200
        found = console.parts()
        assert found["queue"][0] == 200
        status, said = found["status"]
        assert (status, said["code"]) == (403, "NOT_ALLOWED")
        assert "OperatorsPolicyArn" in said["message"]
        status, said = console.ask(
            f"console/flywheels/{NAME}/actions", method="POST", body={"action": "pause", "reason": ""}
        )
        if status == 200:
            status, said = console.ask(f"console/confirmations/{said['confirm']}", method="POST", body={})
        assert (status, said["code"]) == (403, "NOT_ALLOWED")
