"""CloudFormation: who asks for a stack that is changing hears of its end at once.

The CDK CLI asks, waits five seconds and asks again; a stack here is done in one or two. So an answer about a stack that
is changing comes when the change has ended, or a little later than asked: AWS promises no time to answer either.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from local.cloud.emulator.ministack import app, cloudformation

Handler = Callable[..., Awaitable[Any]]

_AT_MOST = 4.0
_LOOKS_EVERY = 0.05


def teach() -> None:
    app.SERVICE_HANDLERS["cloudformation"] = answering_late(cloudformation.handle_request)


def answering_late(handle: Handler) -> Handler:
    async def handle_late(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Any:
        name = _described_stack(body)
        deadline = time.monotonic() + _AT_MOST
        while name is not None and _is_changing(name) and time.monotonic() < deadline:
            await asyncio.sleep(_LOOKS_EVERY)
        return await handle(method, path, headers, body, query)

    return handle_late


def _described_stack(body: bytes) -> str | None:
    """The name of the stack that a request asks about; None if it asks for something else."""
    asked = parse_qs(body.decode()) if b"DescribeStacks" in body else {}
    if asked.get("Action") != ["DescribeStacks"] or "StackName" not in asked:
        return None
    named = asked["StackName"][0]
    return named.split("/")[1] if named.startswith("arn:") else named


def _is_changing(name: str) -> bool:
    status = str((cloudformation._stacks.get(name) or {}).get("StackStatus", ""))
    # One that only has a change set waits for a person.
    return status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"
