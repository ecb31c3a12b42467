"""What an execution asks of the world around it, and what it tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from tests.simulation.kernel import Kernel
    from tests.simulation.machines.execution import Execution


class TaskFailed(Exception):
    """How a task fails: by an error's name (Lambda.TooManyRequestsException, UploadRefused), perhaps with its cause."""

    def __init__(self, error: str, cause: str | None = None) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskRequest:
    """One attempt of a task, or a Map's look into its ItemReader."""

    execution: Execution
    """The child execution, in a Distributed Map."""
    state: str
    resource: str
    """The ARN's end: lambda:invoke, lambda:invoke.waitForTaskToken, states:startExecution.sync:2,
    aws-sdk:comprehend:describeDataset, events:putEvents, s3:getObject (an ItemReader's)."""
    arguments: Any
    """Evaluated. Of nobody's to change: it may be part of the input or of a variable."""
    token: str | None = None
    """Of a task that waits for a callback."""
    retry: int = 0
    """How many attempts were before it."""


class Visit(NamedTuple):
    """Something that happened in a state, for coverage and for the story."""

    execution: Execution
    state: str
    what: str
    """entered; redriven (entered again); choice (`number` of the rule, None: Default); retry and catch (`number` of
    the Retrier or Catcher, `error`); iteration (`number` of the item, whose iteration or child execution begins)."""
    number: int | None = None
    error: str | None = None


class Host(Protocol):
    """What it is given and returns are JSON values, which neither side changes."""

    @property
    def kernel(self) -> Kernel: ...

    def run_task(self, request: TaskRequest) -> Any:
        """The task's result: what `$states.result` is, of s3:getObject the object's text. May wait: it has a process of
        its own, which goes on when the execution is stopped or the task's time is up. Raises TaskFailed.

        Of a task that waits for a callback, only the request: `Execution.task_succeeded` and `task_failed` answer it,
        also before this returns.
        """

    def abandoned(self, request: TaskRequest) -> None:
        """Nobody waits for the task any more: its time is up, or what waited was stopped. May not wait. This is where
        an execution of `.sync:2` is stopped; a function is not."""

    def visited(self, visit: Visit) -> None:
        """May not wait."""
