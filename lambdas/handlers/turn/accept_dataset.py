"""Records that Comprehend has accepted a dataset, and removes its parts from `prepared/`."""

from __future__ import annotations

from typing import Any

from flywheel.datasets.accept_dataset import accept_dataset
from flywheel.environment import Flywheel, Intake
from flywheel.records.datasets import read_manifest
from handlers.clients import flywheel_service, intake_bucket
from handlers.clock import now
from handlers.observability import handles, logger
from handlers.turn.events import DatasetStep


class Environment(Flywheel, Intake):
    pass


@handles(DatasetStep, Environment)
def handler(step: DatasetStep, environment: Environment) -> dict[str, Any]:
    intake = intake_bucket(environment)
    manifest = read_manifest(intake, step.split, step.name)
    service = flywheel_service(environment)
    accept_dataset(turn=step.turn, manifest=manifest, intake=intake, service=service, now=now())
    logger.info("dataset accepted", turn=step.turn, dataset=step.name, documents=manifest.documents)
    return {}
