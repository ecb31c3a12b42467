"""What stays on purpose after a flywheel's stacks are destroyed, as CloudFormation and Comprehend remember it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from flywheel.comprehend.flywheel import required
from flywheel.service_faults import error_code
from flywheel.store.record import Record
from ops.clients import Clients
from ops.deployment import is_deployed
from ops.errors import PARAMETER_ROOT, StillDeployedError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackSummaryTypeDef

_HASH = r"[0-9a-f]{8}"
"""A flywheel's physical name ends in this hash of its configuration."""
_COUNTED_AT_MOST = 1000
_MISSING_BUCKET = {"404", "NoSuchBucket", "NotFound"}
_BUCKET, _KEY = "AWS::S3::Bucket", "AWS::KMS::Key"
_COVERED = {_BUCKET, _KEY, "AWS::Comprehend::Flywheel", "AWS::S3::BucketPolicy"}


class KeptBucket(Record):
    name: str
    versions: int
    """Object versions and delete markers, counted to 1000."""
    more: bool
    """There are more than were counted."""


class KeptFlywheel(Record):
    """Of an older generation, or kept when its stack was destroyed."""

    arn: str
    status: str


class KeptModel(Record):
    """Costs $0.50 a month until it is deleted."""

    arn: str
    flywheel_arn: str
    status: str


class Kept(Record):
    name: str
    region: str
    buckets: tuple[KeptBucket, ...] = ()
    flywheels: tuple[KeptFlywheel, ...] = ()
    models: tuple[KeptModel, ...] = ()
    keys: tuple[str, ...] = ()
    """ARNs of KMS keys that the stack made; an existing key it was given is never among them."""
    others: tuple[str, ...] = ()
    """What else CloudFormation left behind, as `type: physical id`; purge does not touch it."""

    @property
    def nothing(self) -> bool:
        return not (self.buckets or self.flywheels or self.models or self.keys)


def find_kept(clients: Clients, name: str, *, buckets: Sequence[str] = ()) -> Kept:
    """Everything of the flywheel `name` that is still there although its stacks are gone.

    CloudFormation remembers a deleted stack for 90 days, so long it says what it left behind; `buckets` names buckets
    that it no longer, or never, knew. Raises StillDeployedError and botocore's errors.
    """
    require_not_deployed(clients, name)
    left_behind = list(_left_behind(clients, name))
    bucket_names = _unique([*(identity for kind, identity in left_behind if kind == _BUCKET), *buckets])
    return Kept(
        name=name,
        region=clients.region,
        buckets=tuple(bucket for bucket in (_bucket(clients, bucket) for bucket in bucket_names) if bucket is not None),
        flywheels=tuple(_flywheels(clients, name)),
        models=tuple(_models(clients, name)),
        keys=tuple(_keys(clients, _unique(identity for kind, identity in left_behind if kind == _KEY))),
        others=tuple(_unique(f"{kind}: {identity}" for kind, identity in left_behind if kind not in _COVERED)),
    )


def require_not_deployed(clients: Clients, name: str) -> None:
    """Raises StillDeployedError while a stack of the flywheel exists in any state, or its parameters do."""
    for stack in live_stacks(clients, name):
        raise StillDeployedError(name=name, what=f"stack {stack['StackName']} is {stack['StackStatus']}")
    if is_deployed(clients, name):
        raise StillDeployedError(name=name, what="its values are in Parameter Store")


def belongs_to(name: str, flywheel_arn: str) -> bool:
    """Whether the ARN is of the flywheel `name`, of any generation: `news-2` is not a generation of `news`."""
    return re.fullmatch(rf"{re.escape(name)}-{_HASH}", flywheel_arn.partition(":flywheel/")[2]) is not None


def live_stacks(clients: Clients, name: str) -> Iterator[StackSummaryTypeDef]:
    """The stacks of the flywheel `name` that exist, in any state: its own, and each that publishes values below it."""
    for stack in _named_after(clients, name):
        if stack["StackStatus"] == "DELETE_COMPLETE":
            continue
        pages = clients.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack["StackName"])
        resources = ((each.get("PhysicalResourceId", "") for each in page["StackResourceSummaries"]) for page in pages)
        if stack["StackName"] == f"{name}-flywheel" or any(_publishes(name, ids) for ids in resources):
            yield stack


def _named_after(clients: Clients, name: str) -> Iterator[StackSummaryTypeDef]:
    """Deleted ones, too. `news-2-serving` is not named after `news`, but a stack of somebody else's may be."""
    named = re.compile(rf"{re.escape(name)}-[A-Za-z0-9]+")
    for page in clients.cloudformation.get_paginator("list_stacks").paginate():
        yield from (stack for stack in page["StackSummaries"] if named.fullmatch(stack["StackName"]))


def _publishes(name: str, identities: Iterable[str]) -> bool:
    """Whether a stack of these resources is one of the flywheel's: each publishes in Parameter Store what it is."""
    return any(identity.startswith(f"{PARAMETER_ROOT}/{name}/") for identity in identities)


def _left_behind(clients: Clients, name: str) -> Iterator[tuple[str, str]]:
    """Type and physical id of each resource that a deleted stack, or a replacement in one, left behind."""
    for stack in _named_after(clients, name):
        pages = clients.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack["StackId"])
        events = [event for page in pages for event in page["StackEvents"] if event.get("PhysicalResourceId")]
        if stack["StackName"] == f"{name}-flywheel" or _publishes(name, (e["PhysicalResourceId"] for e in events)):
            skipped = (event for event in events if event.get("ResourceStatus") == "DELETE_SKIPPED")
            yield from ((event["ResourceType"], event["PhysicalResourceId"]) for event in skipped)


def _bucket(clients: Clients, bucket: str) -> KeptBucket | None:
    try:
        page = clients.s3.list_object_versions(Bucket=bucket, MaxKeys=_COUNTED_AT_MOST)
    except ClientError as error:
        if error_code(error) in _MISSING_BUCKET:
            return None
        raise
    count = len(page.get("Versions", [])) + len(page.get("DeleteMarkers", []))
    return KeptBucket(name=bucket, versions=count, more=page.get("IsTruncated", False))


def _flywheels(clients: Clients, name: str) -> Iterator[KeptFlywheel]:
    token: dict[str, Any] = {}
    while True:
        page = clients.comprehend.list_flywheels(MaxResults=100, **token)
        for found in page.get("FlywheelSummaryList", []):
            arn = found.get("FlywheelArn", "")
            if belongs_to(name, arn):
                yield KeptFlywheel(arn=arn, status=found.get("Status", "UNKNOWN"))
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def _models(clients: Clients, name: str) -> Iterator[KeptModel]:
    for page in clients.comprehend.get_paginator("list_document_classifiers").paginate():
        for found in page.get("DocumentClassifierPropertiesList", []):
            flywheel_arn = found.get("FlywheelArn", "")
            if belongs_to(name, flywheel_arn) and found.get("Status") != "DELETING":
                arn = required(found, "DocumentClassifierArn", of="a model")
                yield KeptModel(arn=arn, flywheel_arn=flywheel_arn, status=found.get("Status", "UNKNOWN"))


def _keys(clients: Clients, identities: Iterable[str]) -> Iterator[str]:
    for identity in identities:
        try:
            metadata = clients.kms.describe_key(KeyId=identity)["KeyMetadata"]
        except clients.kms.exceptions.NotFoundException:
            continue
        if metadata["KeyState"] != "PendingDeletion":
            yield metadata["Arn"]


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))
