"""Custom resource: deletes the run-time parameters when the stack is destroyed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flywheel.environment import Parameters
from flywheel.promotions.delete_runtime_parameters import delete_runtime_parameters
from handlers.clients import client
from handlers.cloudformation import CustomResourceEvent, answered
from handlers.observability import observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    answered(event, context, physical_id="runtime-parameters", work=_delete)


def _delete(event: CustomResourceEvent) -> str:
    if event.RequestType != "Delete":
        return "nothing to do"
    delete_runtime_parameters(ssm=client("ssm"), prefix=Parameters.load().parameter_prefix)
    return "deleted"
