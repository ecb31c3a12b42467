"""Deletes the oldest models beyond ModelsToKeep, unless they are needed."""

from __future__ import annotations

from functools import partial
from typing import Any

from pydantic import Field

from flywheel.environment import FlywheelPipeline
from flywheel.promotions.delete_old_models import delete_old_models
from flywheel.records.turns import deleted_key, require_current
from handlers.clients import flywheel_pipeline
from handlers.observability import handles, logger
from handlers.turn.events import Step


class Environment(FlywheelPipeline):
    models_to_keep: int = Field(ge=1)


@handles(Step, Environment)
def handler(step: Step, environment: Environment) -> dict[str, Any]:
    pipeline = flywheel_pipeline(environment)
    found = delete_old_models(
        pipeline=pipeline,
        keep=environment.models_to_keep,
        key=deleted_key(step.turn),
        require_current=partial(require_current, pipeline.intake, step.turn),
    )
    logger.info("old models", turn=step.turn, deleted=found.deleted, in_use=found.in_use)
    return {}
