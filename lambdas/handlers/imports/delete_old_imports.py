"""Deletes the oldest imported versions beyond ModelsToKeep, unless they are needed."""

from __future__ import annotations

from functools import partial
from typing import Any

from pydantic import Field

from flywheel.environment import Pipeline
from flywheel.promotions.delete_old_models import delete_old_models
from flywheel.records.promotions import deleted_key, require_current
from handlers.clients import pipeline
from handlers.imports.events import ImportStep
from handlers.observability import handles, logger


class Environment(Pipeline):
    models_to_keep: int = Field(ge=1)


@handles(ImportStep, Environment)
def handler(step: ImportStep, environment: Environment) -> dict[str, Any]:
    parts = pipeline(environment)
    found = delete_old_models(
        pipeline=parts,
        keep=environment.models_to_keep,
        key=deleted_key(step.promotion),
        require_current=partial(require_current, parts.intake, step.promotion),
    )
    logger.info("old models", promotion=step.promotion, deleted=found.deleted, in_use=found.in_use)
    return {}
