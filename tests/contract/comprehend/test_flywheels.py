from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.comprehend_world import ACCOUNT, DENIED_ROLE, LAKE, REGION, ROLE, World
from tests.contract.error_codes import refused
from tests.contract.keys import KEY_ARN, KEYS, MULTI_REGION_KEY, elsewhere
from tests.contract.sample_documents import LABELS, documents
from tests.contract.stepped_clock import START
from tests.contract.waiting import until

ARN = f"arn:aws:comprehend:{REGION}:{ACCOUNT}:flywheel/news"
TASK: Any = {"LanguageCode": "en", "DocumentClassificationConfig": {"Mode": "MULTI_CLASS", "Labels": list(LABELS)}}


def new_flywheel(**changes: Any) -> dict[str, Any]:
    request = {
        "FlywheelName": "news",
        "DataAccessRoleArn": ROLE,
        "DataLakeS3Uri": f"s3://{LAKE}",
        "ModelType": "DOCUMENT_CLASSIFIER",
        "TaskConfig": TASK,
        **changes,
    }
    return {name: value for name, value in request.items() if value is not None}


def trained_model(world: World, **flywheel: Any) -> str:
    arn = world.flywheel("origin", **flywheel)
    world.dataset(arn, "first")
    model: str = world.iterate(arn)["TrainedModelArn"]
    return model


def test_new_flywheel_becomes_active_after_a_time(make_world: Callable[..., World]) -> None:
    world = make_world(flywheel_creation_seconds=40)
    answer = world.client.create_flywheel(**new_flywheel(DataLakeS3Uri=f"s3://{LAKE}/flywheels/"))
    assert {name: answer.get(name) for name in ("FlywheelArn", "ActiveModelArn")} == {
        "FlywheelArn": ARN,
        "ActiveModelArn": None,
    }
    creating = world.flywheel_properties(ARN)
    assert creating["Status"] == "CREATING"
    assert "Labels" not in creating["TaskConfig"]["DocumentClassificationConfig"]
    world.clock.advance(40)
    until(lambda: world.flywheel_properties(ARN)["Status"] == "ACTIVE")
    described = world.flywheel_properties(ARN)
    assert described["CreationTime"].timestamp() == START
    assert described["LastModifiedTime"].timestamp() == START + 40
    assert {name: described[name] for name in described if not name.endswith("Time")} == {
        "FlywheelArn": ARN,
        "DataAccessRoleArn": ROLE,
        "TaskConfig": TASK,
        "DataLakeS3Uri": f"s3://{LAKE}/flywheels/news/schemaVersion=1/20261118T110640Z/",
        "DataSecurityConfig": {},
        "Status": "ACTIVE",
        "ModelType": "DOCUMENT_CLASSIFIER",
    }


def test_lake_uri_without_slash_is_the_other_reading(make_world: Callable[..., World]) -> None:
    world = make_world(lake_uri_ends_with_slash=False)
    described = world.flywheel_properties(world.flywheel())
    assert described["DataLakeS3Uri"].endswith("Z")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"TaskConfig": None}, "InvalidRequestException"),
        ({"ModelType": None}, "InvalidRequestException"),
        ({"ModelType": None, "TaskConfig": None}, "InvalidRequestException"),
        ({"ModelType": "ENTITY_RECOGNIZER"}, "InvalidRequestException"),
        ({"TaskConfig": {"LanguageCode": "en"}}, "InvalidRequestException"),
        (
            {"TaskConfig": {**TASK, "EntityRecognitionConfig": {"EntityTypes": [{"Type": "X"}]}}},
            "InvalidRequestException",
        ),
        ({"TaskConfig": {**TASK, "LanguageCode": "ja"}}, "UnsupportedLanguageException"),
        ({"DataSecurityConfig": {"DataLakeKmsKeyId": "alias/mine"}}, "KmsKeyValidationException"),
        ({"DataSecurityConfig": {"ModelKmsKeyId": "no-key"}}, "KmsKeyValidationException"),
        ({"DataSecurityConfig": {"VolumeKmsKeyId": f"arn:aws:s3:::{KEYS[0]}"}}, "KmsKeyValidationException"),
        ({"DataSecurityConfig": {"VolumeKmsKeyId": f"{KEY_ARN}/mine"}}, "KmsKeyValidationException"),
        ({"DataSecurityConfig": {"VolumeKmsKeyId": elsewhere(KEY_ARN)}}, "KmsKeyValidationException"),
        ({"DataAccessRoleArn": "arn:aws:iam::444455556666:role/theirs"}, "AccessDeniedException"),
        ({"Tags": [{"Key": f"k{n}", "Value": ""} for n in range(51)]}, "TooManyTagsException"),
        (
            {
                "ModelType": None,
                "TaskConfig": None,
                "ActiveModelArn": ARN.replace("flywheel/news", "document-classifier/x"),
            },
            "ResourceNotFoundException",
        ),
    ],
)
def test_creation_refused(world: World, changes: dict[str, Any], code: str) -> None:
    with refused(code):
        world.client.create_flywheel(**new_flywheel(**changes))
    assert world.client.list_flywheels()["FlywheelSummaryList"] == []


