"""Answers CloudFormation about custom resources. Without an answer it would wait for an hour."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from flywheel.faults.errors import ServiceBusy
from flywheel.text.byte_limits import within
from flywheel.text.printable import printable
from handlers.observability import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

Status = Literal["SUCCESS", "FAILED"]
TRIES = 3
TRY_SECONDS = 5.0
"""Time-out of one attempt to send the answer."""
RESERVE_SECONDS = TRIES * TRY_SECONDS + 1
"""A function that is not done answers FAILED this long before its own time-out."""
_REASON_BYTES = 1024
"""CloudFormation takes answers of 4,096 bytes, in which ids may have 2,300. The execution's history has the full
reason."""


class CloudFormationRequest(BaseModel):
    """The members of CloudFormation's event that an answer needs, in CloudFormation's spelling."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ResponseURL: str
    """Pre-signed: anybody who has it can answer."""
    StackId: str
    RequestId: str
    LogicalResourceId: str
    PhysicalResourceId: str | None = None


class CustomResourceEvent(CloudFormationRequest):
    RequestType: Literal["Create", "Update", "Delete"]


def answered(
    event: dict[str, Any],
    context: LambdaContext,
    *,
    physical_id: str,
    work: Callable[[CustomResourceEvent], str | None],
    gives_up: bool = True,
) -> None:
    """Do `work`, and answer SUCCESS with the reason that it returns, or FAILED if it raises or if the time is up.

    If `work` returns None, it has passed the event on, and the receiver answers. Unless it `gives_up`, nothing is
    answered when the time is up, or when `work` raises ServiceBusy: Lambda repeats the event, and CloudFormation waits
    for that, at most for the resource's ServiceTimeout.

    Raises pydantic.ValidationError if the event does not say where to answer, the last error of sending the answer, and
    ServiceBusy. CloudFormation invokes asynchronously, so Lambda then tries again twice.
    """
    request = CloudFormationRequest.model_validate(event)
    one_at_a_time = threading.Lock()
    sent: list[Status] = []

    def send(status: Status, reason: str) -> None:
        with one_at_a_time:
            if not sent:
                answer(request, status=status, reason=reason, physical_id=physical_id)
                sent.append(status)

    seconds = max(context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS, 0)
    alarm = threading.Timer(seconds, send, ["FAILED", f"{context.function_name} was not done after {seconds:.0f} s."])
    alarm.daemon = True
    if gives_up:
        alarm.start()
    try:
        reason = work(CustomResourceEvent.model_validate(event))
    except ValidationError as error:
        logger.exception("the event or the environment is not what it should be")
        send("FAILED", f"{context.function_name} could not read what it was given: {error}")
    except Exception as error:
        if isinstance(error, ServiceBusy) and not gives_up:
            logger.info("another run is at work", error=str(error))
            raise
        logger.exception("the custom resource failed")
        # Without an answer the stack would keep waiting.
        send("FAILED", f"{error} The log of {context.function_name} says more.")
    else:
        if reason is not None:
            send("SUCCESS", reason)
    finally:
        alarm.cancel()


def answer(to: CloudFormationRequest, *, status: Status, reason: str, physical_id: str, replaced: bool = False) -> None:
    """Send the answer. `physical_id` is used if CloudFormation has none yet, or if the resource was `replaced`. Raises
    urllib's last error."""
    request = urllib.request.Request(  # noqa: S310 - the pre-signed URL that CloudFormation gave
        to.ResponseURL,
        data=answer_body(to, status=status, reason=reason, physical_id=physical_id, replaced=replaced),
        method="PUT",
        headers={"Content-Type": ""},
    )
    for left in reversed(range(TRIES)):
        try:
            with urllib.request.urlopen(request, timeout=TRY_SECONDS):  # noqa: S310 (the URL is CloudFormation's)
                return
        except OSError:
            if not left:
                raise
            logger.warning("CloudFormation did not take the answer", tries_left=left)


def answer_body(
    to: CloudFormationRequest, *, status: Status, reason: str, physical_id: str, replaced: bool = False
) -> bytes:
    body: dict[str, Any] = {
        "Status": status,
        "Reason": within(printable(reason), _REASON_BYTES),
        "PhysicalResourceId": physical_id if replaced else to.PhysicalResourceId or physical_id,
        "StackId": to.StackId,
        "RequestId": to.RequestId,
        "LogicalResourceId": to.LogicalResourceId,
    }
    return json.dumps(body, ensure_ascii=False).encode()
