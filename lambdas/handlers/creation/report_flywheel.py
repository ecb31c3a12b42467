"""Answers CloudFormation at the end of an execution of the create machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flywheel.creation.report_flywheel import accept_flywheel, remove_unused
from flywheel.environment import Intake
from flywheel.faults.errors import FlywheelRefused
from flywheel.text.failure_cause import readable_cause
from handlers.clients import client, intake_bucket
from handlers.cloudformation import answer
from handlers.creation.events import FlywheelEnd, FlywheelEvent
from handlers.observability import logger, observed
from handlers.status_event import StatusEvent

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

NEVER_ACTIVE = "FlywheelFailed"
"""The error of the machine about a flywheel whose status became FAILED."""
environment = Intake.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The event is the last step of the machine, or the status event of an execution that did not reach it: then
    CloudFormation must not keep waiting. If the execution has answered itself, CloudFormation ignores another
    answer."""
    if "detail" in event:
        stopped = StatusEvent.model_validate(event["detail"])
        end = FlywheelEnd(
            request=json.loads(stopped.input or "{}").get("request"),
            error=f"The execution {stopped.name} ended as {stopped.status}",
            cause=stopped.cause,
        )
    else:
        end = FlywheelEnd.model_validate(event)
    request, reason = end.request, f"{end.error}: {readable_cause(end.cause)}" if end.error else None
    comprehend = client("comprehend")
    if reason is None and request.RequestType != "Delete":
        try:
            reason = accept_flywheel(
                request.ResourceProperties, comprehend=comprehend, intake=intake_bucket(environment)
            )
        except FlywheelRefused as error:
            remove_unused(request.ResourceProperties, comprehend=comprehend)
            return _answer(request, "FAILED", str(error))
        return _answer(request, "SUCCESS", reason)
    if end.error == NEVER_ACTIVE and request.RequestType != "Delete":
        remove_unused(request.ResourceProperties, comprehend=comprehend)
    return _answer(request, "FAILED" if reason else "SUCCESS", reason or "It is gone, or kept.")


def _answer(request: FlywheelEvent, status: Any, reason: str) -> dict[str, Any]:
    logger.info("answered", request=request.RequestType, status=status, reason=reason)
    # Another flywheel than before is another physical resource. A failed update leaves the one that there was.
    replaced = request.RequestType == "Update" and status == "SUCCESS"
    answer(request, status=status, reason=reason, physical_id=request.flywheel_arn, replaced=replaced)
    return {}
