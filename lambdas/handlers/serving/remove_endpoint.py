"""Custom resource: has the serve machine remove the endpoint when the stack is destroyed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flywheel.environment import Environment
from flywheel.serving.remove_endpoint import remove_endpoint
from handlers.clients import client
from handlers.cloudformation import CustomResourceEvent, answered
from handlers.observability import observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Removal(Environment):
    serve_machine_arn: str


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    answered(event, context, physical_id="endpoint", work=_remove)


def _remove(asked: CustomResourceEvent) -> str | None:
    """On deletion the execution answers CloudFormation at its end: an endpoint takes minutes to go. One that cannot
    answer itself is answered for by report_serving, which hears of its end."""
    if asked.RequestType != "Delete":
        return "nothing to do"
    remove_endpoint(
        request_id=asked.RequestId,
        answer=asked.model_dump(),
        stepfunctions=client("stepfunctions"),
        machine_arn=Removal.load().serve_machine_arn,
    )
    return None
