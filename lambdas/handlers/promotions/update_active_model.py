"""Changes the flywheel's active model. Only this function may call UpdateFlywheel."""

from __future__ import annotations

from typing import Any

from flywheel.environment import ModelsOfDeployment
from flywheel.promotions.update_active_model import put_back, update_active_model
from handlers.clients import active_model_service, intake_bucket
from handlers.clock import now
from handlers.observability import handles, logger
from handlers.promotions.events import ActiveModelStep


class Environment(ModelsOfDeployment):
    pass


@handles(ActiveModelStep, Environment)
def handler(step: ActiveModelStep, environment: Environment) -> dict[str, Any]:
    if step.put_back:
        found = put_back(
            promotion=step.promotion, intake=intake_bucket(environment), service=active_model_service(environment)
        )
        logger.info("former model put back", promotion=step.promotion, model=found.model_arn, why_none=found.why_none)
        return {"put_back": found.model_arn, "why_none": found.why_none}
    status = update_active_model(
        promotion=step.promotion,
        intake=intake_bucket(environment),
        service=active_model_service(environment),
        now=now(),
    )
    logger.info("active model", promotion=step.promotion, status=status)
    return {"status": status.name}
