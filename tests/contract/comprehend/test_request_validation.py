"""What the SDK leaves to the service: patterns, enums, maxima. And what a client without an SDK can send."""

from __future__ import annotations

from typing import Any

import pytest

from local.comprehend.errors import ComprehendError
from local.comprehend.requests.contract import response_problems, validated
from tests.contract.comprehend_world import ACCOUNT, REGION, World
from tests.contract.error_codes import refused

FLYWHEEL = f"arn:aws:comprehend:{REGION}:{ACCOUNT}:flywheel/news"
CREATE_FLYWHEEL: dict[str, Any] = {
    "FlywheelName": "news",
    "DataAccessRoleArn": "arn:aws:iam::111122223333:role/r",
    "DataLakeS3Uri": "s3://lake-bucket",
}
CREATE_DATASET: dict[str, Any] = {
    "FlywheelArn": FLYWHEEL,
    "DatasetName": "d",
    "InputDataConfig": {"DocumentClassifierInputDataConfig": {"S3Uri": "s3://bucket/a"}},
}


def problems(operation: str, request: dict[str, Any]) -> str:
    with pytest.raises(ComprehendError) as raised:
        validated(operation=operation, request=request)
    assert raised.value.code == "InvalidRequestException"
    assert raised.value.status == 400
    return raised.value.message


@pytest.mark.parametrize(
    "change",
    [
        {"FlywheelName": "under_score"},
        {"FlywheelName": "ends-"},
        {"FlywheelName": "ends\n"},
        {"FlywheelName": "n" * 64},
        {"DataAccessRoleArn": "arn:aws:iam::1111:role/r"},
        {"DataLakeS3Uri": "s3://UPPER/x"},
        {"DataLakeS3Uri": "https://bucket.s3.amazonaws.com"},
        {"DataLakeS3Uri": f"s3://bucket/{'k' * 512}"},
        {"ModelType": "TOPIC_MODEL"},
        {"ClientRequestToken": "white space"},
        {"TaskConfig": {"LanguageCode": "xx"}},
        {"TaskConfig": {"LanguageCode": "en", "DocumentClassificationConfig": {"Labels": ["A"]}}},
        {
            "TaskConfig": {
                "LanguageCode": "en",
                "DocumentClassificationConfig": {"Mode": "MULTI_CLASS", "Labels": ["a\tb"]},
            }
        },
        {
            "TaskConfig": {
                "LanguageCode": "en",
                "DocumentClassificationConfig": {"Mode": "MULTI_CLASS", "Labels": ["x"] * 1001},
            }
        },
        {"DataSecurityConfig": {"ModelKmsKeyId": "schlüssel"}},
        {"DataSecurityConfig": {"VpcConfig": {"SecurityGroupIds": ["sg-1"]}}},
        {"DataSecurityConfig": {"VpcConfig": {"SecurityGroupIds": ["sg"] * 6, "Subnets": ["s"]}}},
        {"DataSecurityConfig": {"VpcConfig": {"SecurityGroupIds": [], "Subnets": ["s"]}}},
        {"Tags": [{"Key": ""}]},
        {"Tags": [{"Key": "k", "Value": "v" * 257}]},
        {"Tags": {"k": "v"}},
        {"FlywheelName": 7},
        {"TaskConfig": "en"},
    ],
)
def test_create_flywheel_against_the_model(change: dict[str, Any]) -> None:
    assert "1 validation error detected" in problems("CreateFlywheel", {**CREATE_FLYWHEEL, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"FlywheelArn": "news"},
        {"FlywheelArn": f"{FLYWHEEL}/dataset/d"},
        {"FlywheelArn": FLYWHEEL.replace(ACCOUNT, "1")},
        {"DatasetType": "VALIDATE"},
        {"Description": "weeks 46, 47"},
        {"Description": "(first)"},
        {"Description": ""},
        {"InputDataConfig": {"DocumentClassifierInputDataConfig": {"S3Uri": "s3://bucket/a", "LabelDelimiter": "||"}}},
        {"InputDataConfig": {"DocumentClassifierInputDataConfig": {"S3Uri": "s3://bucket/a", "LabelDelimiter": ","}}},
        {"InputDataConfig": {"DataFormat": "JSON"}},
    ],
)
def test_create_dataset_against_the_model(change: dict[str, Any]) -> None:
    problems("CreateDataset", {**CREATE_DATASET, **change})


@pytest.mark.parametrize("delimiter", list(" ~!@#$%^*-_+=|\\:;\t>?/"))
def test_every_delimiter_of_the_model_is_accepted(delimiter: str) -> None:
    source = {"S3Uri": "s3://bucket/a", "LabelDelimiter": delimiter}
    request = {**CREATE_DATASET, "InputDataConfig": {"DocumentClassifierInputDataConfig": source}}
    assert validated(operation="CreateDataset", request=request) == request


def test_description_may_have_white_space_and_no_other_script() -> None:
    request = {**CREATE_DATASET, "Description": "Reviewed documents\nof week 47: 12% new \\o/"}
    assert validated(operation="CreateDataset", request=request) == request
    problems("CreateDataset", {**CREATE_DATASET, "Description": "no\u00a0break"})


@pytest.mark.parametrize("value", [0, 501, 2.5, "10", True])
def test_max_results(value: object) -> None:
    problems("ListFlywheels", {"MaxResults": value})


def test_every_problem_is_named() -> None:
    message = problems("CreateFlywheel", {"FlywheelName": "a_b", "ModelType": "X"})
    assert message.startswith("4 validation errors detected: ")
    assert "Value at 'dataAccessRoleArn' failed to satisfy constraint: Member must not be null" in message
    assert (
        "Value 'a_b' at 'flywheelName' failed to satisfy constraint: Member must satisfy regular expression" in message
    )
    assert "Value 'X' at 'modelType' failed to satisfy constraint: Member must satisfy enum value set" in message


def test_null_means_absent_and_unknown_members_are_ignored() -> None:
    assert validated(operation="ListFlywheels", request={"NextToken": None}) == {}
    assert validated(operation="ListFlywheels", request={"MaxResult": 5, "Filter": {"Age": [1]}}) == {"Filter": {}}
    known = {"Tags": [{"Key": "k"}]}
    request = {**CREATE_DATASET, "Tags": [{"Key": "k", "Colour": "red"}], "New": {"a": 1}}
    assert validated(operation="CreateDataset", request=request) == {**CREATE_DATASET, **known}


@pytest.mark.parametrize(
    "properties",
    [
        {"FlywheelName": "news"},
        {"Status": "READY"},
        {"Message": None},
        {"CreationTime": "today"},
        {"FlywheelArn": "news"},
    ],
)
def test_response_outside_the_model_is_noticed(properties: dict[str, Any]) -> None:
    assert response_problems(operation="DescribeFlywheel", response={"FlywheelProperties": properties})


def test_refusal_reaches_the_caller(world: World) -> None:
    with refused("InvalidRequestException") as refusal:
        world.client.describe_flywheel(FlywheelArn="news")
    assert refusal.status == 400
    assert "regular expression pattern" in refusal.message
