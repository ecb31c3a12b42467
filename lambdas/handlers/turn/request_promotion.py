"""Requests the promotion of a decision's candidate, and does not wait for it."""

from __future__ import annotations

import json
from typing import Any

from flywheel.environment import Intake
from flywheel.promotions.request_promotion import request_promotion
from flywheel.promotions.start_promotion import Poke
from flywheel.records.promotions import PromotionMode
from handlers.clients import client, intake_bucket
from handlers.clock import now
from handlers.observability import handles, logger
from handlers.turn.events import IterationStep


class Environment(Intake):
    promotion_queue_url: str
    promotion_mode: PromotionMode


@handles(IterationStep, Environment)
def handler(step: IterationStep, environment: Environment) -> dict[str, Any]:
    request = request_promotion(
        turn=step.turn,
        iteration_id=step.iteration_id,
        mode=environment.promotion_mode,
        intake=intake_bucket(environment),
        now=now(),
    )
    client("sqs").send_message(QueueUrl=environment.promotion_queue_url, MessageBody=json.dumps({"poke": Poke.REQUEST}))
    logger.info("promotion requested", turn=step.turn, model=request.model_arn, mode=environment.promotion_mode)
    return {}
