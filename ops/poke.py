"""Telling the pipeline to look whether there is something to do: a turn, or a promotion."""

from __future__ import annotations

import json

from flywheel.promotions import start_promotion
from flywheel.turn import start_turn
from ops.deployment import Deployment


def poke(deployment: Deployment) -> None:
    """Sends one message to the turn queue. By itself it starts nothing: start_turn looks and judges."""
    body = json.dumps({"poke": start_turn.Poke.OPERATOR.value})
    deployment.clients.sqs.send_message(QueueUrl=deployment.published.turn_queue_url, MessageBody=body)


def poke_promotions(deployment: Deployment) -> None:
    """The same of the promotion queue, where start_promotion looks and judges."""
    body = json.dumps({"poke": start_promotion.Poke.OPERATOR.value})
    deployment.clients.sqs.send_message(QueueUrl=deployment.published.promotion_queue_url, MessageBody=body)
