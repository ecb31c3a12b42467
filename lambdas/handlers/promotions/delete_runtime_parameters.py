"""Custom resource: removes with the stack the parameters that are written at run time and so are in no template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from flywheel.environment import Parameters
from flywheel.errors import FlywheelError
from flywheel.store.parameters import RUN_TIME_NAMES
from handlers.clients import client
from handlers.cloudformation import CustomResourceEvent, answered
from handlers.observability import observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class ParametersNotDeleted(FlywheelError):
    """The parameters are still there."""


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    answered(event, context, physical_id="runtime-parameters", work=_delete)


def _delete(asked: CustomResourceEvent) -> str:
    if asked.RequestType != "Delete":
        return "nothing to do"
    environment = Parameters.load()
    names = [f"{environment.parameter_prefix}/{name}" for name in RUN_TIME_NAMES]
    try:
        client("ssm").delete_parameters(Names=names)
    except (ClientError, BotoCoreError) as error:
        raise ParametersNotDeleted(
            f"{', '.join(names)} could not be deleted ({error}). Destroy the stack again."
        ) from error
    return "deleted"
