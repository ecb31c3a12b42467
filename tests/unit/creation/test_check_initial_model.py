"""An entity recognizer as the initial model: what is told of one that does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from flywheel.comprehend.model_kind import ModelType
from flywheel.creation.change_flywheel import Awaited, create_or_change
from flywheel.creation.check_initial_model import check_initial_model
from flywheel.creation.wanted_flywheel import WantedFlywheel
from flywheel.faults.errors import FlywheelRefused, ServiceBusy, ServiceFault

PLACE = "arn:aws:comprehend:eu-west-1:111122223333"
MODEL = f"{PLACE}:entity-recognizer/people/version/1"
WANTED = WantedFlywheel(
    flywheel_arn=f"{PLACE}:flywheel/people-0000000a",
    initial_model_arn=MODEL,
    initial_model_data=("s3://letters/2026/",),
    model_type=ModelType.ENTITY_RECOGNIZER,
    language_code="en",
    labels=("PERSON", "PLACE"),
    data_access_role_arn="arn:aws:iam::111122223333:role/data-access",
    data_lake_s3_uri="s3://lake/flywheels/",
)
MANIFEST = {"S3Uri": "s3://elsewhere/m", "AttributeNames": ["entities"]}
PROPERTIES: dict[str, Any] = {
    "EntityRecognizerArn": MODEL,
    "Status": "TRAINED_WITH_WARNING",
    "LanguageCode": "en",
    "SubmitTime": datetime(2026, 11, 1, tzinfo=UTC),
    "InputDataConfig": {
        "EntityTypes": [{"Type": "PERSON"}, {"Type": "PLACE"}],
        "Documents": {"S3Uri": "s3://letters/2026/letters.txt"},
        "Annotations": {"S3Uri": "s3://letters/2026/annotations.csv"},
    },
    "RecognizerMetadata": {"EntityTypes": [{"Type": "PLACE"}, {"Type": "PERSON"}]},
}


@pytest.fixture
def comprehend() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client("comprehend", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(client) as stub:
        yield client, stub


def described(stub: Stubber, **changes: Any) -> None:
    answer = {"EntityRecognizerProperties": {**PROPERTIES, **changes}}
    stub.add_response("describe_entity_recognizer", answer, {"EntityRecognizerArn": MODEL})


def test_one_that_fits_is_taken(comprehend: tuple[Any, Stubber]) -> None:
    client, stub = comprehend
    described(stub)
    check_initial_model(WANTED, comprehend=client)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"Status": "IN_ERROR"}, "it is IN_ERROR, and only a trained model can be active"),
        ({"LanguageCode": "de"}, "its language is de, and the setting language is en"),
        (
            {"RecognizerMetadata": {"EntityTypes": [{"Type": "PLACE"}, {"Type": "DATE"}]}},
            "it recognizes DATE, PLACE, and the setting entity_types names PERSON, PLACE",
        ),
        (
            {"InputDataConfig": {"EntityTypes": [{"Type": "PLACE"}], "AugmentedManifests": [MANIFEST]}},
            "its data are at s3://elsewhere/m, which begins with nothing in initial_model_data",
        ),
    ],
)
def test_one_that_does_not_is_refused(comprehend: tuple[Any, Stubber], changes: Any, sentence: str) -> None:
    client, stub = comprehend
    described(stub, **changes)
    with pytest.raises(FlywheelRefused) as refused:
        check_initial_model(WANTED, comprehend=client)
    assert str(refused.value) == f"initial_model_arn {MODEL} does not fit: {sentence}. No flywheel was created."


def test_types_that_comprehend_does_not_tell_are_told_by_the_flywheel() -> None:
    config = {"LanguageCode": "en", "EntityRecognitionConfig": {"EntityTypes": [{"Type": "PLACE"}]}}
    assert list(WANTED.task_differences({"TaskConfig": config})) == [
        "its labels are PLACE, and the settings name PERSON, PLACE"
    ]
    config["EntityRecognitionConfig"] = {"EntityTypes": [{"Type": "PLACE"}, {"Type": "PERSON"}]}
    assert list(WANTED.task_differences({"TaskConfig": config})) == []


def test_the_flywheel_is_created_with_neither_type_nor_task(comprehend: tuple[Any, Stubber]) -> None:
    client, stub = comprehend
    stub.add_client_error("describe_flywheel", "ResourceNotFoundException")
    described(stub)
    expected = {
        "FlywheelName": "people-0000000a",
        "ActiveModelArn": MODEL,
        "DataAccessRoleArn": WANTED.data_access_role_arn,
        "DataLakeS3Uri": "s3://lake/flywheels/",
        "ClientRequestToken": "request-1",
        "Tags": [],
    }
    stub.add_response("create_flywheel", {"FlywheelArn": WANTED.flywheel_arn}, expected)
    found = create_or_change(WANTED, token="request-1", old_tags=(), comprehend=client)
    assert found is Awaited.ACTIVE
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        # The role of the function is as new as the flywheel.
        ("AccessDeniedException", ServiceFault),
        ("ResourceLimitExceededException", ServiceBusy),
        ("ResourceInUseException", ServiceBusy),
        ("KmsKeyValidationException", FlywheelRefused),
        ("InvalidRequestException", FlywheelRefused),
        ("ResourceUnavailableException", FlywheelRefused),
    ],
)
def test_a_refusal_of_comprehend_has_the_name_by_which_the_machine_tries_again(
    comprehend: tuple[Any, Stubber], code: str, error: type[Exception]
) -> None:
    client, stub = comprehend
    stub.add_client_error("describe_flywheel", "ResourceNotFoundException")
    described(stub)
    stub.add_client_error("create_flywheel", code, "because")
    with pytest.raises(error, match="because"):
        create_or_change(WANTED, token="request-1", old_tags=(), comprehend=client)
