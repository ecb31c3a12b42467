"""Asks people whether a candidate may be promoted; their answer goes to Step Functions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flywheel import approvals, measuring
from flywheel.environment import Flywheel, Intake
from handlers.clients import client, intake_bucket
from handlers.clock import now
from handlers.measuring import emit
from handlers.observability import logger, observed
from handlers.promotion_events import ApprovalQuestion

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Environment(Flywheel, Intake):
    topic_arn: str
    approval_hours: float


environment = Environment.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    question = ApprovalQuestion.model_validate(event)
    intake = intake_bucket(environment)
    beginning = approvals.ask(
        promotion=question.promotion,
        task_token=question.task_token,
        patience=timedelta(hours=environment.approval_hours),
        intake=intake,
        now=now(),
    )
    emit([measuring.of_approvals(waiting=True)], flywheel_name=environment.flywheel_name)
    client("sns").publish(
        TopicArn=environment.topic_arn,
        Subject=approvals.subject(beginning, flywheel_name=environment.flywheel_name),
        Message=approvals.message(beginning, intake=intake, flywheel_name=environment.flywheel_name),
    )
    logger.info("approval asked for", promotion=question.promotion)
    return {}
