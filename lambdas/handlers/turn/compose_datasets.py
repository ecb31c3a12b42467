"""Composes TEST and TRAIN datasets from the waiting documents."""

from __future__ import annotations

from typing import Any

from flywheel.datasets.compose_datasets import DatasetComposer
from flywheel.environment import Composing, Flywheel, Intake, Labels
from flywheel.preparation import ConflictingLabels
from flywheel.records.turns import TurnBeginning, begin_key
from flywheel.turn import metrics
from handlers.clients import flywheel_service, intake_bucket
from handlers.clock import now
from handlers.measuring import emit
from handlers.observability import handles, logger
from handlers.turn.events import Step


class Environment(Flywheel, Intake, Labels, Composing):
    pass


@handles(Step, Environment)
def handler(step: Step, environment: Environment) -> dict[str, Any]:
    intake = intake_bucket(environment)
    service = flywheel_service(environment)
    composer = DatasetComposer(
        intake=intake,
        service=service,
        beginning=intake.require(begin_key(step.turn), TurnBeginning),
        minimum_per_label=environment.minimum_documents_per_label,
        label_delimiter=environment.label_delimiter,
        conflicting_labels=ConflictingLabels(environment.conflicting_labels),
        now=now(),
    )
    composition = composer.compose()
    logger.info("datasets composed", turn=step.turn, datasets=[found.name for found in composition.datasets])
    emit(metrics.of_datasets(service.datasets(), composition), flywheel_name=environment.flywheel_name)
    return {"datasets": [reference.model_dump(mode="json") for reference in composition.datasets]}
