"""Custom resource: has the serve machine remove the endpoint when the stack is destroyed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flywheel.environment import Environment
from handlers.clients import client
from handlers.cloudformation import CustomResourceEvent, answer
from handlers.observability import logger, observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Removal(Environment):
    serve_machine_arn: str


environment = Removal.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """On deletion the execution answers CloudFormation at its end: an endpoint takes minutes to go.

    The parameter `serving` is gone by then (it depends on this resource), so nothing is wanted any more.
    """
    asked = CustomResourceEvent.model_validate(event)
    if asked.RequestType != "Delete":
        answer(asked, status="SUCCESS", reason="nothing to do", physical_id="endpoint")
        return
    stepfunctions = client("stepfunctions")
    try:
        stepfunctions.start_execution(
            stateMachineArn=environment.serve_machine_arn,
            name=f"remove-{asked.RequestId}",
            input=json.dumps({"answer": asked.model_dump()}),
        )
    except stepfunctions.exceptions.ExecutionAlreadyExists:
        # Lambda repeated the event.
        logger.info("the removal runs already")
