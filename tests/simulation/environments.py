"""Lambda's execution environments, of the functions that keep something in memory from one request to the next.

One environment serves one request at a time; what comes meanwhile gets another. It ends when its function is killed or
configured anew. All other handlers keep nothing, so that one module serves for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.simulation import installation

if TYPE_CHECKING:
    from tests.simulation.deployment.stack import Function
    from tests.simulation.kernel import Kernel

Handler = Callable[[dict[str, Any], Any], Any]
_KEEPING = frozenset({"handlers.api.classify_api", "handlers.api.take_feedback"})
"""`flywheel.api.classify_api` remembers the served model, `handlers.api.take_feedback` the flywheel's labels."""
_ENDED = 0.1
"""So often Lambda has ended an environment that was idle."""


class ExecutionEnvironments:
    """Of one world."""

    def __init__(self, kernel: Kernel) -> None:
        self._draw = kernel.random("execution environments")
        self._idle: dict[str, list[tuple[Any, Handler]]] = {}
        """By the function's ARN, with the variables that each was started with."""

    @contextmanager
    def handler(self, function: Function) -> Iterator[Handler]:
        """An idle environment, or a new one."""
        if function.module not in _KEEPING:
            yield installation.handler(function.module)
            return
        idle = self._idle.setdefault(function.arn, [])
        idle[:] = [one for one in idle if one[0] == function.environment and self._draw.random() >= _ENDED]
        taken = idle.pop() if idle else (function.environment, installation.handler_of_its_own(function.module))
        try:
            yield taken[1]
        except Exception:
            idle.append(taken)
            raise
        # Whoever was killed (a BaseException) does not come here.
        idle.append(taken)
