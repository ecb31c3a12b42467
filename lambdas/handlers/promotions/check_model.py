"""Refuses a model that cannot or must not become the active one, before people are asked for approval."""

from __future__ import annotations

from typing import Any

from flywheel.environment import ModelsOfDeployment
from flywheel.promotions.check_model import check_model
from flywheel.text.byte_limits import LONGEST_SENTENCE, within
from handlers.clients import active_model_service, intake_bucket
from handlers.clock import now
from handlers.observability import handles, logger
from handlers.promotions.events import PromotionStep


class Environment(ModelsOfDeployment):
    pass


@handles(PromotionStep, Environment)
def handler(step: PromotionStep, environment: Environment) -> dict[str, Any]:
    warning = check_model(
        promotion=step.promotion,
        intake=intake_bucket(environment),
        service=active_model_service(environment),
        now=now(),
    )
    logger.info("model checked", promotion=step.promotion, warning=warning)
    # Step Functions allows 256 KiB of output. Comprehend's description of the model has the full text.
    return {"warning": within(warning, LONGEST_SENTENCE) if warning else None}
