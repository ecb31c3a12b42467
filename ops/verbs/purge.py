"""Removing for good what stays after a flywheel's stacks are destroyed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flywheel.faults.service_faults import error_code
from flywheel.model_kinds import kind_of_model
from ops.deployment.clients import Clients
from ops.deployment.errors import OperatorError
from ops.deployment.polling import looks
from ops.verbs.left_behind import LeftBehind, require_not_deployed

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

KEY_WAITING_DAYS = 30
"""The longest that KMS allows: until then the deletion can be cancelled."""
_FLYWHEEL_TIMEOUT_SECONDS = 900.0
_ATTEMPTS_TO_DELETE_A_BUCKET = 5


def purge(
    clients: Clients,
    left: LeftBehind,
    *,
    delete_keys: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
    poll_seconds: float = 5.0,
) -> None:
    """Removes what `left` lists; KMS keys are scheduled for deletion only with `delete_keys`.

    May be repeated after a failure. Models come after their flywheels, because an active model cannot be deleted, keys
    last, because what they protect must be gone. Raises OperatorError and botocore's errors.
    """
    require_not_deployed(clients, left.name)
    for flywheel in left.flywheels:
        on_step(f"flywheel {flywheel.arn}")
        _delete_flywheel(clients, flywheel.arn, poll_seconds)
    for model in left.models:
        on_step(f"model {model.arn}")
        _delete_model(clients, model.arn)
    for bucket in left.buckets:
        on_step(f"bucket {bucket.name}")
        _delete_bucket(clients, bucket.name)
    for key in left.keys if delete_keys else ():
        on_step(f"key {key}")
        clients.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=KEY_WAITING_DAYS)


def _delete_flywheel(clients: Clients, arn: str, poll_seconds: float) -> None:
    comprehend = clients.comprehend
    try:
        comprehend.delete_flywheel(FlywheelArn=arn)
    except comprehend.exceptions.ResourceNotFoundException:
        return
    except comprehend.exceptions.ResourceInUseException as error:
        raise OperatorError(
            f"{arn} is in use: wait until its iteration and datasets are done and delete its endpoints, "
            "then run purge again."
        ) from error
    except comprehend.exceptions.ResourceUnavailableException as error:
        if _flywheel_status(clients, arn) not in {"DELETING", None}:
            raise OperatorError(f"{arn} cannot be deleted at the moment: run purge again in a few minutes.") from error
    for _ in looks(timeout_seconds=_FLYWHEEL_TIMEOUT_SECONDS, poll_seconds=poll_seconds):
        # The status may still read ACTIVE for a while (reference 2.3): gone is when it cannot be described.
        if _flywheel_status(clients, arn) is None:
            return
    raise OperatorError(f"{arn} is still being deleted: run purge again in a few minutes.")


def _flywheel_status(clients: Clients, arn: str) -> str | None:
    """None if the flywheel is gone."""
    try:
        answer = clients.comprehend.describe_flywheel(FlywheelArn=arn)
    except clients.comprehend.exceptions.ResourceNotFoundException:
        return None
    return answer.get("FlywheelProperties", {}).get("Status", "UNKNOWN")


def _delete_model(clients: Clients, arn: str) -> None:
    comprehend = clients.comprehend
    try:
        kind_of_model(arn).delete_model(comprehend, arn)
    except comprehend.exceptions.ResourceNotFoundException:
        return
    except (comprehend.exceptions.ResourceInUseException, comprehend.exceptions.ResourceUnavailableException) as error:
        if not _is_being_deleted(clients, arn):
            raise OperatorError(
                f"{arn} is in use: delete the endpoints on it and let its jobs end, then run purge again."
            ) from error


def _is_being_deleted(clients: Clients, model_arn: str) -> bool:
    """Deleting a model takes a while, in which deleting it again is refused: an earlier purge may have begun it."""
    try:
        found = kind_of_model(model_arn).describe_model(clients.comprehend, model_arn)
    except clients.comprehend.exceptions.ResourceNotFoundException:
        return True
    return bool(found.get("Status") == "DELETING")


def _delete_bucket(clients: Clients, bucket: str) -> None:
    for attempt in range(1, _ATTEMPTS_TO_DELETE_A_BUCKET + 1):
        try:
            _empty(clients, bucket)
            clients.s3.delete_bucket(Bucket=bucket)
        except ClientError as error:
            if error_code(error) == "NoSuchBucket":
                return
            # Access logs of the emptying itself arrive late and fill a log bucket again.
            if error_code(error) != "BucketNotEmpty" or attempt == _ATTEMPTS_TO_DELETE_A_BUCKET:
                raise
        else:
            return


def _empty(clients: Clients, bucket: str) -> None:
    pages = clients.s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    for page in pages:
        objects: list[ObjectIdentifierTypeDef] = [
            {"Key": item["Key"], "VersionId": item["VersionId"]}
            for item in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
        ]
        if not objects:
            continue
        answer = clients.s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        errors = answer.get("Errors", [])
        if errors:
            raise OperatorError(
                f"{len(errors)} objects of {bucket} could not be deleted, the first is {errors[0].get('Key')}: "
                f"{errors[0].get('Message', errors[0].get('Code'))}"
            )
