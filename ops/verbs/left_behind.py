"""What stays on purpose after a flywheel's stacks are destroyed, as CloudFormation and Comprehend remember it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from botocore.exceptions import ClientError

from flywheel.faults.service_faults import error_code
from flywheel.model_kinds import all_kinds
from flywheel.store.record import Record
from ops.deployment.clients import Clients
from ops.deployment.errors import OperatorError
from ops.deployment.generations import belongs_to, list_flywheels, list_models
from ops.deployment.published import is_deployed
from ops.deployment.stacks import belongs_to_flywheel, live_stacks, stacks_named_after

_COUNTED_AT_MOST = 1000
_MISSING_BUCKET = {"404", "NoSuchBucket", "NotFound"}
_BUCKET, _KEY = "AWS::S3::Bucket", "AWS::KMS::Key"
_COVERED = {_BUCKET, _KEY, "AWS::Comprehend::Flywheel", "Custom::FlywheelWithModel", "AWS::S3::BucketPolicy"}


class LeftBucket(Record):
    name: str
    versions: int
    """Object versions and delete markers, counted to 1000."""
    more: bool
    """There are more than were counted."""


class LeftFlywheel(Record):
    """Of an older generation, or left when its stack was destroyed."""

    arn: str
    status: str


class LeftModel(Record):
    """Costs $0.50 a month until it is deleted."""

    arn: str
    flywheel_arn: str
    status: str


class LeftBehind(Record):
    name: str
    region: str
    buckets: tuple[LeftBucket, ...] = ()
    flywheels: tuple[LeftFlywheel, ...] = ()
    models: tuple[LeftModel, ...] = ()
    keys: tuple[str, ...] = ()
    """ARNs of KMS keys that the stack made; an existing key it was given is never among them."""
    others: tuple[str, ...] = ()
    """What else CloudFormation left behind, as `type: physical id`; purge does not touch it."""

    @property
    def nothing(self) -> bool:
        return not (self.buckets or self.flywheels or self.models or self.keys)


def find_left_behind(clients: Clients, name: str, *, buckets: Sequence[str] = ()) -> LeftBehind:
    """Everything of the flywheel `name` that is still there although its stacks are gone.

    CloudFormation remembers for 90 days what a deleted stack left behind; `buckets` names buckets that it no longer,
    or never, knew. Raises OperatorError if they are not, and botocore's errors.
    """
    require_not_deployed(clients, name)
    resources = list(dict.fromkeys(_resources(clients, name)))
    bucket_names = dict.fromkeys([*(identity for kind, identity in resources if kind == _BUCKET), *buckets])
    return LeftBehind(
        name=name,
        region=clients.region,
        buckets=tuple(found for found in (_bucket(clients, bucket) for bucket in bucket_names) if found is not None),
        flywheels=tuple(_flywheels(clients, name)),
        models=tuple(_models(clients, name)),
        keys=tuple(_keys(clients, (identity for kind, identity in resources if kind == _KEY))),
        others=tuple(f"{kind}: {identity}" for kind, identity in resources if kind not in _COVERED),
    )


def require_not_deployed(clients: Clients, name: str) -> None:
    """Raises OperatorError while a stack of the flywheel exists in any state, or its parameters do."""
    stack = next(live_stacks(clients, name), None)
    if stack is not None or is_deployed(clients, name):
        what = f"stack {stack['StackName']} is {stack['StackStatus']}" if stack else "its values are in Parameter Store"
        raise OperatorError(
            f"The flywheel {name!r} is still deployed ({what}): purge removes what is kept after the stacks are gone. "
            "Run `make destroy` first."
        )


def _resources(clients: Clients, name: str) -> Iterator[tuple[str, str]]:
    """Type and physical id of each resource that a deleted stack, or a replacement in one, left behind."""
    for stack in stacks_named_after(clients, name):
        pages = clients.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack["StackId"])
        events = [event for page in pages for event in page["StackEvents"] if event.get("PhysicalResourceId")]
        if belongs_to_flywheel(name, stack, (event["PhysicalResourceId"] for event in events)):
            skipped = (event for event in events if event.get("ResourceStatus") == "DELETE_SKIPPED")
            yield from ((event["ResourceType"], event["PhysicalResourceId"]) for event in skipped)


def _bucket(clients: Clients, bucket: str) -> LeftBucket | None:
    try:
        page = clients.s3.list_object_versions(Bucket=bucket, MaxKeys=_COUNTED_AT_MOST)
    except ClientError as error:
        if error_code(error) in _MISSING_BUCKET:
            return None
        raise
    count = len(page.get("Versions", [])) + len(page.get("DeleteMarkers", []))
    return LeftBucket(name=bucket, versions=count, more=page.get("IsTruncated", False))


def _flywheels(clients: Clients, name: str) -> Iterator[LeftFlywheel]:
    for found in list_flywheels(clients):
        arn = found.get("FlywheelArn", "")
        if belongs_to(name, arn):
            yield LeftFlywheel(arn=arn, status=found.get("Status", "UNKNOWN"))


def _models(clients: Clients, name: str) -> Iterator[LeftModel]:
    for kind in all_kinds():
        for found in list_models(clients, name, kind):
            if found.get("Status") != "DELETING":
                model = kind.model(found)
                yield LeftModel(arn=model.arn, flywheel_arn=found["FlywheelArn"], status=model.status)


def _keys(clients: Clients, identities: Iterable[str]) -> Iterator[str]:
    for identity in identities:
        try:
            metadata = clients.kms.describe_key(KeyId=identity)["KeyMetadata"]
        except clients.kms.exceptions.NotFoundException:
            continue
        if metadata["KeyState"] != "PendingDeletion":
            yield metadata["Arn"]
