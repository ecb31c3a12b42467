"""Repeated requests: the same client request token means the same resource."""

from __future__ import annotations

from typing import Any

from local.comprehend.errors import invalid_request
from local.comprehend.state import AnsweredRequest, RegionState


def already_made(region: RegionState, *, operation: str, within: str, request: dict[str, Any]) -> str | None:
    """The resource that an earlier request with this ClientRequestToken made, or None.

    ``within`` is what the token is unique in: a flywheel's ARN, or nothing. Raises InvalidRequestException when the
    earlier request was another one (AWS does not document that case).
    """
    token = request.get("ClientRequestToken")
    answered = region.answered.get((operation, within, token)) if token else None
    if answered is None:
        return None
    if answered.request != request:
        raise invalid_request(f"The ClientRequestToken {token} was used for a different {operation} request.")
    return answered.resource


def remember(region: RegionState, *, operation: str, within: str, request: dict[str, Any], resource: str) -> None:
    """Keep what the request made, if it has a token."""
    if token := request.get("ClientRequestToken"):
        region.answered[(operation, within, token)] = AnsweredRequest(request=request, resource=resource)
