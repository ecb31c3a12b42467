"""The first step of a turn: collects the uploads, or finds an unfinished iteration."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flywheel.environment import FlywheelPipeline, Pace
from flywheel.records.uploads import Split
from flywheel.turn.begin_turn import begin_turn, write_batches
from handlers.clients import flywheel_pipeline, intake_bucket
from handlers.clock import now
from handlers.observability import handles, logger
from handlers.turn.events import Step


class Environment(FlywheelPipeline, Pace):
    pass


@handles(Step, Environment)
def handler(step: Step, environment: Environment) -> dict[str, Any]:
    intake = intake_bucket(environment)
    beginning = begin_turn(
        pipeline=flywheel_pipeline(environment),
        turn=step.turn,
        minimum_between_iterations=timedelta(hours=environment.minimum_hours_between_iterations),
        now=now(),
    )
    batches = {split: write_batches(intake, beginning, split).model_dump() for split in Split}
    logger.info("turn began", turn=step.turn, uploads=len(beginning.uploads), unfinished=beginning.unfinished_iteration)
    return {
        "turn": step.turn,
        "unfinished_iteration": beginning.unfinished_iteration,
        "test_batches": batches[Split.TEST],
        "train_batches": batches[Split.TRAIN],
    }
