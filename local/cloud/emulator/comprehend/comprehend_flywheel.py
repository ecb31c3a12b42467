"""`AWS::Comprehend::Flywheel` as CloudFormation's own handler treats it.

The source is AWS's published handler (repository
aws-cloudformation/aws-cloudformation-resource-providers-comprehend), with the peculiarities a template has to live
with: an in-place update sends what the template says on every change, so a model that stands in the template undoes
promotions; a changed DataLakeKmsKeyId is ignored; a removed DataSecurityConfig clears nothing.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from local.cloud.emulator.ministack import provisioners, responses, stacks
from local.comprehend.errors import ComprehendError
from local.comprehend.service import Comprehend

_TYPE = "AWS::Comprehend::Flywheel"
_CREATE_ONLY = ("FlywheelName", "DataLakeS3Uri", "ModelType", "TaskConfig")
_CREATED_FROM = (*_CREATE_ONLY, "ActiveModelArn", "DataAccessRoleArn", "DataSecurityConfig", "Tags")
_SETTLES_WITHIN = 600.0
_POLL = 0.1


class FlywheelFailed(Exception):
    """What CloudFormation shows as the reason of a failed resource."""


def teach(service: Comprehend) -> None:
    flywheels = _Flywheels(service)
    provisioners._RESOURCE_HANDLERS[_TYPE] = {
        "create": flywheels.create,
        "update": flywheels.update,
        "update_with_logical_id": True,
        "delete": flywheels.delete,
    }
    blocks = stacks._runs_on_worker_thread
    # The handlers wait for the service, which calls S3: the event loop must stay free to answer.
    stacks._runs_on_worker_thread = lambda resource_type: resource_type == _TYPE or blocks(resource_type)


class _Flywheels:
    def __init__(self, service: Comprehend) -> None:
        self._service = service

    def create(self, _logical_id: str, properties: dict[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
        request = {name: properties[name] for name in _CREATED_FROM if name in properties}
        request["ClientRequestToken"] = uuid.uuid4().hex
        try:
            arn = self._call("CreateFlywheel", request)["FlywheelArn"]
        except ComprehendError as error:
            if error.code == "ResourceInUseException":
                raise FlywheelFailed(f"Flywheel {properties.get('FlywheelName')} already exists.") from error
            raise
        described = self._settled(arn, "CREATING", created=True)
        if described["Status"] != "ACTIVE":
            self.delete(arn, properties)
            raise FlywheelFailed(f"The flywheel became {described['Status']}: {described.get('Message', '')}")
        return arn, {"Arn": arn}

    def update(
        self, arn: str, old: dict[str, Any], new: dict[str, Any], stack: str, logical_id: str | None = None
    ) -> tuple[str, dict[str, str]]:
        if any(old.get(name) != new.get(name) for name in _CREATE_ONLY):
            return self.create(logical_id or arn, new, stack)
        request = {"FlywheelArn": arn, "DataAccessRoleArn": new["DataAccessRoleArn"]}
        if "ActiveModelArn" in new:
            request["ActiveModelArn"] = new["ActiveModelArn"]
        if "DataSecurityConfig" in new:
            request["DataSecurityConfig"] = {
                name: value for name, value in new["DataSecurityConfig"].items() if name != "DataLakeKmsKeyId"
            }
        self._call("UpdateFlywheel", request)
        self._retag(arn, _tags(old), _tags(new))
        return arn, {"Arn": arn}

    def delete(self, arn: str, _properties: dict[str, Any]) -> None:
        try:
            self._call("DeleteFlywheel", {"FlywheelArn": arn})
            self._settled(arn, "DELETING", "ACTIVE", "FAILED")
        except ComprehendError as error:
            if error.code == "ResourceInUseException":
                raise FlywheelFailed(f"Resource conflict: {error.message}") from error
            if error.code != "ResourceNotFoundException":
                raise

    def _retag(self, arn: str, old: dict[str, str], new: dict[str, str]) -> None:
        gone = sorted(old.keys() - new.keys())
        changed = [{"Key": key, "Value": value} for key, value in new.items() if old.get(key) != value]
        if gone:
            self._call("UntagResource", {"ResourceArn": arn, "TagKeys": gone})
        if changed:
            self._call("TagResource", {"ResourceArn": arn, "Tags": changed})

    def _settled(self, arn: str, *passing: str, created: bool = False) -> dict[str, Any]:
        """The flywheel's properties once its status is none of `passing`. One `created` just now may not show yet."""
        deadline = time.monotonic() + _SETTLES_WITHIN
        while True:
            described = self._described(arn, created=created)
            if described["Status"] not in passing:
                return described
            if time.monotonic() > deadline:
                raise FlywheelFailed(f"The flywheel was still {described['Status']} after {_SETTLES_WITHIN:.0f} s.")
            time.sleep(_POLL)

    def _described(self, arn: str, *, created: bool) -> dict[str, Any]:
        try:
            described: dict[str, Any] = self._call("DescribeFlywheel", {"FlywheelArn": arn})["FlywheelProperties"]
        except ComprehendError as error:
            if not created or error.code != "ResourceNotFoundException":
                raise
            return {"Status": "CREATING"}
        return described

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        return self._service.call(
            operation=operation, request=request, account=responses.get_account_id(), region=responses.get_region()
        )


def _tags(properties: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags") or []}
