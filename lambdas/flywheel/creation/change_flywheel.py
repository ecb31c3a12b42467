"""Creates, changes or deletes the flywheel. Each call looks first, so it can be killed anywhere and repeated.

An existing flywheel keeps its active model: promotions alone change it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from flywheel.comprehend.answers import required
from flywheel.comprehend.flywheel import FlywheelService
from flywheel.comprehend.jobs import BUSY
from flywheel.creation.check_initial_model import check_initial_model
from flywheel.creation.wanted_flywheel import Tag, WantedFlywheel
from flywheel.faults.errors import FlywheelRefused, ServiceBusy, ServiceFault
from flywheel.faults.fault_names import INVALID
from flywheel.faults.service_faults import error_code, error_message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_comprehend import ComprehendClient

_IN_USE = {"ResourceInUseException", "ResourceUnavailableException"}
_REFUSALS = INVALID | {
    "KmsKeyValidationException",
    "ResourceNotFoundException",
    "ResourceUnavailableException",
    "TooManyTagsException",
    "UnsupportedLanguageException",
}
_CHANGEABLE = ("ModelKmsKeyId", "VolumeKmsKeyId", "VpcConfig")
"""Of DataSecurityConfig; the key of the lake is fixed (reference 2.4)."""
_STACK_GOES_ON = {"UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"}


class Awaited(StrEnum):
    """What the machine waits for."""

    ACTIVE = "ACTIVE"
    GONE = "GONE"
    NOTHING = "NOTHING"


def create_or_change(
    wanted: WantedFlywheel, *, token: str, old_tags: Sequence[Tag], comprehend: ComprehendClient
) -> Awaited:
    """Create the flywheel, or make an existing one as it is wanted.

    A flywheel of the same name that has its data lake in ours is taken up: an earlier try left it, or an update is
    rolled back to it. Raises FlywheelRefused, ServiceBusy and ServiceFault.
    """
    found = find_flywheel(wanted.flywheel_arn, comprehend=comprehend)
    if found is None:
        check_initial_model(wanted, comprehend=comprehend)
        _create(wanted, token=token, comprehend=comprehend)
        return Awaited.ACTIVE
    if not wanted.is_ours(found):
        raise FlywheelRefused(
            f"There is already a flywheel {wanted.flywheel_arn}, and its data lake is at {found.get('DataLakeS3Uri')}: "
            "delete it, or choose another name or generation."
        )
    status = required(found, "Status", of=f"flywheel {wanted.flywheel_arn}")
    if status == "DELETING":
        raise ServiceBusy(f"{wanted.flywheel_arn} is being deleted, and is created anew after that.")
    if status == "ACTIVE":
        _change(wanted, found, old_tags=old_tags, comprehend=comprehend)
    return Awaited.ACTIVE


def delete_flywheel(flywheel_arn: str, wanted: WantedFlywheel, *, comprehend: ComprehendClient) -> Awaited:
    """Delete the flywheel, unless there is none or it is not ours. Raises ServiceBusy while it is in use."""
    if ":flywheel/" not in flywheel_arn:
        # The id of a creation that never began.
        return Awaited.NOTHING
    found = find_flywheel(flywheel_arn, comprehend=comprehend)
    if found is None or not wanted.is_ours(found):
        return Awaited.NOTHING
    try:
        comprehend.delete_flywheel(FlywheelArn=flywheel_arn)
    except comprehend.exceptions.ResourceNotFoundException:
        return Awaited.NOTHING
    except ClientError as error:
        if error_code(error) in _IN_USE and found.get("Status") != "DELETING":
            raise ServiceBusy(f"{flywheel_arn} cannot be deleted yet: {error_message(error)}") from error
        if error_code(error) not in _IN_USE:
            raise
    return Awaited.GONE


def is_kept(*, stack_id: str, cloudformation: CloudFormationClient) -> bool:
    """Whether the stack goes on without the flywheel: an endpoint may still hang on it, as on one that is replaced."""
    (stack,) = cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
    return stack["StackStatus"] in _STACK_GOES_ON


def find_flywheel(flywheel_arn: str, *, comprehend: ComprehendClient) -> Any:
    """DescribeFlywheel's properties; None if there is no such flywheel."""
    try:
        answer = comprehend.describe_flywheel(FlywheelArn=flywheel_arn)
    except comprehend.exceptions.ResourceNotFoundException:
        return None
    except ClientError as error:
        raise _as_ours(error, flywheel_arn) from error
    return required(answer, "FlywheelProperties", of=f"flywheel {flywheel_arn}")


