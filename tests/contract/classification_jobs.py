"""Document classification jobs of a World: asking for them, waiting for their end, reading their output."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

from tests.contract.comprehend_world import ACCOUNT, BUCKET, REGION, ROLE, World
from tests.contract.sample_documents import documents, multi_label_documents
from tests.contract.waiting import until

OUTPUT_BUCKET = "results"
OUTPUT = f"s3://{OUTPUT_BUCKET}/testfolder/"
PREFIX = f"arn:aws:comprehend:{REGION}:{ACCOUNT}"


def trained(world: World, *, mode: str = "MULTI_CLASS") -> tuple[str, str]:
    """A flywheel, and the model of its first iteration, which is active."""
    (world.root / OUTPUT_BUCKET).mkdir(exist_ok=True)
    flywheel = world.flywheel(mode=mode)
    world.dataset(flywheel, "train-1", multi_label_documents(30) if mode == "MULTI_LABEL" else documents())
    model = world.iterate(flywheel)["TrainedModelArn"]
    world.promote(flywheel, model)
    return flywheel, model


def request(model: str, **changes: Any) -> dict[str, Any]:
    return {
        "DocumentClassifierArn": model,
        "InputDataConfig": {"S3Uri": f"s3://{BUCKET}/jobdata/", "InputFormat": "ONE_DOC_PER_LINE"},
        "OutputDataConfig": {"S3Uri": OUTPUT},
        "DataAccessRoleArn": ROLE,
        **changes,
    }


def of_flywheel(flywheel: str, **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in request("", FlywheelArn=flywheel, **changes).items() if value}


def per_file(uri: str) -> dict[str, Any]:
    return {"S3Uri": uri, "InputFormat": "ONE_DOC_PER_FILE"}


def start(world: World, job: dict[str, Any]) -> str:
    return str(world.client.start_document_classification_job(**job)["JobId"])


def described(world: World, id_: str) -> dict[str, Any]:
    answer = world.client.describe_document_classification_job(JobId=id_)
    return dict(answer["DocumentClassificationJobProperties"])


def ended(world: World, id_: str) -> dict[str, Any]:
    until(lambda: described(world, id_)["JobStatus"] not in ("SUBMITTED", "IN_PROGRESS"))
    return described(world, id_)


def has_status(world: World, id_: str, status: str) -> bool:
    return bool(described(world, id_)["JobStatus"] == status)


def predictions(world: World, job: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of the archive that the description names, which must hold nothing else."""
    assert job["JobStatus"] == "COMPLETED", job.get("Message")
    uri = job["OutputDataConfig"]["S3Uri"]
    content = (world.root / uri.removeprefix("s3://")).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        assert archive.getnames() == ["predictions.jsonl"]
        member = archive.extractfile("predictions.jsonl")
        assert member is not None
        return [json.loads(line) for line in member.read().decode().splitlines()]


def predicted(world: World, job: dict[str, Any]) -> list[dict[str, Any]]:
    """Run the job to its end: the lines of its output."""
    return predictions(world, ended(world, start(world, job)))
