"""Models of a World that are shared and imported: policies, other accounts, what becomes of an import."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.contract.comprehend_world import World
from tests.contract.trainings import classifier, created, ended, put
from tests.contract.waiting import until

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

IMPORTER = "444455556666"
INTRUDER = "777788889999"
ROOT = f"arn:aws:iam::{IMPORTER}:root"


def statement(**changes: Any) -> dict[str, Any]:
    """One that lets the importing account import whatever model it is put on; None takes a member away."""
    members = {
        "Effect": "Allow",
        "Action": "comprehend:ImportModel",
        "Resource": "*",
        "Principal": {"AWS": ROOT},
        **changes,
    }
    return {name: value for name, value in members.items() if value is not None}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements or (statement(),))})


def source(world: World, request_of: Callable[..., dict[str, Any]] = classifier, **changes: Any) -> str:
    """A trained version of a model."""
    put(world)
    arn = created(world, request_of(**{"VersionName": "1", **changes}))
    assert ended(world, arn)["Status"] == "TRAINED"
    return arn


def share(world: World, arn: str, *statements: dict[str, Any]) -> str:
    """Put a policy on the model and return its revision."""
    answer = world.client.put_resource_policy(ResourceArn=arn, ResourcePolicy=policy(*statements))
    return answer["PolicyRevisionId"]


def described(client: ComprehendClient, arn: str) -> dict[str, Any]:
    if ":entity-recognizer/" in arn:
        return dict(client.describe_entity_recognizer(EntityRecognizerArn=arn)["EntityRecognizerProperties"])
    return dict(client.describe_document_classifier(DocumentClassifierArn=arn)["DocumentClassifierProperties"])


def imported(client: ComprehendClient, arn: str, **members: Any) -> dict[str, Any]:
    """What an import has become when it has ended."""
    new = client.import_model(SourceModelArn=arn, **{"ModelName": "copy", "VersionName": "1", **members})["ModelArn"]
    return import_ended(client, new)


def import_ended(client: ComprehendClient, arn: str) -> dict[str, Any]:
    until(lambda: described(client, arn)["Status"] not in ("SUBMITTED", "TRAINING"))
    return described(client, arn)
