"""The first step of a turn: collects the uploads, or finds what an earlier turn left."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flywheel.environment import Flywheel, Intake, Pace, Parameters
from flywheel.records.uploads import Split
from flywheel.turn.begin_turn import begin_turn, write_batches
from handlers.clients import flywheel_service, intake_bucket, published_models
from handlers.clock import now
from handlers.observability import logger, observed
from handlers.turn.events import Step

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Environment(Flywheel, Intake, Parameters, Pace):
    pass


environment = Environment.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    step = Step.model_validate(event)
    intake = intake_bucket(environment)
    beginning = begin_turn(
        turn=step.turn,
        intake=intake,
        service=flywheel_service(environment),
        published=published_models(environment),
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
