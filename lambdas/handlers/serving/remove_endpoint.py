"""Custom resource: makes the serve machine remove the endpoint when the stack is destroyed."""

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


def _remove(event: CustomResourceEvent) -> str | None:
    """Deleting an endpoint takes minutes, so the execution answers CloudFormation at its end. If it fails before, its
    status event makes report_serving answer."""
    if event.RequestType != "Delete":
        return "nothing to do"
    remove_endpoint(
        request_id=event.RequestId,
        answer=event.model_dump(),
        stepfunctions=client("stepfunctions"),
        machine_arn=Removal.load().serve_machine_arn,
    )
    return None
