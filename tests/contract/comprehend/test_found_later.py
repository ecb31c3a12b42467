"""The switch under which nothing is found right after it was created."""

from __future__ import annotations

from collections.abc import Callable

from tests.contract.classification_jobs import request, start
from tests.contract.comprehend_world import World
from tests.contract.endpoints import create, trained
from tests.contract.error_codes import refused
from tests.contract.waiting import until


def test_what_was_created_is_found_after_its_time(make_world: Callable[..., World]) -> None:
    world = make_world()
    flywheel, model = trained(world)
    client = world.client
    world.set(created_things_found_after_seconds=30)
    world.clock.advance(30)
    new = client.create_flywheel(
        FlywheelName="new", **{name: world.flywheel_properties(flywheel)[name] for name in _COPIED}
    )["FlywheelArn"]
    dataset = world.create_dataset(flywheel, "late", world.put("late/documents.csv", b"SPORTS,a\n" * 100))
    endpoint = create(world, ModelArn=model)
    job = start(world, request(model))
    until(lambda: not _ingesting(world, flywheel))
    iteration = client.start_flywheel_iteration(FlywheelArn=flywheel)["FlywheelIterationId"]

    with refused("ResourceNotFoundException"):
        client.describe_flywheel(FlywheelArn=new)
    with refused("ResourceNotFoundException"):
        client.describe_dataset(DatasetArn=dataset)
    with refused("ResourceNotFoundException"):
        client.describe_flywheel_iteration(FlywheelArn=flywheel, FlywheelIterationId=iteration)
    with refused("ResourceNotFoundException"):
        client.describe_endpoint(EndpointArn=endpoint)
    with refused("JobNotFoundException"):
        client.describe_document_classification_job(JobId=job)
    assert _listed(world, flywheel) == (1, 1, 1, 0, 0, 1)

    world.clock.advance(30)
    assert client.describe_flywheel(FlywheelArn=new)["FlywheelProperties"]["FlywheelArn"] == new
    assert client.describe_dataset(DatasetArn=dataset)["DatasetProperties"]["DatasetArn"] == dataset
    client.describe_flywheel_iteration(FlywheelArn=flywheel, FlywheelIterationId=iteration)
    client.describe_endpoint(EndpointArn=endpoint)
    client.describe_document_classification_job(JobId=job)
    assert _listed(world, flywheel)[:5] == (2, 2, 2, 1, 1)


def test_a_new_model_is_found_after_its_time(make_world: Callable[..., World]) -> None:
    world = make_world()
    flywheel = world.flywheel()
    world.dataset(flywheel, "train")
    world.clock.advance(30)
    world.set(created_things_found_after_seconds=1)
    iteration = world.client.start_flywheel_iteration(FlywheelArn=flywheel)["FlywheelIterationId"]
    until(lambda: "TrainedModelArn" in _iteration(world, flywheel, iteration))
    model = _iteration(world, flywheel, iteration)["TrainedModelArn"]
    with refused("ResourceNotFoundException"):
        world.client.describe_document_classifier(DocumentClassifierArn=str(model))
    assert world.client.list_document_classifiers()["DocumentClassifierPropertiesList"] == []
    assert world.client.list_document_classifier_summaries()["DocumentClassifierSummariesList"] == []
    world.clock.advance(1)
    assert world.model_properties(str(model))["Status"] == "TRAINED"


_COPIED = ("DataAccessRoleArn", "DataLakeS3Uri", "ModelType", "TaskConfig")


def _ingesting(world: World, flywheel: str) -> bool:
    with world.service._runtime.lock:
        scope = next(iter(world.service._runtime._regions))
        return world.service._runtime.region(scope).flywheels[flywheel].ingesting


def _iteration(world: World, flywheel: str, iteration: str) -> dict[str, object]:
    with world.service._runtime.lock:
        scope = next(iter(world.service._runtime._regions))
        found = world.service._runtime.region(scope).flywheels[flywheel].iterations[iteration]
        return {"TrainedModelArn": found.trained_model_arn} if found.trained_model_arn else {}


def _listed(world: World, flywheel: str) -> tuple[int, ...]:
    """How many flywheels, datasets, iterations, endpoints, jobs and models are listed."""
    client = world.client
    return (
        len(client.list_flywheels()["FlywheelSummaryList"]),
        len(client.list_datasets(FlywheelArn=flywheel)["DatasetPropertiesList"]),
        len(client.list_flywheel_iteration_history(FlywheelArn=flywheel)["FlywheelIterationPropertiesList"]),
        len(client.list_endpoints()["EndpointPropertiesList"]),
        len(client.list_document_classification_jobs()["DocumentClassificationJobPropertiesList"]),
        len(client.list_document_classifiers()["DocumentClassifierPropertiesList"]),
    )
