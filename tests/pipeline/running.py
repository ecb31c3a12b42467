"""Lets a deployment run: up to a state, until something is killed, until nothing follows."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from flywheel.comprehend.flywheel import FlywheelService
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.entity_recognition import ENTITY_RECOGNITION
from flywheel.pipeline import FlywheelPipeline
from flywheel.store.bucket import IntakeBucket
from flywheel.store.parameters import PublishedModels
from local.comprehend.faults import Faults
from tests.pipeline.observed_world import SETTINGS, ObservedWorld, close_worlds, left
from tests.pipeline.script import HeldUp, Script
from tests.simulation import clients
from tests.simulation.acting import Acting, acting
from tests.simulation.api import Caller
from tests.simulation.functions import outcome_of
from tests.simulation.kernel import Kernel, Process
from tests.simulation.people import People

if TYPE_CHECKING:
    from flywheel.comprehend.model_kind import ModelKind
    from ops.deployment.published import Deployment as Published
    from tests.pipeline.observed_world import SmallApp
    from tests.simulation.deployment.stack import Function
    from tests.simulation.machines.execution import Execution
    from tests.simulation.machines.host import Visit

T = TypeVar("T")
_ATTEMPTS = 9
_PATIENCE = timedelta(days=40)
_QUIET_SECONDS = 1000.0
"""Longer than the batching window of a queue and the visibility time-out of what could not be handled."""


class DidNotCome(Exception):
    """No execution entered the state."""


class Running:
    """What one app deploys, in a world of its own."""

    app: SmallApp
    people: People
    comprehend: Any
    s3: Any
    _test: Acting

    def __init__(self, *, seed: int = 1, beside: Running | None = None) -> None:
        """`beside`: in the world of that one."""
        self._story: list[tuple[str, object]] = [] if beside is None else beside._story
        if beside is None:
            self.kernel = Kernel(seed)
            self.script = Script(self.kernel)
            story = self._story
            self.world = ObservedWorld(
                kernel=self.kernel,
                comprehend=SETTINGS,
                weather=self.script,
                tell=lambda who, what: story.append((who, what)),
            )
            # A world is closed where nothing of another runs: what is collected may be so in the middle of a process.
            close_worlds()
            weakref.finalize(self, left.append, self.world)
        else:
            self.kernel, self.script, self.world = beside.kernel, beside.script, beside.world
            # The world is closed when the one that made it is gone.
            self._whose_world = beside
        self.held: dict[str, HeldUp] = {}
        """Executions that were run before a state, by name."""
        self._beside = 0

    def take(self, app: SmallApp) -> None:
        """The one that this is about, before it is deployed."""
        self.app = app
        self.people = People(self.world, app)
        self._test = self.world.as_person("a test", account=app.account)
        acting.set(self._test)
        self.s3, self.comprehend = self.client("s3"), self.client("comprehend")

    def client(self, service: str) -> Any:
        """Of the test, which may do anything; within `acting_as` and `beside` of whoever acts."""
        return clients._bound(service, self.act_here, _ATTEMPTS)

    def act_here(self) -> Acting:
        """Who acts. A test that turns to this deployment from another one acts here from then on: clock and random
        numbers are those of the world of who acts."""
        found = acting.get(self._test)
        if found.world is not self.world:
            found = self._test
            acting.set(found)
        return found

    @contextmanager
    def acting_as(self, function: str) -> Iterator[None]:
        """With the role of this function (`begin_turn`)."""
        found, account = self._function(function)
        caller = Caller(account=account, role=found.role)
        token = acting.set(replace(self._test, caller=caller, who=function, environment=found.environment))
        try:
            yield
        finally:
            acting.reset(token)

    def beside(self, run: Callable[[], T]) -> Process[T]:
        """Run something beside everything else, with what `script` does to functions."""
        self._beside += 1
        token = acting.set(replace(self._test, who=f"a test#{self._beside}"))
        try:
            return self.kernel.start(run, name=f"a test#{self._beside}")
        finally:
            acting.reset(token)

    def _function(self, word: str) -> tuple[Function, str]:
        return next(
            (found, account)
            for found, account in self.world.functions.known.values()
            if found.module.endswith(f".{word}") and found.name.startswith(f"{self.name}-")
        )

    @property
    def name(self) -> str:
        return self.app.name

    @property
    def labels(self) -> tuple[str, ...]:
        return self.app.labels

    @property
    def kind(self) -> ModelKind:
        return ENTITY_RECOGNITION if self.app.kind == "ENTITIES" else DOCUMENT_CLASSIFICATION

    @property
    def flywheel_arn(self) -> str:
        return self.app.flywheel_arn

    @property
    def operator(self) -> Published:
        """As the command line finds it."""
        return self.people.deployment_of(self.act_here())

    @cached_property
    def bucket(self) -> IntakeBucket:
        return IntakeBucket(s3=self.s3, bucket=self.app.intake)

    @property
    def service(self) -> FlywheelService:
        return FlywheelService(comprehend=self.comprehend, flywheel_arn=self.flywheel_arn, kind=self.kind)

    @property
    def published(self) -> PublishedModels:
        return PublishedModels(ssm=self.client("ssm"), prefix=f"/comprehend-flywheel/{self.name}")

    @property
    def pipeline(self) -> FlywheelPipeline:
        return FlywheelPipeline(intake=self.bucket, service=self.service, published=self.published)

    @property
    def faults(self) -> Faults:
        """Of Comprehend."""
        return self.world.comprehend.local.faults

    @contextmanager
    def comprehend_with(self, **settings: object) -> Iterator[None]:
        """The local Comprehend under other settings while the block runs."""
        local = self.world.comprehend.local
        before, local.settings = local.settings, local.settings.merged(settings)
        try:
            yield
        finally:
            local.settings = before

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.kernel.now, tz=UTC)

    def executions(self, machine: str) -> list[Execution]:
        """Of the machine whose logical id begins so, oldest first."""
        return self.world.states.of(self.app.machine(machine).arn)

    def stop(self, machine: str) -> None:
        for execution in self.executions(machine):
            if execution.status == "RUNNING":
                self.held.pop(execution.name, None)
                self.client("stepfunctions").stop_execution(executionArn=execution.arn)

    def redrive_what_runs(self, *machines: str) -> None:
        """Stop each turn and promotion, or what these machines run, and redrive it a minute later."""
        executions = [one for machine in machines or ("Turn", "Promote") for one in self.executions(machine)]
        running = [one for one in executions if one.status == "RUNNING"]
        for execution in running:
            execution.stop()
        self.let_pass(timedelta(minutes=1))
        for execution in running:
            execution.redrive()

    def run_before(self, state: str, *, machine: str) -> str:
        """Until an execution of the machine enters this state, where it does nothing until it goes on; its name."""
        entered: list[str] = []
        arn, kernel, held = self.app.machine(machine).arn, self.kernel, self.held

        def hold(visit: Visit) -> None:
            if visit.state == state and visit.execution.machine.arn.startswith(arn) and not entered:
                running = next(one.name for one in self.executions(machine) if one.status == "RUNNING")
                entered.append(running)
                held[running] = HeldUp(kernel, state)
                held[running].wait()

        self.world.entered = hold
        try:
            self.until_quiet(lambda: bool(entered))
        finally:
            self.world.entered = None
        if not entered:
            raise DidNotCome(f"to {state}: {[(one.name, one.status, one.cause) for one in self.executions(machine)]}")
        return entered[0]

    def go_on(self, name: str) -> None:
        """The execution of this name that was held before a state."""
        held = self.held.pop(name, None)
        if held is not None:
            held.let_go()

    def invoke(self, function: str, event: Mapping[str, Any] | None = None) -> Any:
        """Raises FunctionFailed."""
        process = self.begin(function, event)
        self.step_until(lambda: process.done)
        return outcome_of(process)

    def invoked(self, function: str) -> list[Any]:
        """What machines gave the function so far."""
        return self.world.invoked.get(self._function(function)[0].arn, [])

    def begin(self, function: str, event: Mapping[str, Any] | None = None) -> Process[Any]:
        """An invocation that somebody makes past the machines."""
        process = self.world.functions.begin(self._function(function)[0].arn, event or {})
        process.when_done(lambda: None)
        return process

    def settle(self) -> None:
        """Until nothing runs but what waits for a person, and nothing follows."""
        self.until_quiet(lambda: False)

    def until_killed(self) -> None:
        """Until `script` kills another function, or nothing follows."""
        before = len(self.script.killed)
        self.until_quiet(lambda: len(self.script.killed) > before)

    def until_quiet(self, reached: Callable[[], bool]) -> None:
        """Until it has come to that, or nothing runs and nothing follows."""
        kernel = self.kernel
        latest, ran = kernel.now + _PATIENCE.total_seconds(), kernel.now
        while not reached():
            if self._runs():
                ran = kernel.now
                assert ran < latest, f"{_PATIENCE.days} days and it still runs"
            elif kernel.due is None or kernel.due > ran + _QUIET_SECONDS:
                return
            self._step()

    def _runs(self) -> bool:
        states = self.world.states
        running = (one for one in states.executions.values() if one.status == "RUNNING" and one.name not in self.held)
        return bool(self.world.functions.running) or any(not states.waits_for_a_person(one) for one in running)

    def let_pass(self, time: timedelta) -> None:
        end = self.kernel.now + time.total_seconds()
        while self.kernel.due is not None and self.kernel.due <= end:
            self._step()
        self.kernel.run_until(end)

    def step_until(self, reached: Callable[[], bool]) -> None:
        latest = self.kernel.now + _PATIENCE.total_seconds()
        while not reached():
            assert self.kernel.due is not None, "nothing happens any more"
            assert self.kernel.due < latest, f"{_PATIENCE.days} days and it has not come to that"
            self._step()

    def _step(self) -> None:
        with self.world.lock:
            self.kernel.step()
        if self.kernel.failures:
            raise self.kernel.failures.pop()
