"""Answers to CloudFormation, which waits for one about each custom resource."""

from __future__ import annotations

import json
import urllib.request
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from flywheel.byte_limits import within
from flywheel.printable import printable

_REASON_BYTES = 1024
"""CloudFormation takes 4,096 bytes of an answer, with ids of up to 2,300. The machine's execution has the whole."""


class CustomResourceEvent(BaseModel):
    """What CloudFormation sends, in its own spelling."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    RequestType: Literal["Create", "Update", "Delete"]
    ResponseURL: str
    """Signed in advance: whoever has it can answer."""
    StackId: str
    RequestId: str
    LogicalResourceId: str
    PhysicalResourceId: str | None = None


def answer(event: CustomResourceEvent, *, status: Literal["SUCCESS", "FAILED"], reason: str, physical_id: str) -> None:
    """`physical_id` counts where CloudFormation has none yet. Raises urllib's errors."""
    body = answer_body(event, status=status, reason=reason, physical_id=physical_id)
    request = urllib.request.Request(  # noqa: S310 - the pre-signed URL that CloudFormation gave
        event.ResponseURL, data=body, method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310 (the URL is CloudFormation's)
        pass


def answer_body(
    event: CustomResourceEvent, *, status: Literal["SUCCESS", "FAILED"], reason: str, physical_id: str
) -> bytes:
    body: dict[str, Any] = {
        "Status": status,
        "Reason": within(printable(reason), _REASON_BYTES),
        "PhysicalResourceId": event.PhysicalResourceId or physical_id,
        "StackId": event.StackId,
        "RequestId": event.RequestId,
        "LogicalResourceId": event.LogicalResourceId,
    }
    return json.dumps(body, ensure_ascii=False).encode()
