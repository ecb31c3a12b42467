"""Reports the end of an execution of the serve machine: to people, to the alarms, and to CloudFormation if it waits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from flywheel.environment import Pipeline
from flywheel.promotions.take_back import take_back
from flywheel.records.serving import ServingStatus, smoke_test_of
from flywheel.serving.metrics import of_serving
from flywheel.serving.report_serving import write_state
from flywheel.serving.smoke_test import Trial
from flywheel.text.byte_limits import LONGEST_SENTENCE, within
from flywheel.text.failure_cause import readable_cause
from handlers.clients import intake_bucket, pipeline
from handlers.clock import now
from handlers.cloudformation import CustomResourceEvent, answer
from handlers.measuring import emit
from handlers.observability import logger, observed
from handlers.status_event import StatusEvent

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Environment(Pipeline):
    endpoint_arn: str


class End(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    status: str
    """The name of a ServingStatus."""
    reason: str = ""
    model_arn: str | None = None
    trial: Trial = Trial.NOT_WANTED
    error: str | None = None
    cause: str | None = None
    answer: CustomResourceEvent | None = None


environment = Environment.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The event is the last step of the machine, or the status event of an execution that did not reach it: then
    CloudFormation must not keep waiting."""
    if "detail" in event:
        return _answer_for(StatusEvent.model_validate(event["detail"]))
    end = End.model_validate(event)
    status = ServingStatus[end.status]
    reason = f"{end.error}: {readable_cause(end.cause)}" if end.error else end.reason
    intake = intake_bucket(environment)
    tested = smoke_test_of(end.model_arn, intake=intake) if end.model_arn and end.trial is Trial.DONE else None
    if tested is not None:
        reason = f"{reason} {tested.sentence}"
    # It becomes part of the state of this machine, and of the one that waits for it. Both allow 256 KiB.
    reason = within(reason, LONGEST_SENTENCE)
    state = write_state(
        status=status,
        reason=reason,
        model_arn=end.model_arn,
        endpoint_arn=environment.endpoint_arn,
        intake=intake,
        now=now(),
    )
    failed = tested is not None and not tested.passed
    if tested is not None:
        request = take_back(tested, pipeline=pipeline(environment))
        if request is not None:
            logger.warning("the former model is requested", request=request.id, model=request.model_arn)
    emit(of_serving(state, smoke_test_failed=failed), flywheel_name=environment.flywheel_name)
    logger.info("serving", status=status, reason=reason, smoke_test_failed=failed)
    if end.answer is not None:
        removed = status is not ServingStatus.BEHIND
        answer(end.answer, status="SUCCESS" if removed else "FAILED", reason=reason, physical_id="endpoint")
    return {"status": status.name, "reason": reason, "smoke_test_failed": failed}


def _answer_for(stopped: StatusEvent) -> dict[str, Any]:
    """Answer CloudFormation for the execution. If that has answered itself, CloudFormation ignores this answer."""
    given = json.loads(stopped.input or "null")
    request = given.get("answer") if isinstance(given, dict) else None
    if request:
        reason = f"The removal of the endpoint, {stopped.name}, ended as {stopped.status}. Destroy the stack again."
        answer(CustomResourceEvent.model_validate(request), status="FAILED", reason=reason, physical_id="endpoint")
    return {}