@pytest.mark.parametrize(
    ("mode", "labels"),
    [
        ("MULTI_CLASS", ["ONE"]),
        ("MULTI_CLASS", ["ONE", "ONE"]),
        ("MULTI_LABEL", [f"L{number}" for number in range(101)]),
    ],
)
def test_unusable_label_list_is_refused(world: World, mode: str, labels: list[str]) -> None:
    task = {"LanguageCode": "en", "DocumentClassificationConfig": {"Mode": mode, "Labels": labels}}
    with refused("InvalidRequestException"):
        world.client.create_flywheel(**new_flywheel(TaskConfig=task))


def test_name_in_use(world: World) -> None:
    world.flywheel()
    with refused("ResourceInUseException"):
        world.client.create_flywheel(**new_flywheel())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"DataAccessRoleArn": DENIED_ROLE}, "AccessDenied"),
        ({"DataLakeS3Uri": "s3://no-such-bucket/lake"}, "NoSuchBucket"),
    ],
)
def test_creation_fails_when_the_role_cannot_use_the_lake(world: World, changes: dict[str, Any], reason: str) -> None:
    arn = world.flywheel(**changes)
    described = world.flywheel_properties(arn)
    assert described["Status"] == "FAILED"
    assert reason in described["Message"]
    world.client.delete_flywheel(FlywheelArn=arn)


def test_quotas(make_world: Callable[..., World]) -> None:
    world = make_world(maximum_flywheels=3, maximum_creating_flywheels=2, flywheel_creation_seconds=10)
    for number in range(2):
        world.client.create_flywheel(**new_flywheel(FlywheelName=f"f{number}"))
    with refused("ResourceLimitExceededException") as creating:
        world.client.create_flywheel(**new_flywheel())
    assert "being created" in creating.message
    world.clock.advance(10)
    until(lambda: all(f["Status"] == "ACTIVE" for f in world.client.list_flywheels()["FlywheelSummaryList"]))
    world.client.create_flywheel(**new_flywheel())
    with refused("ResourceLimitExceededException") as active:
        world.client.create_flywheel(**new_flywheel(FlywheelName="fourth"))
    assert "the most it can have" in active.message


def test_update_keeps_what_is_left_out_and_nulls_within_a_given_block(world: World) -> None:
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    security = {"ModelKmsKeyId": KEYS[0], "VolumeKmsKeyId": KEYS[1], "DataLakeKmsKeyId": KEYS[2], "VpcConfig": vpc}
    arn = world.flywheel(DataSecurityConfig=security)
    other_role = f"{ROLE}-2"
    updated = world.client.update_flywheel(FlywheelArn=arn, DataAccessRoleArn=other_role)["FlywheelProperties"]
    assert updated["DataSecurityConfig"] == security
    world.clock.advance(5)
    world.client.update_flywheel(FlywheelArn=arn, DataSecurityConfig={"ModelKmsKeyId": KEYS[1]})
    described = world.flywheel_properties(arn)
    assert described["DataSecurityConfig"] == {"ModelKmsKeyId": KEYS[1], "DataLakeKmsKeyId": KEYS[2]}
    assert described["DataAccessRoleArn"] == other_role
    assert described["LastModifiedTime"].timestamp() == START + 5


