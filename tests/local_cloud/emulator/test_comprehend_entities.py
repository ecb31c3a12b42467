"""Entity recognizers in the emulator: created by CloudFormation, guarded by IAM, scaled."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import CloudAccount
from tests.local_cloud.resources import allow, create_bucket, create_role, create_stack, until
from tests.local_cloud.trained_models import data_access_role, endpoint_status, flywheel, status_of

TASK = {"LanguageCode": "en", "EntityRecognitionConfig": {"EntityTypes": [{"Type": "PERSON"}]}}
DIMENSION = "comprehend:entity-recognizer-endpoint:DesiredInferenceUnits"


def made_by_a_stack(account: CloudAccount, *, role: str, bucket: str) -> str:
    """A recognizer flywheel without a model."""
    properties = flywheel(account, role, bucket, ModelType="ENTITY_RECOGNIZER", TaskConfig=TASK)
    resource = {"Type": "AWS::Comprehend::Flywheel", "Properties": properties}
    return str(create_stack(account, {"Flywheel": resource}, Arn={"Ref": "Flywheel"})["Arn"])


def trained(account: CloudAccount, arn: str, *, bucket: str) -> str:
    """The model of the flywheel's first iteration."""
    comprehend = account.client("comprehend")
    names = ["Ada Brook", "Ben Castle", "Cleo Dunn"]
    lines = [
        json.dumps(
            {
                "source": f"{names[number % 3]} came on day {number}.",
                "people": {
                    "annotations": {
                        "entities": [{"startOffset": 0, "endOffset": len(names[number % 3]), "label": "PERSON"}]
                    }
                },
            }
        )
        for number in range(40)
    ]
    account.client("s3").put_object(Bucket=bucket, Key="train.manifest", Body="\n".join(lines).encode())
    comprehend.create_dataset(
        FlywheelArn=arn,
        DatasetName="train",
        InputDataConfig={
            "DataFormat": "AUGMENTED_MANIFEST",
            "AugmentedManifests": [{"S3Uri": f"s3://{bucket}/train.manifest", "AttributeNames": ["people"]}],
        },
    )
    until(lambda: comprehend.list_datasets(FlywheelArn=arn, Filter={"Status": "COMPLETED"})["DatasetPropertiesList"])
    comprehend.start_flywheel_iteration(FlywheelArn=arn)
    (model,) = until(
        lambda: comprehend.list_entity_recognizers(Filter={"Status": "TRAINED"})["EntityRecognizerPropertiesList"]
    )
    return str(model["EntityRecognizerArn"])


def test_a_flywheel_of_a_stack_comes_to_a_scaled_endpoint(account: CloudAccount) -> None:
    bucket = create_bucket(account)
    arn = made_by_a_stack(account, role=data_access_role(account, bucket), bucket=bucket)
    comprehend = account.client("comprehend")
    assert status_of(account, arn) == "ACTIVE"
    described = comprehend.describe_flywheel(FlywheelArn=arn)["FlywheelProperties"]
    assert (described["ModelType"], described["TaskConfig"]) == ("ENTITY_RECOGNIZER", TASK)

    here = f"arn:aws:comprehend:{account.region}:{account.account}"
    endpoint = f"{here}:entity-recognizer-endpoint/live"
    made: dict[str, Any] = {"EndpointName": "live", "FlywheelArn": arn, "DesiredInferenceUnits": 1}
    for granted, expected in (
        ([f"{here}:document-classifier-endpoint/live", arn], "AccessDenied"),
        ([endpoint, arn], "ResourceUnavailable"),
    ):
        caller = create_role(account, allow("comprehend:CreateEndpoint", on=granted), trusted={"AWS": account.account})
        with pytest.raises(ClientError, match=expected):
            account.client("comprehend", role_arn=caller).create_endpoint(**made)

    comprehend.update_flywheel(FlywheelArn=arn, ActiveModelArn=trained(account, arn, bucket=bucket))
    assert comprehend.create_endpoint(**made)["EndpointArn"] == endpoint
    until(lambda: endpoint_status(account, endpoint) == "IN_SERVICE")
    (found,) = comprehend.detect_entities(EndpointArn=endpoint, Text="Ben Castle came on day 99.")["Entities"]
    assert (found["Text"], found["Type"], found["EndOffset"]) == ("Ben Castle", "PERSON", 10)

    scaling = account.client("application-autoscaling")
    target = {"ServiceNamespace": "comprehend", "ResourceId": endpoint, "ScalableDimension": DIMENSION}
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2)
    (registered,) = scaling.describe_scalable_targets(ServiceNamespace="comprehend", ScalableDimension=DIMENSION)[
        "ScalableTargets"
    ]
    assert {name: registered[name] for name in target} == target
    scaling.deregister_scalable_target(**target)


def test_models_and_jobs_are_used_one_by_one(account: CloudAccount) -> None:
    here, role = (
        f"arn:aws:comprehend:{account.region}:{account.account}",
        data_access_role(account, create_bucket(account)),
    )
    model, job = f"{here}:entity-recognizer/m/version/v", f"{here}:entities-detection-job"
    statements = [
        allow("comprehend:DescribeEntityRecognizer", "comprehend:DeleteEntityRecognizer", on=model),
        allow("comprehend:DescribeEntitiesDetectionJob", "comprehend:StopEntitiesDetectionJob", on=f"{job}/1234"),
        allow("comprehend:StartEntitiesDetectionJob", on=[f"{job}/*", model]),
        allow("comprehend:CreateEntityRecognizer", on=f"{here}:entity-recognizer/m/version/v"),
        allow("iam:PassRole", on=role),
    ]
    caller = create_role(account, *statements, trusted={"AWS": account.account})
    comprehend = account.client("comprehend", role_arn=caller)
    request: dict[str, Any] = {
        "LanguageCode": "en",
        "InputDataConfig": {"S3Uri": "s3://documents/"},
        "OutputDataConfig": {"S3Uri": "s3://results/"},
        "DataAccessRoleArn": role,
    }
    made: dict[str, Any] = {
        "RecognizerName": "m",
        "LanguageCode": "en",
        "DataAccessRoleArn": role,
        "InputDataConfig": {"EntityTypes": [{"Type": "A"}]},
    }
    for method, arguments, expected in (
        ("describe_entity_recognizer", {"EntityRecognizerArn": model}, "ResourceNotFound"),
        ("describe_entity_recognizer", {"EntityRecognizerArn": f"{model}2"}, "AccessDenied"),
        ("delete_entity_recognizer", {"EntityRecognizerArn": model}, "ResourceNotFound"),
        ("describe_entities_detection_job", {"JobId": "1234"}, "JobNotFound"),
        ("stop_entities_detection_job", {"JobId": "1234"}, "JobNotFound"),
        ("stop_entities_detection_job", {"JobId": "5678"}, "AccessDenied"),
        ("start_entities_detection_job", {**request, "EntityRecognizerArn": model}, "ResourceNotFound"),
        ("start_entities_detection_job", {**request, "EntityRecognizerArn": f"{model}2"}, "AccessDenied"),
        ("start_entities_detection_job", request, "no built-in models"),
        ("create_entity_recognizer", {**made, "VersionName": "v"}, "needs Documents"),
        ("create_entity_recognizer", made, "AccessDenied"),
        ("detect_entities", {"Text": "a", "LanguageCode": "en"}, "AccessDenied"),
    ):
        with pytest.raises(ClientError, match=expected):
            getattr(comprehend, method)(**arguments)
