"""Where a deployed API answers: AWS gives each a name of its own, the emulator a path of its one address."""

from __future__ import annotations

import os
import re
from typing import Any

from local.cloud.emulator.ministack import changesets, engine, stacks

_ON_AWS = re.compile(r"https://([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com")


def teach() -> None:
    """Whatever a template makes of an API's id, output or parameter, is an address that can be called."""
    resolve = engine._resolve_refs

    def resolve_here(*arguments: Any) -> Any:
        return reachable(resolve(*arguments))

    for module in (engine, changesets, stacks):
        if getattr(module, "_resolve_refs", None) is resolve:
            module._resolve_refs = resolve_here


def reachable(value: Any) -> Any:
    """`value` with the local address of each API that a text names."""
    if not isinstance(value, str) or ".execute-api." not in value:
        return value
    endpoint = os.environ["AWS_ENDPOINT_URL"].rstrip("/")
    return _ON_AWS.sub(rf"{endpoint}/_aws/execute-api/\1", value)
