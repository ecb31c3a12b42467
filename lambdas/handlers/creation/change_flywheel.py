"""Creates, changes or deletes the flywheel that CloudFormation's event describes."""

from __future__ import annotations

from flywheel.creation.change_flywheel import Awaited, create_or_change, delete_flywheel, is_kept
from flywheel.environment import Environment
from handlers.clients import client
from handlers.creation.events import FlywheelEvent, FlywheelStep
from handlers.observability import handles, logger


@handles(FlywheelStep, Environment)
def handler(step: FlywheelStep, environment: Environment) -> dict[str, str]:
    awaited = _change(step.request)
    logger.info("changed", request=step.request.RequestType, flywheel=step.request.flywheel_arn, awaited=awaited)
    return {"awaited": awaited.value, "flywheel_arn": step.request.flywheel_arn}


def _change(request: FlywheelEvent) -> Awaited:
    wanted, comprehend = request.ResourceProperties, client("comprehend")
    if request.RequestType != "Delete":
        return create_or_change(
            wanted, token=request.RequestId, old_tags=request.OldResourceProperties.Tags, comprehend=comprehend
        )
    if is_kept(stack_id=request.StackId, cloudformation=client("cloudformation")):
        return Awaited.NOTHING
    return delete_flywheel(request.flywheel_arn, wanted, comprehend=comprehend)
