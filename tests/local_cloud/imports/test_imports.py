"""A deployed app that imports the models of another account, from the announcement to the answer of its API."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from flywheel.records.announcements import (
    EVENT_SOURCE,
    MODEL_SHARED,
    MODEL_WITHDRAWN,
    ModelShared,
    ModelWithdrawn,
    shared_id,
    withdrawn_id,
)
from flywheel.records.promotions import ApprovalWait, Promotion, PromotionStatus, approval_key, end_key, name_of
from flywheel.store.bucket import IntakeBucket
from local.cloud import CloudAccount, LocalCloud
from tests.local_cloud.pipeline import LONG, as_csv, documents
from tests.local_cloud.resources import (
    Synthesise,
    allow,
    change_parameters,
    create_bucket,
    create_queue,
    create_role,
    lets_send,
    messages,
    until,
)
from tests.local_cloud.trained_models import data_access_role

NAME = "press"
STACK = f"{NAME}-import"
SOURCE_FLYWHEEL = "newsroom"
SMOKE_TEST = "smoke/letters.csv"


@dataclass(kw_only=True)
class Source:
    """An account whose flywheel's models are made and announced by calls."""

    account: CloudAccount
    target: CloudAccount
    bucket: str
    role: str
    number: int = 0

    def train(self, *, wrong: bool = False) -> str:
        """A version that the target may import."""
        self.number += 1
        rows = documents(60)
        other = {"CALM": "STORM", "STORM": "CALM"}
        rows = [(other[label], text) for label, text in rows] if wrong else rows
        key = f"{self.number}/rows.csv"
        self.account.client("s3").put_object(Bucket=self.bucket, Key=key, Body=as_csv(rows))
        comprehend = self.account.client("comprehend")
        arn = str(
            comprehend.create_document_classifier(
                DocumentClassifierName=SOURCE_FLYWHEEL,
                VersionName=f"v{self.number}",
                LanguageCode="en",
                InputDataConfig={"S3Uri": f"s3://{self.bucket}/{key}"},
                DataAccessRoleArn=self.role,
            )["DocumentClassifierArn"]
        )
        until(lambda: _status(self.account, arn) == "TRAINED")
        statement = {
            "Effect": "Allow",
            "Action": "comprehend:ImportModel",
            "Resource": arn,
            "Principal": {"AWS": f"arn:aws:iam::{self.target.account}:root"},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        comprehend.put_resource_policy(ResourceArn=arn, ResourcePolicy=policy)
        return arn

    def shared(self, model: str) -> ModelShared:
        return ModelShared(
            id=shared_id(f"promotion-{self.number:06d}", model),
            flywheel=SOURCE_FLYWHEEL,
            account=self.account.account,
            model=model,
            model_type="DOCUMENT_CLASSIFIER",
            promotion=f"promotion-{self.number:06d}",
            by="turn-000001",
            reason="It is better.",
            shared_at=datetime.now(UTC),
        )

    def withdrawn(self, model: str, *, instead: str) -> ModelWithdrawn:
        return ModelWithdrawn(
            id=withdrawn_id(f"promotion-{self.number:06d}", model),
            flywheel=SOURCE_FLYWHEEL,
            account=self.account.account,
            model=model,
            model_type="DOCUMENT_CLASSIFIER",
            promotion=f"promotion-{self.number:06d}",
            by="a person",
            reason="It was wrong.",
            withdrawn_at=datetime.now(UTC),
            instead=instead,
        )

    def tell(self, announced: ModelShared | ModelWithdrawn, *, by: CloudAccount | None = None) -> None:
        kind = MODEL_SHARED if isinstance(announced, ModelShared) else MODEL_WITHDRAWN
        target = self.target
        entry = {
            "Source": EVENT_SOURCE,
            "DetailType": kind,
            "Detail": announced.model_dump_json(),
            "EventBusName": f"arn:aws:events:{target.region}:{target.account}:event-bus/default",
        }
        answer = (by or self.account).client("events").put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0, answer


@dataclass(kw_only=True)
class Target:
    account: CloudAccount
    assembly: Path
    source: Source
    inbox: str = ""
    heard: list[str] = field(default_factory=list)

    @property
    def outputs(self) -> dict[str, str]:
        described = self.account.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}

    @property
    def intake(self) -> IntakeBucket:
        return IntakeBucket(s3=self.account.client("s3"), bucket=self.outputs["IntakeBucketName"])

    def published(self, name: str = "active-model-arn") -> str | None:
        ssm = self.account.client("ssm")
        try:
            return str(ssm.get_parameter(Name=f"/comprehend-flywheel/{NAME}/{name}")["Parameter"]["Value"])
        except ssm.exceptions.ParameterNotFound:
            return None

    def end_of(self, announced: ModelShared | ModelWithdrawn) -> Promotion:
        return until(lambda: self.intake.read(end_key(announced.id), Promotion), patience=LONG)

    def endpoint(self) -> dict[str, Any]:
        arn = f"arn:aws:comprehend:{self.account.region}:{self.account.account}:document-classifier-endpoint/{NAME}"
        found: dict[str, Any] = self.account.client("comprehend").describe_endpoint(EndpointArn=arn)[
            "EndpointProperties"
        ]
        return found

    def told(self, words: str) -> bool:
        self.heard += [str(message) for message in messages(self.account, self.inbox)]
        return any(words in message for message in self.heard)


