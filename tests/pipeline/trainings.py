"""Model versions that somebody trains without a flywheel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.pipeline.documents import Document, as_csv
from tests.simulation import clients

if TYPE_CHECKING:
    from tests.pipeline.observed_world import ObservedWorld

_ROLE = "trains"


def train(world: ObservedWorld, rows: list[Document], *, name: str, version: str, folder: str, account: str) -> str:
    """Of a document classifier, with its data in `folder` (s3://bucket/prefix/) of a new bucket; the version's ARN."""
    owner = world.as_person("who trains", account=account)
    s3, comprehend = clients.client("s3", as_=owner), clients.client("comprehend", as_=owner)
    bucket, _, prefix = folder.removeprefix("s3://").partition("/")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=f"{prefix}rows.csv", Body=as_csv(rows))
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
    world.kernel.run_until(world.kernel.now + 5)
    found = comprehend.describe_document_classifier(DocumentClassifierArn=arn)
    assert found["DocumentClassifierProperties"]["Status"] == "TRAINED", found
    return arn
