"""Parses pokes: messages in a queue that make a start function look whether there is something to start.

All messages of a batch are handled together, because the function looks only once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from handlers.observability import logger

P = TypeVar("P", bound=StrEnum)


def read_pokes(
    event: Mapping[str, Any], *, kind: type[P], by_source: Mapping[str, P]
) -> tuple[frozenset[P], dict[str, Any]]:
    """The pokes of an SQS batch, and the function's response to it.

    A message is `{"poke": <value>}` or an event of one of the services in `by_source`. Other messages are reported as
    failed, so that only they end in the dead-letter queue.
    """
    found = {record["messageId"]: _poke(record["body"], kind, by_source) for record in event["Records"]}
    unknown = [message for message, poke in found.items() if poke is None]
    if unknown:
        logger.error("these messages are no pokes", messages=unknown)
    pokes = frozenset(poke for poke in found.values() if poke is not None)
    return pokes, {"batchItemFailures": [{"itemIdentifier": message} for message in unknown]}


def _poke(body: str, kind: type[P], by_source: Mapping[str, P]) -> P | None:
    try:
        message = json.loads(body)
    except ValueError:
        return None
    if not isinstance(message, dict):
        return None
    if "poke" in message:
        return next((poke for poke in kind if poke == message["poke"]), None)
    return by_source.get(str(message.get("source")))