def _status(account: CloudAccount, arn: str) -> str:
    found = account.client("comprehend").describe_document_classifier(DocumentClassifierArn=arn)
    return str(found["DocumentClassifierProperties"]["Status"])


@pytest.fixture(scope="module")
def source(cloud: LocalCloud, account: CloudAccount) -> Source:
    bucket = create_bucket(account)
    target = cloud.account(f"9{account.account[1:]}")
    return Source(account=account, target=target, bucket=bucket, role=data_access_role(account, bucket))


@pytest.fixture(scope="module")
def target(source: Source, synthesise: Synthesise) -> Target:
    account = source.target
    assembly = synthesise(context={"name": NAME, "role": "import"})
    parameters = {
        f"{STACK}:SourceAccount": source.account.account,
        f"{STACK}:SourceFlywheelName": SOURCE_FLYWHEEL,
        f"{STACK}:SmokeTestKey": SMOKE_TEST,
        f"{STACK}:PollSeconds": "30",
        f"{NAME}-serving:InferenceUnits": "1",
        f"{NAME}-serving:PollSeconds": "30",
    }
    account.deploy(assembly, stacks=[STACK, f"{NAME}-serving"], parameters=parameters)
    found = Target(account=account, assembly=assembly, source=source)
    inbox, arn = create_queue(account, lets_in=[lets_send("sns.amazonaws.com")])
    account.client("sns").subscribe(TopicArn=found.outputs["TopicArn"], Protocol="sqs", Endpoint=arn)
    found.inbox = inbox
    found.intake.write_bytes(SMOKE_TEST, as_csv(documents(3)))
    return found


def test_shared_versions_are_served_one_after_the_other(source: Source, target: Target) -> None:
    created = None
    for _ in range(2):
        model = source.train()
        announced = source.shared(model)
        source.tell(announced)
        end = target.end_of(announced)
        assert end.status is PromotionStatus.PROMOTED, end.reason
        assert target.published() == end.model_arn
        assert end.model_arn.startswith(f"arn:aws:comprehend:us-east-1:{target.account.account}:document-classifier/")
        endpoint = target.endpoint()
        assert endpoint["ModelArn"] == end.model_arn
        assert "FlywheelArn" not in endpoint
        created = created or endpoint["CreationTime"]
        assert endpoint["CreationTime"] == created, "it was made anew"
        # Once more, as the source's schedule does.
        source.tell(announced)
    answered = target.account.client("comprehend").classify_document(
        EndpointArn=target.endpoint()["EndpointArn"], Text="thunder gale lightning"
    )
    assert max(answered["Classes"], key=lambda found: found["Score"])["Name"] == "STORM"
    assert until(lambda: target.told("promotion-000002: promoted"))


