"""Custom resource: removes with the stack the parameters that are written at run time and so are in no template."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from flywheel.environment import Parameters
from flywheel.published import RUN_TIME_NAMES
from handlers.clients import client
from handlers.observability import logger, observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

environment = Parameters.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """CloudFormation waits for the answer until the resource's time-out, so a failure is answered too."""
    reason = "deleted" if event["RequestType"] == "Delete" else "nothing to do"
    status = "SUCCESS"
    if event["RequestType"] == "Delete":
        names = [f"{environment.parameter_prefix}/{name}" for name in RUN_TIME_NAMES]
        try:
            client("ssm").delete_parameters(Names=names)
        except (ClientError, BotoCoreError) as error:
            logger.exception("parameters were not deleted")
            status, reason = "FAILED", f"{', '.join(names)} could not be deleted: {error}"
    answer = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": event.get("PhysicalResourceId", environment.parameter_prefix),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    request = urllib.request.Request(  # noqa: S310 - the pre-signed URL that CloudFormation gave
        event["ResponseURL"], data=json.dumps(answer).encode(), method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310 (the URL is CloudFormation's)
        pass
