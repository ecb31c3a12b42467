"""Recognizers of a World: flywheels for them, their datasets, models, endpoints and jobs."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

from tests.contract.comprehend_world import BUCKET, ROLE, World
from tests.contract.sample_entities import TYPES, manifest
from tests.contract.waiting import until

OUTPUT_BUCKET = "results"


def recognizer_flywheel(world: World, name: str = "people", *, types: tuple[str, ...] = TYPES, **members: Any) -> str:
    """A flywheel for recognizers that is ACTIVE or FAILED."""
    return world.flywheel(name, ModelType="ENTITY_RECOGNIZER", TaskConfig=task(*types), **members)


def task(*types: str) -> dict[str, Any]:
    return {"LanguageCode": "en", "EntityRecognitionConfig": {"EntityTypes": [{"Type": type_} for type_ in types]}}


def manifests(uri: str, *attributes: str, **members: Any) -> dict[str, Any]:
    """An InputDataConfig."""
    one = {"S3Uri": uri, "AttributeNames": list(attributes or ("entities",)), **members}
    return {"DataFormat": "AUGMENTED_MANIFEST", "AugmentedManifests": [one]}


def create(world: World, flywheel: str, name: str, config: dict[str, Any], *, type_: str = "TRAIN") -> str:
    """Ask for a dataset and return its ARN."""
    answer = world.client.create_dataset(
        FlywheelArn=flywheel,
        DatasetName=name,
        DatasetType=type_,  # type: ignore[arg-type]  # any string
        InputDataConfig=config,  # type: ignore[arg-type]  # a plain dict
    )
    return answer["DatasetArn"]


def ended(world: World, dataset: str) -> dict[str, Any]:
    """The properties of a dataset that has ended."""
    until(lambda: world.dataset_properties(dataset)["Status"] != "CREATING")
    return world.dataset_properties(dataset)


def dataset(
    world: World, flywheel: str, name: str, body: bytes | None = None, *, type_: str = "TRAIN"
) -> dict[str, Any]:
    """A dataset of this manifest that has ended."""
    uri = world.put(f"{name}/documents.manifest", manifest() if body is None else body)
    return ended(world, create(world, flywheel, name, manifests(uri), type_=type_))


def trained(world: World, name: str = "people", **members: Any) -> tuple[str, str]:
    """A flywheel, and the model of its first iteration, which is active."""
    (world.root / OUTPUT_BUCKET).mkdir(exist_ok=True)
    flywheel = recognizer_flywheel(world, name, **members)
    assert dataset(world, flywheel, "train-1")["Status"] == "COMPLETED"
    model = world.iterate(flywheel)["TrainedModelArn"]
    world.promote(flywheel, model)
    return flywheel, model


def described(world: World, model: str) -> dict[str, Any]:
    answer = world.client.describe_entity_recognizer(EntityRecognizerArn=model)
    return dict(answer["EntityRecognizerProperties"])


def job_request(model: str, **changes: Any) -> dict[str, Any]:
    return {
        "EntityRecognizerArn": model,
        "LanguageCode": "en",
        "InputDataConfig": {"S3Uri": f"s3://{BUCKET}/jobdata/", "InputFormat": "ONE_DOC_PER_LINE"},
        "OutputDataConfig": {"S3Uri": f"s3://{OUTPUT_BUCKET}/testfolder/"},
        "DataAccessRoleArn": ROLE,
        **changes,
    }


def job_properties(world: World, id_: str) -> dict[str, Any]:
    answer = world.client.describe_entities_detection_job(JobId=id_)
    return dict(answer["EntitiesDetectionJobProperties"])


def job_ended(world: World, id_: str) -> dict[str, Any]:
    until(lambda: job_properties(world, id_)["JobStatus"] not in ("SUBMITTED", "IN_PROGRESS", "STOP_REQUESTED"))
    return job_properties(world, id_)


def output(world: World, request: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a job to its end: the lines of its output, which must be all that there is."""
    job = job_ended(world, world.client.start_entities_detection_job(**request)["JobId"])
    assert job["JobStatus"] == "COMPLETED", job.get("Message")
    content = (world.root / job["OutputDataConfig"]["S3Uri"].removeprefix("s3://")).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        assert archive.getnames() == ["output"]
        member = archive.extractfile("output")
        assert member is not None
        return [json.loads(line) for line in member.read().decode().splitlines()]
