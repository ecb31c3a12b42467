"""Custom resource: removes with the stack the parameters that are written at run time and so are in no template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from flywheel.environment import Parameters
from flywheel.published import RUN_TIME_NAMES
from handlers.clients import client
from handlers.cloudformation import CustomResourceEvent, answer
from handlers.observability import logger, observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

environment = Parameters.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """CloudFormation waits for the answer until the resource's time-out, so a failure is answered too."""
    asked = CustomResourceEvent.model_validate(event)
    status: Literal["SUCCESS", "FAILED"] = "SUCCESS"
    reason = "deleted" if asked.RequestType == "Delete" else "nothing to do"
    if asked.RequestType == "Delete":
        names = [f"{environment.parameter_prefix}/{name}" for name in RUN_TIME_NAMES]
        try:
            client("ssm").delete_parameters(Names=names)
        except (ClientError, BotoCoreError) as error:
            logger.exception("parameters were not deleted")
            status, reason = "FAILED", f"{', '.join(names)} could not be deleted: {error}"
    answer(asked, status=status, reason=reason, physical_id=environment.parameter_prefix)