def test_a_version_that_answers_wrongly_never_serves(source: Source, target: Target) -> None:
    serves = target.published()
    announced = source.shared(source.train(wrong=True))
    source.tell(announced)
    end = target.end_of(announced)
    assert end.status is PromotionStatus.SMOKE_TEST_FAILED
    assert target.published() == serves
    assert target.endpoint()["ModelArn"] == serves


def test_a_version_that_is_not_shared_is_refused(source: Source, target: Target) -> None:
    model = source.train()
    source.account.client("comprehend").delete_resource_policy(ResourceArn=model)
    announced = source.shared(model)
    source.tell(announced)
    end = target.end_of(announced)
    assert end.status is PromotionStatus.REFUSED
    assert "no resource-based policy allows the comprehend:ImportModel action" in end.reason


def test_a_withdrawal_is_told_and_ends_a_wait_for_approval(source: Source, target: Target) -> None:
    change_parameters(target.account, STACK, {"PromotionMode": "APPROVAL"})
    serves = target.published()
    model = source.train()
    announced = source.shared(model)
    source.tell(announced)

    def waiting() -> ApprovalWait | None:
        current = target.intake.read_bytes_if_there("promotions/current")
        number = json.loads(current)["number"] if current else 0
        return target.intake.read(approval_key(name_of(number)), ApprovalWait)

    until(waiting, patience=LONG)
    source.tell(source.withdrawn(model, instead=model))
    end = target.end_of(announced)
    assert end.status is PromotionStatus.REFUSED
    assert target.published() == serves
    assert until(lambda: target.told("has withdrawn"))


def test_nobody_else_may_announce(source: Source, cloud: LocalCloud, target: Target) -> None:
    intruder = cloud.account(f"8{source.account.account[1:]}")
    with pytest.raises(ClientError, match="AccessDenied"):
        source.tell(source.shared("arn:aws:comprehend:us-east-1:1:document-classifier/x"), by=intruder)
    teller = create_role(
        source.account,
        allow("events:PutEvents", on=f"arn:aws:events:us-east-1:{target.account.account}:event-bus/default"),
        trusted={"AWS": source.account.account},
    )
    entry = {
        "Source": "somebody.else",
        "DetailType": "Model Shared",
        "Detail": "{}",
        "EventBusName": f"arn:aws:events:us-east-1:{target.account.account}:event-bus/default",
    }
    with pytest.raises(ClientError, match="AccessDenied"):
        source.account.client("events", role_arn=teller).put_events(Entries=[entry])


def test_no_role_of_the_target_reads_the_sources_bucket(source: Source, target: Target) -> None:
    iam, s3 = target.account.client("iam"), source.account.client("s3")
    listed = s3.list_objects_v2(Bucket=source.bucket, MaxKeys=1)["Contents"][0]["Key"]
    roles = [role for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]]
    own = [role for role in roles if role["RoleName"].startswith((f"{NAME}-import", f"{NAME}-serving"))]
    assert len(own) > 15
    for role in own:
        trust = json.loads(json.dumps(role["AssumeRolePolicyDocument"]))
        everybody = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": target.account.account}}
        trust["Statement"].append(everybody)
        iam.update_assume_role_policy(RoleName=role["RoleName"], PolicyDocument=json.dumps(trust))
        reader = target.account.client("s3", role_arn=role["Arn"])
        with pytest.raises(ClientError, match="AccessDenied"):
            reader.get_object(Bucket=source.bucket, Key=listed)
        with pytest.raises(ClientError, match="AccessDenied"):
            reader.list_objects_v2(Bucket=source.bucket)