def test_update_refused_for_a_model_that_does_not_match(world: World) -> None:
    model = trained_model(world)
    labels = {"LanguageCode": "en", "DocumentClassificationConfig": {"Mode": "MULTI_CLASS", "Labels": ["A", "B"]}}
    others: dict[str, dict[str, Any]] = {
        "mode": {"mode": "MULTI_LABEL"},
        "language": {"TaskConfig": {**TASK, "LanguageCode": "fr"}},
        "labels": {"TaskConfig": labels},
    }
    for name, members in others.items():
        flywheel = world.flywheel(f"other-{name}", **members)
        with refused("InvalidRequestException"):
            world.promote(flywheel, model)
        assert "ActiveModelArn" not in world.flywheel_properties(flywheel)
    flywheel = world.flywheel()
    with refused("ResourceNotFoundException"):
        world.promote(flywheel, f"{model}0")
    with refused("InvalidRequestException"):
        world.promote(flywheel, model.replace("document-classifier", "entity-recognizer"))


@pytest.mark.parametrize("status", ["TRAINING", "DELETING"])
def test_update_refused_for_a_model_that_is_not_trained(make_world: Callable[..., World], status: str) -> None:
    world = make_world(model_deletion_seconds=100)
    flywheel = world.flywheel()
    world.dataset(flywheel, "one")
    model = world.iterate(flywheel)["TrainedModelArn"]
    if status == "DELETING":
        world.client.delete_document_classifier(DocumentClassifierArn=model)
    else:
        world.set(iteration_training_seconds=100)
        world.dataset(flywheel, "two")
        world.client.start_flywheel_iteration(FlywheelArn=flywheel)
        training = {"Status": "TRAINING"}
        (described,) = until(
            lambda: world.client.list_document_classifiers(Filter=training)["DocumentClassifierPropertiesList"]  # type: ignore[arg-type]  # a plain dict
        )
        model = described["DocumentClassifierArn"]
    assert world.model_properties(model)["Status"] == status
    with refused("InvalidRequestException"):
        world.promote(flywheel, model)
    assert "ActiveModelArn" not in world.flywheel_properties(flywheel)


def test_promotion_and_rollback(world: World) -> None:
    arn = world.flywheel()
    world.dataset(arn, "first")
    first = world.iterate(arn)["TrainedModelArn"]
    assert "ActiveModelArn" not in world.flywheel_properties(arn)
    world.promote(arn, first)
    world.dataset(arn, "second")
    second = world.iterate(arn)["TrainedModelArn"]
    for model in (second, first):
        world.promote(arn, model)
        assert world.flywheel_properties(arn)["ActiveModelArn"] == model


def test_update_during_an_iteration(make_world: Callable[..., World]) -> None:
    world = make_world()
    arn = world.flywheel()
    world.dataset(arn, "first")
    model = world.iterate(arn)["TrainedModelArn"]
    world.set(iteration_evaluation_seconds=100)
    world.client.start_flywheel_iteration(FlywheelArn=arn)
    world.promote(arn, model)
    for code in ("InvalidRequestException", "TooManyRequestsException"):
        world.set(update_during_iteration=code)
        with refused(code):
            world.promote(arn, model)


def test_deletion_takes_datasets_and_leaves_models_and_lake(make_world: Callable[..., World]) -> None:
    world = make_world(flywheel_deletion_delay_seconds=1, flywheel_deletion_seconds=5)
    arn = world.flywheel()
    dataset = world.dataset(arn, "first")
    model = world.iterate(arn)["TrainedModelArn"]
    lake = world.flywheel_properties(arn)["DataLakeS3Uri"]
    world.client.delete_flywheel(FlywheelArn=arn)
    assert world.flywheel_properties(arn)["Status"] == "ACTIVE"
    with refused("ResourceUnavailableException"):
        world.client.delete_flywheel(FlywheelArn=arn)
    with refused("InvalidRequestException"):
        world.create_dataset(arn, "late", "s3://documents/late.csv")
    world.clock.advance(1)
    until(lambda: world.flywheel_properties(arn)["Status"] == "DELETING")
    world.clock.advance(5)
    until(lambda: world.client.list_flywheels()["FlywheelSummaryList"] == [])
    with refused("ResourceNotFoundException") as gone:
        world.flywheel_properties(arn)
    assert gone.status == 404
    with refused("ResourceNotFoundException"):
        world.dataset_properties(dataset["DatasetArn"])
    assert world.model_properties(model)["Status"] == "TRAINED"
    assert world.objects(lake)
    assert world.flywheel() == arn


