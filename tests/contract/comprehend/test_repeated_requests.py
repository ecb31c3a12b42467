"""ClientRequestToken: the same request twice makes one resource."""

from __future__ import annotations

from typing import Any

from tests.contract.comprehend_world import LAKE, ROLE, World
from tests.contract.error_codes import refused
from tests.contract.sample_documents import LABELS, documents
from tests.contract.waiting import until


def new_flywheel(token: str, **changes: Any) -> dict[str, Any]:
    return {
        "FlywheelName": "news",
        "DataAccessRoleArn": ROLE,
        "DataLakeS3Uri": f"s3://{LAKE}",
        "ModelType": "DOCUMENT_CLASSIFIER",
        "TaskConfig": {
            "LanguageCode": "en",
            "DocumentClassificationConfig": {"Mode": "MULTI_CLASS", "Labels": list(LABELS)},
        },
        "ClientRequestToken": token,
        **changes,
    }


def test_flywheel(world: World) -> None:
    first = world.client.create_flywheel(**new_flywheel("t-1"))
    assert world.client.create_flywheel(**new_flywheel("t-1"))["FlywheelArn"] == first["FlywheelArn"]
    with refused("ResourceInUseException"):
        world.client.create_flywheel(**new_flywheel("t-2"))
    with refused("InvalidRequestException"):
        world.client.create_flywheel(**new_flywheel("t-1", DataLakeS3Uri="s3://another-lake"))
    assert len(world.client.list_flywheels()["FlywheelSummaryList"]) == 1


def test_token_of_a_deleted_flywheel_makes_a_new_one(world: World) -> None:
    world.client.create_flywheel(**new_flywheel("t-1"))
    arn = new_arn = world.client.list_flywheels()["FlywheelSummaryList"][0]["FlywheelArn"]
    until(lambda: world.flywheel_properties(arn)["Status"] == "ACTIVE")
    created = world.flywheel_properties(arn)["CreationTime"]
    world.client.delete_flywheel(FlywheelArn=arn)
    until(lambda: world.client.list_flywheels()["FlywheelSummaryList"] == [])
    world.clock.advance(1)
    assert world.client.create_flywheel(**new_flywheel("t-1"))["FlywheelArn"] == new_arn
    assert world.flywheel_properties(arn)["CreationTime"] > created


def test_dataset(world: World) -> None:
    flywheel, other = world.flywheel(), world.flywheel("other")
    uri = world.put("a.csv", documents())
    arn = world.create_dataset(flywheel, "a", uri, ClientRequestToken="t-1")
    assert world.create_dataset(flywheel, "a", uri, ClientRequestToken="t-1") == arn
    with refused("ResourceInUseException"):
        world.create_dataset(flywheel, "a", uri, ClientRequestToken="t-2")
    with refused("InvalidRequestException"):
        world.create_dataset(flywheel, "b", uri, ClientRequestToken="t-1")
    # A token is of one flywheel.
    assert world.create_dataset(other, "a", uri, ClientRequestToken="t-1") != arn
    assert len(world.client.list_datasets()["DatasetPropertiesList"]) == 2


def test_iteration(world: World) -> None:
    flywheel = world.flywheel()
    world.dataset(flywheel, "a")
    world.set(iteration_training_seconds=10)
    first = world.client.start_flywheel_iteration(FlywheelArn=flywheel, ClientRequestToken="turn-1")
    id_ = first["FlywheelIterationId"]
    again = world.client.start_flywheel_iteration(FlywheelArn=flywheel, ClientRequestToken="turn-1")
    assert again["FlywheelIterationId"] == id_
    # boto3 fills in no token here: without one, a repeated request is a second request.
    with refused("ResourceInUseException"):
        world.client.start_flywheel_iteration(FlywheelArn=flywheel)
    until(lambda: world.iteration_properties(flywheel, id_)["Status"] == "TRAINING")
    world.clock.advance(10)
    until(lambda: world.iteration_properties(flywheel, id_)["Status"] == "COMPLETED")
    late = world.client.start_flywheel_iteration(FlywheelArn=flywheel, ClientRequestToken="turn-1")
    assert late["FlywheelIterationId"] == id_


def test_answer_that_was_lost_is_given_again(world: World) -> None:
    """The SDK repeats a request that ended in a server error, with the token it made up for the first."""
    world.administration("POST", "faults", {"operation": "CreateDataset", "kind": "lose_response", "times": 1})
    flywheel = world.flywheel()
    retrying = world.client_of(attempts=2)
    source: Any = {"DocumentClassifierInputDataConfig": {"S3Uri": world.put("a.csv", documents())}}
    answer = retrying.create_dataset(FlywheelArn=flywheel, DatasetName="a", InputDataConfig=source)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert len(world.client.list_datasets()["DatasetPropertiesList"]) == 1
