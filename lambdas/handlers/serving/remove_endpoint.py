"""Custom resource: has the serve machine remove the endpoint when the stack is destroyed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from flywheel.environment import Environment
from flywheel.errors import FlywheelError
from handlers.clients import client
from handlers.cloudformation import CustomResourceEvent, answered
from handlers.observability import logger, observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Removal(Environment):
    serve_machine_arn: str


class RemovalNotStarted(FlywheelError):
    """Nothing removes the endpoint: the stack has to be destroyed again."""


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    answered(event, context, physical_id="endpoint", work=_remove)


def _remove(asked: CustomResourceEvent) -> str | None:
    """On deletion the execution answers CloudFormation at its end: an endpoint takes minutes to go. One that cannot
    answer itself is answered for by report_serving, which hears of its end.

    The parameter `serving` is gone by then (it depends on this resource), so nothing is wanted any more.
    """
    if asked.RequestType != "Delete":
        return "nothing to do"
    environment = Removal.load()
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
    except (ClientError, BotoCoreError) as error:
        raise RemovalNotStarted(
            "The endpoint, if there is one, is still there and billed by the hour: its removal by "
            f"{environment.serve_machine_arn} could not be started ({error}). Destroy the stack again."
        ) from error
    return None
