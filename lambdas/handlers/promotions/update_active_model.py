"""Changes the flywheel's active model. Only this function may call UpdateFlywheel."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flywheel.environment import ModelsOfDeployment
from flywheel.promotions.update_active_model import put_back, update_active_model
from flywheel.records.promotions import LEASE_KEY, require_current
from flywheel.store.lease import held
from handlers.clients import active_model_service, intake_bucket
from handlers.clock import now
from handlers.observability import handles, logger
from handlers.promotions.events import ActiveModelStep

if TYPE_CHECKING:
    from flywheel.comprehend.active_model import ActiveModelService
    from flywheel.store.bucket import IntakeBucket


TIMEOUT = timedelta(minutes=2)
"""The function's time-out. The lease lasts a little longer."""


class Environment(ModelsOfDeployment):
    pass


@handles(ActiveModelStep, Environment)
def handler(step: ActiveModelStep, environment: Environment) -> dict[str, Any]:
    intake = intake_bucket(environment)
    require_current(intake, step.promotion)
    # UpdateFlywheel has no compare-and-set: what goes on after its execution was stopped must not come in between.
    # Under the lease the step looks again whether it is current.
    with held(LEASE_KEY, holder=step.promotion, intake=intake, now=now(), lasts=TIMEOUT + timedelta(seconds=30)):
        return _change(step, intake=intake, service=active_model_service(environment))


def _change(step: ActiveModelStep, *, intake: IntakeBucket, service: ActiveModelService) -> dict[str, Any]:
    if step.put_back:
        found = put_back(promotion=step.promotion, intake=intake, service=service)
        logger.info("former model put back", promotion=step.promotion, model=found.model_arn, why_none=found.why_none)
        return {"put_back": found.model_arn, "why_none": found.why_none}
    status = update_active_model(promotion=step.promotion, intake=intake, service=service, now=now())
    logger.info("active model", promotion=step.promotion, status=status)
    return {"status": status.name}
