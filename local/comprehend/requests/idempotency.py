"""Repeated requests: the same client request token means the same resource."""

from __future__ import annotations

from typing import Any

from local.comprehend.errors import invalid_request
from local.comprehend.state import AnsweredRequest, RegionState

# Where a token is unique within a flywheel; elsewhere it is in the account and Region.
_WITHIN_FLYWHEEL = frozenset({"CreateDataset", "StartFlywheelIteration"})


def already_made(region: RegionState, *, operation: str, request: dict[str, Any]) -> str | None:
    """The resource that an earlier request with this ClientRequestToken made, or None.

    Raises InvalidRequestException when the earlier request was another one (AWS does not document that case).
    """
    answered = region.answered.get(_key(operation, request))
    if answered is None:
        return None
    if answered.request != request:
        token = request["ClientRequestToken"]
        raise invalid_request(f"The ClientRequestToken {token} was used for a different {operation} request.")
    return answered.resource


def remember(region: RegionState, *, operation: str, request: dict[str, Any], resource: str) -> None:
    """Keep what the request made, if it has a token."""
    if request.get("ClientRequestToken"):
        region.answered[_key(operation, request)] = AnsweredRequest(request=request, resource=resource)


def _key(operation: str, request: dict[str, Any]) -> tuple[str, str, str]:
    within = request["FlywheelArn"] if operation in _WITHIN_FLYWHEEL else ""
    return operation, within, request.get("ClientRequestToken", "")
