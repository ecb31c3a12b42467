"""Invocations of the handlers' own code, each a process that can be suspended at every request, stopped and killed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.simulation.acting import Acting, acting
from tests.simulation.api import Caller
from tests.simulation.environments import ExecutionEnvironments
from tests.simulation.kernel import Process, Stopped

if TYPE_CHECKING:
    from tests.simulation.deployment.stack import Function
    from tests.simulation.world import World

_LARGEST_ANSWER = 6 * 1024 * 1024
_ASYNCHRONOUS_RETRIES = (60.0, 120.0)
"""Lambda invokes again after one minute and after two ("Error handling for asynchronous invocation")."""


class FunctionFailed(Exception):
    """As the service that invoked it sees the failure."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(f"{error}: {message}")
        self.error = error
        self.message = message


class FunctionKilled(Stopped):
    """The execution environment died: what the function had in memory is lost."""


class FunctionTimedOut(Stopped):
    """It ran longer than its time-out."""


@dataclass(kw_only=True)
class Context:
    """Lambda's context object, as far as the handlers use it."""

    world: World
    function: Function
    aws_request_id: str
    deadline: float
    function_version: str = "$LATEST"

    @property
    def function_name(self) -> str:
        return self.function.name

    @property
    def invoked_function_arn(self) -> str:
        return self.function.arn

    @property
    def memory_limit_in_mb(self) -> int:
        return 512

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.function.name}"

    log_stream_name = "simulation"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - self.world.kernel.now) * 1000))


class Functions:
    """The functions of all deployments, by ARN."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._count = 0
        self._environments = ExecutionEnvironments(world.kernel)
        self.known: dict[str, tuple[Function, str]] = {}
        """With the account that each belongs to."""
        self._deadlines: dict[str, float] = {}
        self.running: dict[str, Process[Any]] = {}
        """By the name of the invocation."""

    def add(self, function: Function, *, account: str) -> None:
        self.known[function.arn] = (function, account)

    def remove(self, arn: str) -> None:
        self.known.pop(arn, None)

    def remaining(self, who: str) -> float:
        """Seconds that an invocation has left."""
        return self._deadlines.get(who, 0.0) - self._world.kernel.now

    def arn_of(self, name: str) -> str:
        return next(arn for arn, (function, _) in self.known.items() if function.name == name)

    def begin(self, arn: str, event: Any) -> Process[Any]:
        """Start an invocation; its result is the answer as JSON, its error FunctionFailed or Stopped."""
        function, account = self.known[arn]
        kernel = self._world.kernel
        self._count += 1
        who = f"{function.module.rpartition('.')[2]}#{self._count}"
        context = Context(
            world=self._world,
            function=function,
            aws_request_id=f"{self._count:08d}-0000-0000-0000-000000000000",
            deadline=kernel.now + function.timeout,
        )
        running = Acting(
            world=self._world,
            caller=Caller(account=account, role=function.role),
            environment=function.environment,
            who=who,
        )
        text = json.dumps(event)
        process = kernel.start(lambda: self._run(function, text, context, running), name=who)
        self.running[who] = process
        self._deadlines[who] = context.deadline
        process.when_done(lambda: self.running.pop(who, None))
        kernel.later(
            function.timeout, lambda: process.kill(FunctionTimedOut(f"{who} ran longer than {function.timeout:.0f} s."))
        )
        return process

    def _run(self, function: Function, event: str, context: Context, running: Acting) -> Any:
        token = acting.set(running)
        self._world.function_began(running, function)
        try:
            with self._environments.handler(function) as handler:
                answer = handler(json.loads(event), context)
            text = json.dumps(answer)
        except NotImplementedError as error:
            # A gap of the simulation, and no fault of the function.
            self._world.kernel.failures.append(error)
            raise
        except Exception as error:
            self._world.function_failed(running, error)
            raise FunctionFailed(type(error).__name__, str(error)) from error
        finally:
            acting.reset(token)
        if len(text.encode()) > _LARGEST_ANSWER:
            raise FunctionFailed("Function.ResponseSizeTooLarge", f"{len(text)} bytes")
        return json.loads(text)

    def invoke(self, arn: str, event: Any) -> Any:
        """Invoke and wait. Raises FunctionFailed."""
        process = self.begin(arn, event)
        process.join()
        return outcome_of(process)

    def answer(self, operation: str, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:  # noqa: ARG002 - as every service
        if operation != "Invoke" or "InvocationType" in parameters:
            raise NotImplementedError(f"The simulated Lambda has no {operation} with {sorted(parameters)}.")
        try:
            found = self.invoke(parameters["FunctionName"], json.loads(parameters.get("Payload", b"null")))
        except FunctionFailed as failed:
            told = {"errorMessage": failed.message, "errorType": failed.error}
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(told).encode())}
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(found).encode())}

    def invoke_asynchronously(self, arn: str, event: Any, *, on_failure: Callable[[], None]) -> None:
        """Three attempts within the age that an event may have, then the function's dead-letter queue if it has one.
        `on_failure`: Lambda does not take the event, as there is no such function."""
        began = self._world.kernel.now

        def attempts() -> None:
            for pause in (*_ASYNCHRONOUS_RETRIES, None):
                if arn not in self.known:
                    on_failure()
                    return
                if self._world.kernel.now - began > self.known[arn][0].event_age:
                    break
                try:
                    self.invoke(arn, event)
                except FunctionFailed:
                    if pause is not None:
                        self._world.kernel.sleep(pause)
                else:
                    return
            if arn in self.known:
                function, account = self.known[arn]
                self._world.gave_up(function, account)

        self._world.kernel.start(attempts, name="asynchronous invocation")


def outcome_of(process: Process[Any]) -> Any:
    """What an ended invocation gave. Raises FunctionFailed with the names that Step Functions gives to failures."""
    match process.error:
        case None:
            return process.result
        case FunctionFailed() as failed:
            raise failed
        case FunctionTimedOut() as error:
            raise FunctionFailed("Sandbox.Timedout", str(error))
        case FunctionKilled() as error:
            raise FunctionFailed("Lambda.Unknown", str(error))
        case error:
            raise error
