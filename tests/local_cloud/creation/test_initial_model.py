"""A deployment whose flywheel begins with a model that was trained without one, through its updates to its end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionStatus
from flywheel.records.uploads import Split
from local.cloud import CloudAccount, LocalCloud
from local.cloud.errors import CdkFailed
from tests.local_cloud.people import mislabelled
from tests.local_cloud.pipeline import CONTEXT, LONG, NAME, STACK, Pipeline, as_csv, documents
from tests.local_cloud.resources import Synthesise, delete_stack, stack_status, until
from tests.local_cloud.serving_stack import Serving
from tests.local_cloud.trained_models import data_access_role

CALM = "harbour meadow lullaby"
NETWORK = '{"subnets": ["subnet-12345678"], "security_groups": ["sg-12345678"]}'
OTHER_LABELS = "CALM,FOG"
ACCOUNT = "100000000091"
BUCKET = "data-of-the-initial-model"
FOLDER = f"s3://{BUCKET}/train/"
MODEL = f"arn:aws:comprehend:us-east-1:{ACCOUNT}:document-classifier/news/version/first"
ROWS = mislabelled(documents(50))
"""So that it is no good."""


def context(**changes: str) -> dict[str, str]:
    """With a key, so that the grants for it are used as well."""
    return {**CONTEXT, "initial_model_arn": MODEL, "initial_model_data": FOLDER, "encryption": "new", **changes}


@pytest.fixture(scope="module")
def account(cloud: LocalCloud) -> CloudAccount:
    """An account with a trained model."""
    account = cloud.account(ACCOUNT)
    assert account.region == "us-east-1"
    account.client("s3").create_bucket(Bucket=BUCKET)
    account.client("s3").put_object(Bucket=BUCKET, Key="train/rows.csv", Body=as_csv(ROWS))
    comprehend = account.client("comprehend")
    created = comprehend.create_document_classifier(
        DocumentClassifierName="news",
        VersionName="first",
        LanguageCode="en",
        InputDataConfig={"S3Uri": FOLDER},
        DataAccessRoleArn=data_access_role(account, BUCKET),
    )
    assert created["DocumentClassifierArn"] == MODEL

    def trained() -> bool:
        found = comprehend.describe_document_classifier(DocumentClassifierArn=MODEL)["DocumentClassifierProperties"]
        assert found["Status"] != "IN_ERROR", found
        return bool(found["Status"] == "TRAINED")

    until(trained, patience=LONG)
    return account


@pytest.fixture(scope="module")
def serving(account: CloudAccount, synthesise: Synthesise) -> Serving:
    """The Flywheel stack and then the Serving stack, before anything is uploaded."""
    assembly = synthesise(context=context())
    pipeline = Pipeline.deploy(account, assembly)
    # What Comprehend copied into the lake.
    pipeline.expect(Split.TRAIN, ROWS)
    serving = Serving(pipeline=pipeline, assembly=assembly)
    serving.deploy(InferenceUnits="10")
    until(lambda: pipeline.published().get("active-model-arn") == MODEL, patience=LONG)
    serving.becomes("IN_SERVICE", ModelArn=MODEL)
    return serving


@pytest.fixture(scope="module")
def promoted(serving: Serving) -> str:
    """A model that is better than the initial one."""
    pipeline = serving.pipeline
    pipeline.upload("test/test.csv", documents(20))
    pipeline.upload("train/good.csv", documents(80))
    record = pipeline.at_rest()
    assert record.decision is DecisionKind.PROMOTE, record
    assert record.candidate
    assert record.active
    assert record.active.arn == MODEL
    return record.candidate.arn


def test_the_initial_model_is_published_and_served_without_an_upload(serving: Serving, account: CloudAccount) -> None:
    pipeline = serving.pipeline
    pipeline.await_promotions()
    assert serving.classify(CALM)[0] in ("CALM", "STORM")
    (end,) = [pipeline.ended(key.split("/")[-1][:-5]) for key in pipeline.keys("promotions/ends/initial-")]
    assert end.status is PromotionStatus.ALREADY_ACTIVE
    assert end.by == "the deployment"
    first = pipeline.datasets()[-1]
    assert first["Description"] == "TRAIN Dataset created by Flywheel creation."


def test_an_update_of_the_flywheel_leaves_the_promoted_model_active(
    serving: Serving, promoted: str, synthesise: Synthesise
) -> None:
    pipeline = serving.pipeline
    pipeline.deploy_again(synthesise(context=context(training_vpc=NETWORK, tags='{"owner": "harbour"}')))
    described = flywheel(pipeline)
    assert described["ActiveModelArn"] == promoted
    assert described["DataSecurityConfig"]["VpcConfig"]["Subnets"] == ["subnet-12345678"]
    assert tags(pipeline)["owner"] == "harbour"
    assert pipeline.published()["active-model-arn"] == promoted

    pipeline.deploy_again(synthesise(context=context()))
    described = flywheel(pipeline)
    assert described["ActiveModelArn"] == promoted
    assert not described["DataSecurityConfig"].get("VpcConfig")
    assert "owner" not in tags(pipeline)


def test_an_update_that_is_rolled_back_leaves_it_as_well(serving: Serving, promoted: str) -> None:
    """The flywheel is changed, then another resource fails, then the flywheel is changed back."""
    pipeline = serving.pipeline
    status = change_template(
        pipeline,
        Tags=[{"Key": "owner", "Value": "nobody"}],
        VpcConfig={"Subnets": ["subnet-87654321"], "SecurityGroupIds": ["sg-87654321"]},
        fails=True,
    )
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    described = flywheel(pipeline)
    assert described["ActiveModelArn"] == promoted
    assert not described["DataSecurityConfig"].get("VpcConfig")
    assert tags(pipeline).get("owner") != "nobody"
    assert events(pipeline.account, "UPDATE_IN_PROGRESS"), "the flywheel was not changed at all"


def test_a_changed_name_that_is_rolled_back_leaves_only_the_former_flywheel(serving: Serving, promoted: str) -> None:
    pipeline = serving.pipeline
    former = pipeline.deployment.flywheel_arn
    status = change_template(pipeline, FlywheelArn=f"{former[:-8]}00000000", fails=True)
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert flywheel(pipeline)["ActiveModelArn"] == promoted
    until(lambda: flywheels(pipeline.account, NAME) == [former])


def test_other_labels_than_the_models_fail_an_update_and_leave_the_former_flywheel(
    serving: Serving, promoted: str
) -> None:
    """Comprehend names a classifier's labels only when the flywheel is ACTIVE."""
    pipeline = serving.pipeline
    former = pipeline.deployment.flywheel_arn
    status = change_template(pipeline, FlywheelArn=f"{former[:-8]}00000001", Labels=["CALM", "FOG"], fails=False)
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    sentence = "its labels are CALM, STORM, and the settings name CALM, FOG"
    assert [reason for reason in events(pipeline.account, "UPDATE_FAILED") if sentence in reason]
    assert flywheel(pipeline)["ActiveModelArn"] == promoted
    until(lambda: flywheels(pipeline.account, NAME) == [former])


