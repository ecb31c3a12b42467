"""Faults a test switches on: refused or slow operations, lost answers, work that fails, models with a warning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveInt, model_validator

from local.comprehend.errors import ComprehendError, service_error

DEFAULT_CODES = {
    "throttle": "ThrottlingException",
    "fail": "InternalServerException",
    "lose_response": "InternalServerException",
}


class Fault(BaseModel):
    """One fault. It strikes each ``every``-th matching call or resource, at most ``times`` times (None: without end).

    For an ``operation`` (a name, or ``*``): ``throttle`` and ``fail`` refuse it with ``code``, ``status``, ``message``,
    ``delay`` holds it up for ``seconds`` (it takes effect then, also if its caller is gone), ``lose_response`` carries
    it out and answers the error all the same. For a ``resource`` (the next to be made): it becomes FAILED with
    ``message`` (the model of an ``import``: IN_ERROR); a ``model``, whose only kind is ``warn``, TRAINED_WITH_WARNING.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    operation: str | None = None
    resource: Literal["flywheel", "dataset", "iteration", "job", "endpoint", "import", "model"] | None = None
    kind: Literal["throttle", "fail", "delay", "lose_response", "warn"] = "fail"
    every: PositiveInt = 1
    times: PositiveInt | None = None
    code: str | None = None
    status: int | None = Field(default=None, ge=400, le=599, description="HTTP status; without, the code's own.")
    message: str = "A fault that was asked for."
    seconds: NonNegativeFloat = Field(default=1.0, description="Of a delay, in real time.")

    @model_validator(mode="after")
    def _one_target(self) -> Fault:
        if (self.operation is None) == (self.resource is None):
            raise ValueError("a fault names either an operation or a resource")
        if (self.resource == "model") != (self.kind == "warn"):
            raise ValueError("a model can only be warned of, and nothing else can")
        if self.resource not in (None, "model") and self.kind != "fail":
            raise ValueError("a resource other than a model can only fail")
        return self

    def error(self) -> ComprehendError:
        return service_error(self.code or DEFAULT_CODES[self.kind], self.message, status=self.status)


@dataclass(kw_only=True)
class _Armed:
    fault: Fault
    seen: int = 0
    struck: int = 0

    def strikes(self) -> bool:
        if self.fault.times is not None and self.struck >= self.fault.times:
            return False
        self.seen += 1
        if self.seen % self.fault.every:
            return False
        self.struck += 1
        return True


class Faults:
    """The faults that are switched on, in the order they were added; the first that strikes is the one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._armed: list[_Armed] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._armed.append(_Armed(fault=fault))

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

    def listed(self) -> list[tuple[Fault, int]]:
        """Each fault with the number of times it struck."""
        with self._lock:
            return [(armed.fault, armed.struck) for armed in self._armed]

    def for_operation(self, operation: str) -> Fault | None:
        return self._first(lambda fault: fault.operation in (operation, "*"))

    def for_resource(self, resource: str) -> Fault | None:
        return self._first(lambda fault: fault.resource == resource)

    def _first(self, matches: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            return next((armed.fault for armed in self._armed if matches(armed.fault) and armed.strikes()), None)