def _create(wanted: WantedFlywheel, *, token: str, comprehend: ComprehendClient) -> None:
    request: dict[str, Any] = {
        "FlywheelName": wanted.name,
        "ActiveModelArn": wanted.initial_model_arn,
        "DataAccessRoleArn": wanted.data_access_role_arn,
        "DataLakeS3Uri": wanted.data_lake_s3_uri,
        "ClientRequestToken": token,
        "Tags": [tag.model_dump(by_alias=True) for tag in wanted.tags],
    }
    if wanted.data_security_config:
        request["DataSecurityConfig"] = wanted.data_security_config
    try:
        comprehend.create_flywheel(**request)
    except ClientError as error:
        if error_code(error) in BUSY:
            # A quota is reached, or the flywheel exists and is not found yet.
            raise ServiceBusy(f"Comprehend takes no flywheel now: {error_message(error)}") from error
        raise _as_ours(error, wanted.flywheel_arn) from error


def _change(wanted: WantedFlywheel, found: Any, *, old_tags: Sequence[Tag], comprehend: ComprehendClient) -> None:
    security = _changeable(wanted.data_security_config)
    if (found.get("DataAccessRoleArn"), _changeable(found.get("DataSecurityConfig", {}))) != (
        wanted.data_access_role_arn,
        security,
    ):
        try:
            # The whole block: what is left out of it becomes null (reference 2.4). Never with ActiveModelArn.
            comprehend.update_flywheel(
                FlywheelArn=wanted.flywheel_arn,
                DataAccessRoleArn=wanted.data_access_role_arn,
                DataSecurityConfig=security,  # type: ignore[arg-type]  # as the template has it
            )
        except ClientError as error:
            service = FlywheelService(comprehend=comprehend, flywheel_arn=wanted.flywheel_arn, kind=wanted.kind)
            newest = next(service.iterations(), None)
            if error_code(error) in INVALID | _IN_USE and newest is not None and newest.status.running:
                raise ServiceBusy(f"Comprehend changes no flywheel while iteration {newest.id} runs.") from error
            raise _as_ours(error, wanted.flywheel_arn) from error
    _retag(wanted, old_tags=old_tags, comprehend=comprehend)


def _retag(wanted: WantedFlywheel, *, old_tags: Sequence[Tag], comprehend: ComprehendClient) -> None:
    """Tags that people added stay."""
    arn = wanted.flywheel_arn
    there = {tag["Key"]: tag.get("Value", "") for tag in comprehend.list_tags_for_resource(ResourceArn=arn)["Tags"]}
    tags = {tag.key: tag.value for tag in wanted.tags}
    gone = sorted({tag.key for tag in old_tags} & there.keys() - tags.keys())
    changed = [{"Key": key, "Value": value} for key, value in sorted(tags.items()) if there.get(key) != value]
    if gone:
        comprehend.untag_resource(ResourceArn=arn, TagKeys=gone)
    if changed:
        comprehend.tag_resource(ResourceArn=arn, Tags=changed)  # type: ignore[arg-type]  # TagTypeDef


def _changeable(security: Any) -> dict[str, Any]:
    """Without what is null, and with the VPC's ids in one order."""
    found = {name: security[name] for name in _CHANGEABLE if security.get(name)}
    if "VpcConfig" in found:
        found["VpcConfig"] = {member: sorted(ids) for member, ids in found["VpcConfig"].items()}
    return found


def _as_ours(error: ClientError, flywheel_arn: str) -> Exception:
    """The error under the name by which the machine knows whether to try again."""
    if error_code(error) == "AccessDeniedException":
        # The function's role is as new as the flywheel, and IAM takes a while to know of it everywhere.
        return ServiceFault(error_message(error))
    if error_code(error) in _REFUSALS:
        return FlywheelRefused(f"Comprehend refuses {flywheel_arn}: {error_message(error)}")
    return error
