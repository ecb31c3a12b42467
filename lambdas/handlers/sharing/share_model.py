"""Shares models with trusted accounts: after a promotion, on schedule, and when a deployment changes the list."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flywheel.environment import FlywheelPipeline
from flywheel.faults.errors import ServiceBusy
from flywheel.sharing.made_once import made_once
from flywheel.sharing.metrics import of_sharing
from flywheel.sharing.principals import NONE, read_principals
from flywheel.sharing.share_model import Outcome, Sharing
from handlers.clients import client, flywheel_pipeline
from handlers.clock import now
from handlers.cloudformation import RESERVE_SECONDS, answered
from handlers.measuring import emit
from handlers.observability import logger, observed
from handlers.sharing.events import ShareStep, SharingEvent

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

PHYSICAL_ID = "model-sharing"
_SECONDS_OF_A_CHANGE = 60
"""What is left for a change when the wait for another run is given up."""
_LONGER = timedelta(seconds=10)
environment = FlywheelPipeline.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if "RequestType" in event:
        # A try that was told to have failed could not be held back from changing the list later.
        answered(event, context, physical_id=PHYSICAL_ID, work=lambda _: _deploy(event, context), gives_up=False)
        return {}
    step = ShareStep.model_validate(event)
    try:
        outcome = _sharing(context, holder=step.promotion or "The schedule").share_model()
    except ServiceBusy:
        # Another run does the same.
        raise
    except Exception:
        # Whatever it was: the alarm tells, and the machine or Lambda tries again.
        _measure(behind=True)
        raise
    if outcome is None:
        return {"reason": None}
    _measure(behind=bool(outcome.problems))
    logger.info("shared", problems=outcome.problems, undelivered=sorted(outcome.undelivered), notes=outcome.notes)
    return {"reason": outcome.sentence or None}


def _deploy(event: dict[str, Any], context: LambdaContext) -> str:
    """Apply the list of the template. Raises SharingRefused, so that CloudFormation goes back to the former one."""
    change = SharingEvent.model_validate(event)
    given = (NONE,) if change.RequestType == "Delete" else change.ResourceProperties.TrustedAccounts
    principals = read_principals(given, partition=context.invoked_function_arn.split(":")[1])

    def share() -> str:
        sharing = _sharing(context, holder="A deployment")
        outcome = _when_free(context, lambda: sharing.change_trusted(principals))
        if principals:
            _measure(behind=bool(outcome.problems))
        logger.info(
            "deployed", principals=principals, problems=outcome.problems, undelivered=sorted(outcome.undelivered)
        )
        return outcome.sentence or "Nothing is shared."

    intake = flywheel_pipeline(environment).intake
    return made_once(change.RequestId, share, intake=intake)


def _when_free(context: LambdaContext, change: Callable[[], Outcome]) -> Outcome:
    """A run after a promotion or on schedule ends soon. Raises ServiceBusy if it does not: it may have been killed, and
    its lease ends before Lambda's last try."""
    while True:
        try:
            return change()
        except ServiceBusy:
            if context.get_remaining_time_in_millis() / 1000 < RESERVE_SECONDS + _SECONDS_OF_A_CHANGE:
                raise
            time.sleep(2)


def _sharing(context: LambdaContext, *, holder: str) -> Sharing:
    return Sharing(
        pipeline=flywheel_pipeline(environment),
        comprehend=client("comprehend"),
        events=client("events"),
        flywheel_name=environment.flywheel_name,
        model_type=environment.model_type,
        holder=holder,
        lasts=timedelta(milliseconds=context.get_remaining_time_in_millis()) + _LONGER,
        clock=now,
    )


def _measure(*, behind: bool) -> None:
    emit([of_sharing(behind=behind)], flywheel_name=environment.flywheel_name)
