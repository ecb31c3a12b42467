"""Telling the pipeline to look whether there is something to do."""

from __future__ import annotations

import json

from flywheel.due import Poke
from ops.deployment import Deployment


def poke(deployment: Deployment) -> None:
    """Sends one message to the turn queue. By itself it starts nothing: start_turn looks and judges."""
    body = json.dumps({"poke": Poke.OPERATOR.value})
    deployment.clients.sqs.send_message(QueueUrl=deployment.published.turn_queue_url, MessageBody=body)
