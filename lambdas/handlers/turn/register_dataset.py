"""Registers a composed dataset with Comprehend, unless it is registered."""

from __future__ import annotations

from typing import Any

from flywheel.datasets.register_dataset import register_dataset
from flywheel.environment import Flywheel, Intake, Labels
from flywheel.records.datasets import read_manifest
from flywheel.records.turns import TurnBeginning, begin_key
from handlers.clients import flywheel_service, intake_bucket
from handlers.observability import handles, logger
from handlers.turn.events import DatasetStep


class Environment(Flywheel, Intake, Labels):
    pass


@handles(DatasetStep, Environment)
def handler(step: DatasetStep, environment: Environment) -> dict[str, Any]:
    intake = intake_bucket(environment)
    beginning = intake.require(begin_key(step.turn), TurnBeginning)
    arn = register_dataset(
        turn=step.turn,
        manifest=read_manifest(intake, step.split, step.name),
        intake=intake,
        service=flywheel_service(environment),
        label_delimiter=environment.label_delimiter if beginning.multi_label else None,
    )
    logger.info("dataset registered", turn=step.turn, dataset=step.name)
    return {"dataset_arn": arn}
