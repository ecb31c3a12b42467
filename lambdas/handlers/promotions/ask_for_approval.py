"""Asks people to approve a promotion. Their answer goes to Step Functions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flywheel.environment import ModelsOfDeployment
from flywheel.promotions import ask_for_approval, metrics
from handlers.clients import client, intake_bucket
from handlers.clock import now
from handlers.measuring import emit
from handlers.observability import handles, logger
from handlers.promotions.events import ApprovalQuestion


class Environment(ModelsOfDeployment):
    topic_arn: str
    approval_hours: float


@handles(ApprovalQuestion, Environment)
def handler(question: ApprovalQuestion, environment: Environment) -> dict[str, Any]:
    intake = intake_bucket(environment)
    beginning = ask_for_approval.ask_for_approval(
        promotion=question.promotion,
        task_token=question.task_token,
        patience=timedelta(hours=environment.approval_hours),
        intake=intake,
        now=now(),
    )
    emit([metrics.of_approvals(waiting=True)], flywheel_name=environment.flywheel_name)
    client("sns").publish(
        TopicArn=environment.topic_arn,
        Subject=ask_for_approval.subject(beginning, flywheel_name=environment.flywheel_name),
        Message=ask_for_approval.message(beginning, intake=intake, flywheel_name=environment.flywheel_name),
    )
    logger.info("approval asked for", promotion=question.promotion)
    return {}
