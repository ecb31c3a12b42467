"""Two accounts: one whose models are made and announced by calls, and one with a deployed app that imports them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from flywheel.promotions.requests import waiting_promotion
from flywheel.records.announcements import (
    EVENT_SOURCE,
    MODEL_SHARED,
    MODEL_WITHDRAWN,
    ModelShared,
    ModelWithdrawn,
    shared_id,
    withdrawn_id,
)
from flywheel.records.promotions import (
    Promotion,
    end_key,
)
from flywheel.store.bucket import IntakeBucket
from local.cloud import CloudAccount
from ops.deployment.clients import Clients
from ops.deployment.published import ImportDeployment, find_any_deployment
from ops.verbs.promotions import wait_for_promotion
from ops.verbs.rollback import Rollback
from tests.local_cloud.pipeline import LONG, as_csv, documents
from tests.local_cloud.resources import (
    create_role,
    messages,
    until,
)

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
        until(lambda: status_of(self.account, arn) == "TRAINED")
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
            **self._announced(model),
            id=shared_id(self._promotion, model),
            by="turn-000001",
            reason="It is better.",
            shared_at=datetime.now(UTC),
        )

    def withdrawn(self, model: str, *, instead: str) -> ModelWithdrawn:
        return ModelWithdrawn(
            **self._announced(model),
            id=withdrawn_id(self._promotion, model),
            by="a person",
            reason="It was wrong.",
            withdrawn_at=datetime.now(UTC),
            instead=instead,
        )

    @property
    def _promotion(self) -> str:
        return f"promotion-{self.number:06d}"

    def _announced(self, model: str) -> dict[str, str]:
        """What both announcements have."""
        return {
            "flywheel": SOURCE_FLYWHEEL,
            "account": self.account.account,
            "model": model,
            "model_type": "DOCUMENT_CLASSIFIER",
            "promotion": self._promotion,
        }

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

    def as_person(self, policy: str) -> ImportDeployment:
        """The deployment as somebody finds it who has that policy of the stack, such as "Operators", and nothing
        else."""
        role = create_role(self.account, trusted={"AWS": self.account.account})
        self.account.client("iam").attach_role_policy(
            RoleName=role.rsplit("/", 1)[-1], PolicyArn=self.outputs[f"{policy}PolicyArn"]
        )
        return self.seen_by(self.account.session(role_arn=role))

    def seen_by(self, session: boto3.Session) -> ImportDeployment:
        found = find_any_deployment(Clients(session), name=NAME)
        assert isinstance(found, ImportDeployment)
        return found

    def waiting(self, announced: ModelShared) -> str | None:
        """The promotion that waits for approval of the version."""
        found = waiting_promotion(self.intake)
        request = found.beginning.request if found else None
        return found.beginning.promotion if found and request and request.id == announced.id else None

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


def ended(deployment: ImportDeployment, asked: Rollback) -> Promotion:
    assert asked.request
    return wait_for_promotion(deployment, asked.request.id, timeout_seconds=LONG, poll_seconds=0.5)


def status_of(account: CloudAccount, arn: str) -> str:
    found = account.client("comprehend").describe_document_classifier(DocumentClassifierArn=arn)
    return str(found["DocumentClassifierProperties"]["Status"])
