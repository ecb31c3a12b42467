"""Who acts: which world the running code belongs to, and in whose name its requests are sent."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.simulation.api import Caller
    from tests.simulation.world import World


@dataclass(frozen=True, kw_only=True)
class Acting:
    """`environment` are the variables of the function that runs, empty outside of functions."""

    world: World
    caller: Caller
    environment: Mapping[str, str]
    who: str
    """For the story: a function and its invocation, or a person."""


acting: ContextVar[Acting] = ContextVar("acting")
