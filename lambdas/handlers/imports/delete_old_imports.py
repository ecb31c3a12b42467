"""Deletes the oldest imported versions beyond ModelsToKeep, unless they are needed."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from flywheel.environment import Pipeline
from flywheel.imports.delete_old_imports import delete_old_imports
from handlers.clients import pipeline
from handlers.imports.events import ImportStep
from handlers.observability import handles, logger


class Environment(Pipeline):
    models_to_keep: int = Field(ge=1)


@handles(ImportStep, Environment)
def handler(step: ImportStep, environment: Environment) -> dict[str, Any]:
    found = delete_old_imports(
        promotion=step.promotion, keep=environment.models_to_keep, pipeline=pipeline(environment)
    )
    logger.info("old models", promotion=step.promotion, deleted=found.deleted, in_use=found.in_use)
    return {}