def test_deletion_refused_while_something_runs(make_world: Callable[..., World]) -> None:
    world = make_world(flywheel_creation_seconds=10, dataset_ingestion_seconds=10, iteration_training_seconds=10)
    arn = world.client.create_flywheel(**new_flywheel())["FlywheelArn"]
    with refused("ResourceUnavailableException"):
        world.client.delete_flywheel(FlywheelArn=arn)
    world.clock.advance(10)
    until(lambda: world.flywheel_properties(arn)["Status"] == "ACTIVE")
    dataset = world.create_dataset(arn, "first", world.put("first.csv", documents()))
    with refused("ResourceInUseException"):
        world.client.delete_flywheel(FlywheelArn=arn)
    world.clock.advance(10)
    until(lambda: world.dataset_properties(dataset)["Status"] == "COMPLETED")
    world.client.start_flywheel_iteration(FlywheelArn=arn)
    with refused("ResourceInUseException"):
        world.client.delete_flywheel(FlywheelArn=arn)


def test_flywheel_of_an_existing_model_starts_with_its_data(world: World) -> None:
    origin = world.flywheel("origin")
    world.dataset(origin, "first")
    world.dataset(origin, "judge", documents(5, tag="t"), type_="TEST")
    model = world.iterate(origin)["TrainedModelArn"]
    arn = world.flywheel("heir", ActiveModelArn=model)
    described = world.flywheel_properties(arn)
    assert described["Status"] == "ACTIVE"
    assert described["ActiveModelArn"] == model
    assert described["TaskConfig"] == TASK
    datasets = world.client.list_datasets(FlywheelArn=arn)["DatasetPropertiesList"]
    assert {(d["DatasetType"], d["Description"], d["NumberOfDocuments"]) for d in datasets} == {
        ("TRAIN", "TRAIN Dataset created by Flywheel creation.", 150),
        ("TEST", "TEST Dataset created by Flywheel creation.", 15),
    }
    for dataset in datasets:
        assert world.objects(dataset["DatasetS3Uri"])
    # Those data are what the model was made of: nothing is new to an iteration.
    iteration = world.iterate(arn)
    assert "TrainedModelArn" not in iteration
    assert "EvaluatedModelArn" not in iteration
    with refused("InvalidRequestException"):
        world.client.create_flywheel(**new_flywheel(FlywheelName="both", ActiveModelArn=model))


def test_flywheel_of_an_existing_model_fails_when_its_data_are_gone(world: World) -> None:
    model = trained_model(world)
    lake = world.flywheel_properties(f"{ARN.removesuffix('news')}origin")["DataLakeS3Uri"]
    for name in world.objects(f"{lake}datasets/"):
        (world.root / f"{lake}datasets/{name}".removeprefix("s3://")).unlink()
    described = world.flywheel_properties(world.flywheel("heir", ActiveModelArn=model))
    assert described["Status"] == "FAILED"
    assert "No object begins with" in described["Message"]


def test_accounts_and_regions_do_not_see_each_other(world: World) -> None:
    arn = world.flywheel()
    for account, region in (("444455556666", REGION), (ACCOUNT, "eu-west-1")):
        client = world.client_of(account=account, region=region)
        assert client.list_flywheels()["FlywheelSummaryList"] == []
        with refused("ResourceNotFoundException"):
            client.describe_flywheel(FlywheelArn=arn)
        own = new_flywheel(DataAccessRoleArn=ROLE.replace(ACCOUNT, account))
        assert client.create_flywheel(**own)["FlywheelArn"] != arn


@pytest.mark.parametrize("key", [KEYS[0], KEY_ARN, MULTI_REGION_KEY])
def test_a_key_by_its_id_or_arn(world: World, key: str) -> None:
    arn = world.flywheel(DataSecurityConfig={"ModelKmsKeyId": key})
    assert world.flywheel_properties(arn)["DataSecurityConfig"] == {"ModelKmsKeyId": key}
