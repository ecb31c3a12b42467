"""Chooses the request that a promotion works on."""

from __future__ import annotations

from typing import Any

from flywheel.environment import Pipeline
from flywheel.promotions.begin_promotion import begin_promotion
from flywheel.records.promotions import PromotionMode
from handlers.clients import pipeline
from handlers.clock import now
from handlers.observability import handles, logger
from handlers.promotions.events import PromotionStep


class Environment(Pipeline):
    promotion_mode: PromotionMode


@handles(PromotionStep, Environment)
def handler(step: PromotionStep, environment: Environment) -> dict[str, Any]:
    beginning = begin_promotion(
        pipeline=pipeline(environment), promotion=step.promotion, mode=environment.promotion_mode, now=now()
    )
    request = beginning.request
    logger.info("promotion began", promotion=step.promotion, model=request.model_arn if request else None)
    return {"model_arn": request.model_arn if request else None, "approval": beginning.approval}
