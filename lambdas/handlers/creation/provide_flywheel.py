"""Custom resource: has the create machine create, change or delete the flywheel, which may take longer than a
function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flywheel.creation.provide_flywheel import provide_flywheel
from flywheel.environment import Environment
from handlers.clients import client
from handlers.cloudformation import CustomResourceEvent, answered
from handlers.creation.events import FlywheelEvent
from handlers.observability import observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

NEVER_CREATED = "no-flywheel"
"""The physical id if no execution was started: nothing is deleted for it."""


class Machine(Environment):
    create_machine_arn: str


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    def start(_: CustomResourceEvent) -> None:
        """The execution answers CloudFormation at its end. If it fails before, its status event makes report_flywheel
        answer."""
        request = FlywheelEvent.model_validate(event)
        provide_flywheel(
            change=request.RequestType,
            request_id=request.RequestId,
            request=request.model_dump(mode="json", by_alias=True),
            stepfunctions=client("stepfunctions"),
            machine_arn=Machine.load().create_machine_arn,
        )

    answered(event, context, physical_id=NEVER_CREATED, work=start)