def test_one_that_an_update_takes_out_of_the_template_stays_and_is_taken_up_again(
    serving: Serving, promoted: str
) -> None:
    """As by a deployment without an initial model, and by the one after it that has it again."""
    pipeline = serving.pipeline
    former = pipeline.deployment.flywheel_arn
    other = f"{former[:-8]}00000002"
    assert change_template(pipeline, logical_id="Other", FlywheelArn=other, fails=False) == "UPDATE_COMPLETE"
    assert sorted(flywheels(pipeline.account, NAME)) == sorted([former, other])
    assert change_template(pipeline, fails=False) == "UPDATE_COMPLETE"
    assert flywheel(pipeline)["ActiveModelArn"] == promoted
    pipeline.account.client("comprehend").delete_flywheel(FlywheelArn=other)
    until(lambda: flywheels(pipeline.account, NAME) == [former])


def test_it_goes_with_the_stack_and_the_initial_model_stays(
    serving: Serving, promoted: str, account: CloudAccount
) -> None:
    pipeline = serving.pipeline
    serving.destroy()
    delete_stack(account, STACK)
    assert stack_status(account, STACK) == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="ResourceNotFound"):
        flywheel(pipeline)
    described = account.client("comprehend").describe_document_classifier(DocumentClassifierArn=MODEL)
    assert described["DocumentClassifierProperties"]["Status"] == "TRAINED"


