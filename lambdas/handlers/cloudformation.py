"""Answers to CloudFormation, which waits for one about each custom resource: an hour, if nobody tells it."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from flywheel.text.byte_limits import within
from flywheel.text.printable import printable
from handlers.observability import logger

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

Status = Literal["SUCCESS", "FAILED"]
TRIES = 3
TRY_SECONDS = 5.0
"""Of one attempt to bring the answer."""
RESERVE_SECONDS = TRIES * TRY_SECONDS + 1
"""So long before its time-out a function answers that it did not get done."""
_REASON_BYTES = 1024
"""CloudFormation takes 4,096 bytes of an answer, with ids of up to 2,300. The machine's execution has the whole."""


class CloudFormationRequest(BaseModel):
    """What an answer needs of CloudFormation's event, in its own spelling."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ResponseURL: str
    """Signed in advance: whoever has it can answer."""
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
) -> None:
    """Do `work` and answer with the reason that it returns, or FAILED with what it raised or because time is up. None
    leaves the answer to whoever `work` handed the event on to.

    Raises pydantic.ValidationError for an event that says nobody whom to answer, and what kept the answer from
    arriving: CloudFormation invokes asynchronously, so Lambda tries again twice.
    """
    asked = CloudFormationRequest.model_validate(event)
    one_at_a_time = threading.Lock()
    said: list[Status] = []

    def say(status: Status, reason: str) -> None:
        with one_at_a_time:
            if not said:
                answer(asked, status=status, reason=reason, physical_id=physical_id)
                said.append(status)

    seconds = max(context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS, 0)
    alarm = threading.Timer(seconds, say, ["FAILED", f"{context.function_name} was not done after {seconds:.0f} s."])
    alarm.daemon = True
    alarm.start()
    try:
        reason = work(CustomResourceEvent.model_validate(event))
    except ValidationError as error:
        logger.exception("the event or the environment is not what it should be")
        say("FAILED", f"{context.function_name} could not read what it was given: {error}")
    except Exception as error:  # noqa: BLE001 - whatever it is: unanswered, it would keep the stack waiting
        logger.exception("the custom resource failed")
        say("FAILED", f"{error} The log of {context.function_name} says more.")
    else:
        if reason is not None:
            say("SUCCESS", reason)
    finally:
        alarm.cancel()


def answer(asked: CloudFormationRequest, *, status: Status, reason: str, physical_id: str) -> None:
    """`physical_id` counts where CloudFormation has none yet. Raises urllib's errors after the last attempt."""
    request = urllib.request.Request(  # noqa: S310 - the pre-signed URL that CloudFormation gave
        asked.ResponseURL,
        data=answer_body(asked, status=status, reason=reason, physical_id=physical_id),
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


def answer_body(asked: CloudFormationRequest, *, status: Status, reason: str, physical_id: str) -> bytes:
    body: dict[str, Any] = {
        "Status": status,
        "Reason": within(printable(reason), _REASON_BYTES),
        "PhysicalResourceId": asked.PhysicalResourceId or physical_id,
        "StackId": asked.StackId,
        "RequestId": asked.RequestId,
        "LogicalResourceId": asked.LogicalResourceId,
    }
    return json.dumps(body, ensure_ascii=False).encode()
