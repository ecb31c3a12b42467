"""Starts a turn if there is something to do. Uploads, ends of turns, operators and the schedule invoke it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flywheel.environment import FlywheelPipeline, Pace
from flywheel.records.turns import turn_starter
from flywheel.turn import metrics, start_turn
from handlers.clients import client, flywheel_pipeline, intake_bucket
from handlers.clock import now
from handlers.measuring import emit
from handlers.observability import logger, observed
from handlers.pokes import read_pokes

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_LONGEST_DELAY = timedelta(minutes=15)
"""SQS's limit for the delay of a message. A longer wait takes several messages."""

_POKES_BY_SOURCE = {"aws.s3": start_turn.Poke.UPLOAD, "aws.states": start_turn.Poke.TURN_ENDED}


class Environment(FlywheelPipeline, Pace):
    turn_machine_arn: str
    turn_queue_url: str


environment = Environment.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Messages only make the function look; all facts are read from the records."""
    pokes, response = read_pokes(event, kind=start_turn.Poke, by_source=_POKES_BY_SOURCE)
    if pokes:
        _answer(pokes)
    return response


def _answer(pokes: frozenset[start_turn.Poke]) -> None:
    intake = intake_bucket(environment)
    moment = now()
    found = start_turn.decide(
        start_turn.observe(
            pipeline=flywheel_pipeline(environment),
            pokes=pokes,
            now=moment,
            quiet_period=timedelta(minutes=environment.quiet_period_minutes),
            minimum_between_iterations=timedelta(hours=environment.minimum_hours_between_iterations),
        )
    )
    logger.info("poked", pokes=sorted(pokes), start=found.start, reason=found.reason)
    emit([metrics.of_start(waits_for_a_person=found.waits_for_a_person)], flywheel_name=environment.flywheel_name)
    if found.start:
        starter = turn_starter(
            intake=intake, stepfunctions=client("stepfunctions"), machine_arn=environment.turn_machine_arn
        )
        logger.info("turn runs", turn=starter.start(moment))
    elif found.again_in is not None:
        delay = min(found.again_in, _LONGEST_DELAY)
        client("sqs").send_message(
            QueueUrl=environment.turn_queue_url,
            MessageBody=json.dumps({"poke": start_turn.Poke.DELAYED}),
            DelaySeconds=max(1, int(delay.total_seconds()) + 1) if delay < _LONGEST_DELAY else 900,
        )
