"""Clears what a COMPLETED dataset was composed from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flywheel.datasets.accept_dataset import accept_dataset
from flywheel.environment import Flywheel, Intake
from flywheel.records.datasets import read_manifest
from handlers.clients import flywheel_service, intake_bucket
from handlers.clock import now
from handlers.observability import logger, observed
from handlers.turn.events import DatasetStep

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Environment(Flywheel, Intake):
    pass


environment = Environment.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    step = DatasetStep.model_validate(event)
    intake = intake_bucket(environment)
    manifest = read_manifest(intake, step.split, step.name)
    service = flywheel_service(environment)
    accept_dataset(turn=step.turn, manifest=manifest, intake=intake, service=service, now=now())
    logger.info("dataset accepted", turn=step.turn, dataset=step.name, documents=manifest.documents)
    return {}
