"""Flywheels, models and endpoints of the local Comprehend in the emulator, made by calls."""

from __future__ import annotations

import itertools
from typing import Any

from local.cloud import CloudAccount
from tests.local_cloud.resources import allow, create_role, until

_numbers = itertools.count(1)
TASK = {"LanguageCode": "en", "DocumentClassificationConfig": {"Mode": "MULTI_CLASS", "Labels": ["A", "B"]}}
WORDS = {"A": "goal match stadium", "B": "shares profit merger"}


def data_access_role(account: CloudAccount, bucket: str, **trust: Any) -> str:
    arn = f"arn:aws:s3:::{bucket}"
    statement = allow("s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:DeleteObject", on=[arn, f"{arn}/*"])
    return create_role(account, statement, **{"trusted": "comprehend.amazonaws.com", **trust})


def flywheel(account: CloudAccount, role: str, bucket: str, **properties: Any) -> dict[str, Any]:
    """The request, and the properties in a template, of a flywheel."""
    return {
        "FlywheelName": f"flywheel-{next(_numbers)}",
        "DataAccessRoleArn": role,
        "DataLakeS3Uri": f"s3://{bucket}/lake/",
        "ModelType": "DOCUMENT_CLASSIFIER",
        "TaskConfig": TASK,
        **properties,
    }


def status_of(account: CloudAccount, arn: str) -> str:
    described = account.client("comprehend").describe_flywheel(FlywheelArn=arn)["FlywheelProperties"]
    return str(described["Status"])


def settled(account: CloudAccount, arn: str) -> str:
    until(lambda: status_of(account, arn) != "CREATING")
    return status_of(account, arn)


def trained(account: CloudAccount, *, role: str, bucket: str) -> tuple[str, str]:
    """A flywheel of the account and the model it trained, the account's only one."""
    s3, comprehend = account.client("s3"), account.client("comprehend")
    arn = comprehend.create_flywheel(**flywheel(account, role, bucket))["FlywheelArn"]
    assert settled(account, arn) == "ACTIVE"
    rows = [f"{label},{word} number {number}" for label, word in WORDS.items() for number in range(50)]
    s3.put_object(Bucket=bucket, Key="train.csv", Body="\n".join(rows).encode())
    source = {"DocumentClassifierInputDataConfig": {"S3Uri": f"s3://{bucket}/train.csv"}}
    comprehend.create_dataset(FlywheelArn=arn, DatasetName="train", InputDataConfig=source)
    until(lambda: comprehend.list_datasets(FlywheelArn=arn, Filter={"Status": "COMPLETED"})["DatasetPropertiesList"])
    comprehend.start_flywheel_iteration(FlywheelArn=arn)
    (model,) = until(
        lambda: comprehend.list_document_classifiers(Filter={"Status": "TRAINED"})["DocumentClassifierPropertiesList"]
    )
    return str(arn), str(model["DocumentClassifierArn"])


def endpoint_status(account: CloudAccount, arn: str) -> str:
    described = account.client("comprehend").describe_endpoint(EndpointArn=arn)["EndpointProperties"]
    return str(described["Status"])


def serving_endpoint(account: CloudAccount, *, bucket: str, role: str, name: str = "live", units: int = 1) -> str:
    """The ARN of an endpoint that is IN_SERVICE and serves the account's only model."""
    _, model = trained(account, role=role, bucket=bucket)
    comprehend = account.client("comprehend")
    arn = str(comprehend.create_endpoint(EndpointName=name, ModelArn=model, DesiredInferenceUnits=units)["EndpointArn"])
    until(lambda: endpoint_status(account, arn) == "IN_SERVICE")
    return arn
