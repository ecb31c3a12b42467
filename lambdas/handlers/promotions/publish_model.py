"""Writes the active model to Parameter Store, and returns the detail of the event `Model Promoted`."""

from __future__ import annotations

from typing import Any

from flywheel.environment import Pipeline
from flywheel.promotions.publish_model import publish_model
from flywheel.promotions.requests import event_detail
from handlers.clients import pipeline
from handlers.clock import now
from handlers.observability import handles, logger
from handlers.promotions.events import PromotionStep


class Environment(Pipeline):
    pass


@handles(PromotionStep, Environment)
def handler(step: PromotionStep, environment: Environment) -> dict[str, Any]:
    beginning = publish_model(pipeline=pipeline(environment), promotion=step.promotion, now=now())
    logger.info("published", promotion=step.promotion)
    return {"event": event_detail(beginning, flywheel_name=environment.flywheel_name)}
