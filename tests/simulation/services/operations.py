"""What a service of the simulation knows; whatever else it is asked, it says so instead of guessing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.simulation.api import Caller

Perform = Callable[[Mapping[str, Any], Caller], dict[str, Any]]


class Operations:
    """`known` has, by operation, what performs it and the parameters that it understands."""

    def __init__(self, service: str, known: Mapping[str, tuple[Perform, Iterable[str]]]) -> None:
        self._service = service
        self._known = {operation: (perform, frozenset(names)) for operation, (perform, names) in known.items()}

    def answer(self, operation: str, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        known = self._known.get(operation)
        if known is None:
            raise NotImplementedError(f"The simulation's {self._service} has no {operation}.")
        perform, names = known
        if not parameters.keys() <= names:
            unknown = ", ".join(sorted(parameters.keys() - names))
            raise NotImplementedError(
                f"The simulation's {self._service} does not know what {unknown} of {operation} means."
            )
        return perform(parameters, caller)