def test_a_model_that_does_not_fit_fails_the_stack_with_the_reason(
    account: CloudAccount, synthesise: Synthesise
) -> None:
    settings = context(name="unfit", labels="CALM,STORM,FOG", language="fr", initial_model_data="s3://elsewhere/")
    with pytest.raises(CdkFailed):
        account.deploy(synthesise(context=settings), stacks=["unfit-flywheel"])
    (reason,) = events(account, "CREATE_FAILED", stack="unfit-flywheel")
    for difference in ("language is en", "it has 2 labels", f"its data are at {FOLDER}"):
        assert difference in reason
    assert flywheels(account, "unfit") == []


def flywheels(account: CloudAccount, name: str) -> list[str]:
    listed = account.client("comprehend").list_flywheels()["FlywheelSummaryList"]
    return [found["FlywheelArn"] for found in listed if f"/{name}-" in found["FlywheelArn"]]


def change_template(pipeline: Pipeline, *, fails: bool, logical_id: str | None = None, **properties: Any) -> str:
    """Update the stack with other properties of the flywheel, or another logical id, and with a resource after it that
    `fails`. The status afterwards."""
    cloudformation = pipeline.account.client("cloudformation")
    text = (pipeline.assembly / f"{STACK}.template.json").read_text()
    (present,) = [
        key for key, found in json.loads(text)["Resources"].items() if found["Type"] == "Custom::FlywheelWithModel"
    ]
    logical_id = logical_id or present
    template = json.loads(text.replace(present, logical_id))
    described = template["Resources"][logical_id]["Properties"]
    if "VpcConfig" in properties:
        described["DataSecurityConfig"]["VpcConfig"] = properties.pop("VpcConfig")
    described |= properties
    if fails:
        template["Resources"]["Fails"] = {
            "Type": "AWS::Comprehend::Flywheel",
            "Properties": {
                "FlywheelName": "fails",
                "ActiveModelArn": f"{MODEL}-unknown",
                "DataAccessRoleArn": flywheel(pipeline)["DataAccessRoleArn"],
                "DataLakeS3Uri": FOLDER,
            },
            "DependsOn": [logical_id],
        }
    key = "changed.template.json"
    pipeline.account.client("s3").put_object(Bucket=BUCKET, Key=key, Body=json.dumps(template).encode())
    (found,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    cloudformation.update_stack(
        StackName=STACK,
        TemplateURL=f"https://s3.us-east-1.amazonaws.com/{BUCKET}/{key}",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": each["ParameterKey"], "UsePreviousValue": True} for each in found["Parameters"]],
    )
    until(lambda: not stack_status(pipeline.account, STACK).endswith("IN_PROGRESS"), patience=LONG)
    return stack_status(pipeline.account, STACK)


def events(account: CloudAccount, status: str, *, stack: str = STACK) -> list[str]:
    """The reasons of a stack's events about the flywheel with this status."""
    pages = account.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack)
    return [
        event.get("ResourceStatusReason", "")
        for page in pages
        for event in page["StackEvents"]
        if event["ResourceStatus"] == status and event["ResourceType"].startswith("Custom::Flywheel")
    ]


def flywheel(pipeline: Pipeline) -> dict[str, Any]:
    comprehend = pipeline.account.client("comprehend")
    found: dict[str, Any] = comprehend.describe_flywheel(FlywheelArn=pipeline.deployment.flywheel_arn)
    return dict(found["FlywheelProperties"])


def tags(pipeline: Pipeline) -> dict[str, str]:
    comprehend = pipeline.account.client("comprehend")
    found = comprehend.list_tags_for_resource(ResourceArn=pipeline.deployment.flywheel_arn)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found}
