"""Publishes reviewers' answers when there are enough of them, when they wait for long, or when a person asks.

On schedule it deletes forgotten texts that came back.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from flywheel.environment import Flywheel, Intake, Review
from flywheel.records.review import Batch
from flywheel.review.forget import forget_what_came_back
from flywheel.review.publish_answers import Publishing, is_time_to_look, publish_answers
from flywheel.review.queue import ReviewQueue
from handlers.clients import flywheel_service, intake_bucket, model_kind
from handlers.clock import now
from handlers.observability import logger, observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Environment(Flywheel, Intake, Review):
    pass


class PublishStep(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    poke: Literal["answer", "schedule"] | None = None
    asked_by: str | None = None
    """ARN of a person who wants all answers to be published now."""


environment = Environment.load()


@observed
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    step = PublishStep.model_validate(event)
    rules = Publishing(
        minimum_per_label=environment.minimum_documents_per_label,
        longest=timedelta(days=environment.review_publish_days),
        test_percent=environment.review_test_percent,
    )
    task = flywheel_service(environment).describe().task
    if not task.labels:
        # Nobody can have answered anything.
        logger.info("the flywheel is being created")
        return {"documents": 0, "uploads": []}
    queue = ReviewQueue(
        intake=intake_bucket(environment),
        kind=model_kind(environment),
        task=task,
        reviewers_per_item=environment.reviewers_per_item,
    )
    if step.poke != "answer":
        came_back = forget_what_came_back(queue.intake)
        if came_back:
            logger.info("forgotten texts came back", objects=came_back)
    batches: tuple[Batch, ...] = ()
    if step.poke != "answer" or is_time_to_look(queue, rules):
        asked = step.asked_by is not None
        batches = publish_answers(queue, rules, by=step.asked_by or "publish_answers", now=now(), asked=asked)
    documents = sum(len(batch.items) for batch in batches)
    logger.info("published", documents=documents, batches=[batch.id for batch in batches])
    return {"documents": documents, "uploads": [key for batch in batches for key in batch.keys]}
