"""Model versions that somebody trains without a flywheel."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.simulation import clients

if TYPE_CHECKING:
    from tests.simulation.world import World

_ROLE = "trains"


def train(world: World, rows: bytes, *, name: str, version: str, folder: str, account: str) -> str:
    """Of a document classifier, with its data in `folder` (s3://bucket/prefix/) of a new bucket; the version's ARN."""
    owner = world.as_person("who trains", account=account)
    s3, comprehend = clients.client("s3", as_=owner), clients.client("comprehend", as_=owner)
    bucket, _, prefix = folder.removeprefix("s3://").partition("/")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=f"{prefix}rows.csv", Body=rows)
    role = world.with_policies(_ROLE, account=account).caller
    role_arn = f"arn:aws:iam::{account}:role/{role.role}"
    statement = {"Effect": "Allow", "Principal": {"AWS": role_arn}, "Action": "s3:*", "Resource": "*"}
    world.roles.put_policy(f"arn:aws:s3:::{bucket}", {"Version": "2012-10-17", "Statement": [statement]})
    arn: str = comprehend.create_document_classifier(
        DocumentClassifierName=name,
        VersionName=version,
        LanguageCode="en",
        InputDataConfig={"S3Uri": folder},
        DataAccessRoleArn=role_arn,
    )["DocumentClassifierArn"]
    found: dict[str, Any] = {"Status": "SUBMITTED"}
    while found["Status"] in ("SUBMITTED", "TRAINING"):
        world.kernel.run_until(world.kernel.now + 5)
        with suppress(comprehend.exceptions.ResourceNotFoundException):  # It does not show yet.
            found = comprehend.describe_document_classifier(DocumentClassifierArn=arn)["DocumentClassifierProperties"]
    assert found["Status"] == "TRAINED", found
    return arn
