"""A client of the simulated S3 for tests of what sends its requests from no function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.simulation.functions import FunctionKilled

if TYPE_CHECKING:
    from tests.pipeline.deployed import Deployment


class Client:
    """Of S3, before each of whose requests a test may do something, or end whoever uses it."""

    def __init__(self, at: Deployment) -> None:
        self.s3 = at.client("s3")
        self._send = self.s3._make_api_call
        self.s3._make_api_call = self._make_api_call
        self.begin()

    def begin(self, *, survives: int | None = None, before: Callable[[int], object] = lambda _: None) -> None:
        """Anew. It is killed before the next change when it has made `survives`; `before` gets a request's number."""
        self.requests: list[str] = []
        self.sent: list[tuple[str, dict[str, Any]]] = []
        """The same with their parameters."""
        self.killed = False
        self._changes = 0
        self._survives = survives
        self._before = before

    def _make_api_call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        changes = not operation.startswith(("Get", "List", "Head"))
        self.killed = self.killed or (changes and self._changes == self._survives)
        if self.killed:
            raise FunctionKilled(operation)
        self.requests.append(operation)
        self.sent.append((operation, parameters))
        self._before(len(self.requests) - 1)
        answer: dict[str, Any] = self._send(operation, parameters)
        self._changes += changes
        return answer
