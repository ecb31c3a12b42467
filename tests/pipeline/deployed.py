"""A deployment of its own for a test: the synthesised machines, the functions' own code, under their templates' roles.

Time passes only while a test lets something run, and nothing starts a turn but the test: see `Deployment.start_turn`.
"""

from __future__ import annotations

import json
import re
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from flywheel.comprehend.flywheel import FlywheelService
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.entity_recognition import ENTITY_RECOGNITION
from flywheel.faults.fault_names import PASSING
from flywheel.pipeline import FlywheelPipeline
from flywheel.promotions import start_promotion
from flywheel.records import turns
from flywheel.records.turns import TurnBeginning, TurnRecord, TurnRequest
from flywheel.records.uploads import Split, UploadResult
from flywheel.store.bucket import IntakeBucket
from flywheel.store.parameters import RUN_TIME_NAMES, PublishedModels
from flywheel.turn import start_turn
from local.comprehend.faults import Faults
from local.comprehend.settings import Settings
from ops.verbs import approve
from tests.pipeline.documents import LABELS, Document, as_csv, read_stored
from tests.pipeline.script import HeldUp, Script
from tests.simulation import clients
from tests.simulation.acting import Acting, acting
from tests.simulation.api import ApiError, Caller
from tests.simulation.app import App
from tests.simulation.claims import models, status
from tests.simulation.claims import turns as claims_of_turns
from tests.simulation.deployment.synthesis import context_of
from tests.simulation.functions import outcome_of
from tests.simulation.kernel import Kernel, Process
from tests.simulation.people import People
from tests.simulation.schedule.plan import KINDS
from tests.simulation.simulation import Situation
from tests.simulation.world import World

if TYPE_CHECKING:
    from flywheel.comprehend.model_kind import ModelKind
    from flywheel.turn.start_turn import Poke, TurnStart
    from ops.deployment.published import Deployment as Published
    from tests.simulation.deployment.stack import Function, Stack
    from tests.simulation.machines.execution import Execution
    from tests.simulation.machines.host import Visit
    from tests.simulation.schedule.plan import Plan

SETTINGS = Settings().merged(
    {
        **dict.fromkeys((name for name in Settings.model_fields if name.endswith("_seconds")), 0),
        "minimum_per_label": "none",
    }
)
"""Comprehend takes no time, and datasets as small as tests like them."""
PARAMETERS = {
    "MinimumDocumentsPerLabel": "5",
    "MinimumScore": "0",
    "MinimumImprovement": "0",
    "MaximumRegression": "1",
    "MaximumLabelRegression": "1",
    "ModelsToKeep": "1000",
    "MaximumBadLinesPercent": "50",
    "TriggerOnUpload": "true",
}
"""Nothing stands in the way of a test that is about something else."""
_PATIENCE = timedelta(days=40)
_ATTEMPTS = 9
T = TypeVar("T")
_QUIET_SECONDS = 1000.0
"""Longer than the batching window of a queue and the visibility time-out of what could not be handled."""


class _World(World):
    """Hears of the states that executions enter."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.entered: Callable[[Visit], None] | None = None
        self.refused: dict[tuple[str, str, str], ApiError] = {}
        """What S3 answers to an operation on a version of a key."""
        self.retries: Counter[tuple[str, str | None]] = Counter()
        """How often a state tried again, by its name and the error."""
        self.invoked: dict[str, list[Any]] = {}
        """Events that functions got, by ARN."""
        begin = self.functions.begin

        def noted(arn: str, event: Any) -> Process[Any]:
            self.invoked.setdefault(arn, []).append(event)
            return begin(arn, event)

        self.functions.begin = noted  # type: ignore[method-assign]  # each of a test's invocations comes by here

    def ask(
        self, service: str, operation: str, parameters: Mapping[str, Any], who: Acting, *, attempts: int = 9
    ) -> dict[str, Any]:
        """What the test itself asks is repeated at once."""
        if self.kernel.in_process:
            return super().ask(service, operation, parameters, who, attempts=attempts)
        for attempt in range(1, attempts + 1):
            try:
                return super().ask(service, operation, parameters, who)
            except ApiError as error:
                if attempt == attempts or not (error.code in PASSING or error.status >= 500):
                    raise
        raise AssertionError("the loop ends with an answer or an error")

    def _carried_out(
        self, service: str, operation: str, parameters: Mapping[str, Any], caller: Caller
    ) -> dict[str, Any]:
        if self.refused and service == "s3":
            source = parameters.get("CopySource", parameters)
            error = self.refused.get((operation, source.get("Key", ""), source.get("VersionId", "")))
            if error is not None:
                raise error
        return super()._carried_out(service, operation, parameters, caller)

    def visited(self, visit: Visit, machine: str) -> None:
        super().visited(visit, machine)
        if visit.what == "retry":
            self.retries[visit.state, visit.error] += 1
        if self.entered is not None and visit.what in ("entered", "redriven"):
            self.entered(visit)


class _App(App):
    """One of other labels than the synthesised, in as many generations as a test likes. Nothing runs on a schedule."""

    def __init__(self, world: World, *, labels: tuple[str, ...], starts_turns: bool, **more: Any) -> None:
        super().__init__(world, **more)
        self.labels = labels
        self._starts_turns = starts_turns

    def templates(self) -> Mapping[str, Mapping[str, Any]]:
        found = _relabelled(self.kind, self.labels, self.generation)
        return {name: template for name, template in found.items() if name.rpartition("-")[2] in self.parameters}

    def resolved(self, name: str, template: Mapping[str, Any], parameters: Mapping[str, str]) -> Stack:
        published = tuple(sorted(self.world.published(self.account).items()))
        key = (name, self.kind, self.labels, self.generation, tuple(sorted(parameters.items())), published)
        if key not in _resolved:
            stack = super().resolved(name, template, parameters)
            mappings = stack.event_source_mappings
            if not self._starts_turns:
                mappings = tuple(each for each in mappings if "StartTurn" not in each.function)
            rules = tuple(rule for rule in stack.rules if not rule.schedule)
            _resolved[key] = replace(stack, event_source_mappings=mappings, rules=rules)
        return _resolved[key]


_left: list[World] = []
"""Of deployments that nobody uses any more."""


def close_worlds() -> None:
    while _left:
        _left.pop().close()


_resolved: dict[Any, Stack] = {}
_templates: dict[Any, dict[str, Any]] = {}


def _relabelled(kind: str, labels: tuple[str, ...], generation: int) -> dict[str, Any]:
    """The templates of `KINDS[kind]` with other labels and another flywheel's name: nothing else depends on them."""
    key = (kind, labels, generation)
    if key not in _templates:
        from tests.simulation.deployment.synthesis import templates_of

        context = context_of(KINDS[kind])
        former = sorted(context.get("labels") or context["entity_types"])
        new = sorted(labels)
        text = json.dumps(templates_of(KINDS[kind]))
        text = re.sub(r"news-[0-9a-f]{8}\b", f"news-{generation:08x}", text)
        for before, after in ((former, new), ([{"Type": name} for name in former], [{"Type": name} for name in new])):
            text = text.replace(json.dumps(before), json.dumps(after))
        text = text.replace(_in_a_text(former), _in_a_text(new))
        text = text.replace(r"\"generation\": 1,", rf"\"generation\": {generation},")
        _templates[key] = json.loads(text)
    return _templates[key]


def _in_a_text(names: list[str]) -> str:
    """As JSON within a JSON text."""
    return json.dumps(json.dumps(names))[1:-1]


@dataclass(frozen=True, kw_only=True)
class Found:
    """The documents of the COMPLETED datasets, and those that wait in `prepared/`; each sorted."""

    trained_on: list[Document]
    tested_on: list[Document]
    waiting: list[Document]
    waiting_to_test: list[Document]


class DidNotCome(Exception):
    """No execution entered the state."""


class Deployment:
    """What one app deploys, and a person's hands on it. `parameters` are those of the Flywheel stack, in Python's
    case (`minimum_score=0.9`); without `serving` or `analysis` there is no such stack."""

    def __init__(
        self,
        *,
        labels: tuple[str, ...] = LABELS,
        multi_label: bool = False,
        entities: bool = False,
        serving: Mapping[str, object] | None = None,
        analysis: Mapping[str, object] | None = None,
        starts_turns: bool = False,
        seed: int = 1,
        **parameters: object,
    ) -> None:
        self.kernel = Kernel(seed)
        self.script = Script(self.kernel)
        self._story: list[tuple[str, object]] = []
        story = self._story
        self.world = _World(
            kernel=self.kernel,
            comprehend=SETTINGS,
            weather=self.script,
            tell=lambda who, what: story.append((who, what)),
        )
        # A world is closed where nothing of another runs: what is collected may be so in the middle of a process.
        close_worlds()
        weakref.finalize(self, _left.append, self.world)
        given = {"flywheel": PARAMETERS | _parameters(parameters)}
        for part, values in (("serving", serving), ("analysis", analysis)):
            if values is not None:
                given[part] = _parameters(values)
        kind = "ENTITIES" if entities else "MULTI_LABEL" if multi_label else "MULTI_CLASS"
        self.app = _App(self.world, kind=kind, labels=labels, parameters=given, starts_turns=starts_turns)
        self.app.deploy()
        self.people = People(self.world, self.app)
        self._test = self.world.as_person("a test", account=self.app.account)
        acting.set(self._test)
        self.s3, self.comprehend = self.client("s3"), self.client("comprehend")
        self.held: dict[str, HeldUp] = {}
        """Turns that were run before a state, by name."""
        self._by_hand = self._beside = 0

    def client(self, service: str) -> Any:
        """Of the test, which may do anything; within `acting_as` and `beside` of whoever acts."""
        world, test = self.world, self._test

        def who() -> Acting:
            found = acting.get(test)
            return found if found.world is world else test

        return clients._bound(service, who, _ATTEMPTS)

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
        return next(found for found in self.world.functions.known.values() if found[0].module.endswith(f".{word}"))

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
        return self.people.deployment

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

    # What people do.

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.kernel.now, tz=UTC)

    def change(self, part: str = "flywheel", **parameters: object) -> None:
        self.app.change_parameters(part, _parameters(parameters))

    def set_variable(self, function: str, **variables: str) -> None:
        """Of the function's environment: what no parameter allows."""
        found, account = self._function(function)
        self.world.functions.known[found.arn] = (
            replace(found, environment={**found.environment, **variables}),
            account,
        )

    def replace_flywheel(self, *, labels: tuple[str, ...] | None = None) -> None:
        """Deploy a new generation, a minute after whatever happened before."""
        self.let_pass(timedelta(minutes=1))
        self.app.generation += 1
        self.app.labels = labels or self.app.labels
        self.app.deploy()

    def upload(self, key: str, content: bytes | Iterable[Document]) -> str:
        """Returns the version's id."""
        body = content if isinstance(content, bytes) else as_csv(content)
        version: str = self.s3.put_object(Bucket=self.app.intake, Key=key, Body=body)["VersionId"]
        return version

    def request_turn(self, *, overrule_minimum: bool = False) -> TurnRequest:
        request = TurnRequest(by="a test", at=self.now(), overrule_minimum=overrule_minimum)
        self.bucket.write(turns.REQUEST_KEY, request)
        return request

    def waiting_promotion(self) -> WaitingPromotion:
        """The promotion that waits for a person."""
        running = [one for one in self.executions("Promote") if one.status == "RUNNING"]
        (execution,) = running
        assert self.world.states.waits_for_a_person(execution), f"{execution.name} does not wait"
        return WaitingPromotion(self, execution)

    def make_active(self, model_arn: str) -> None:
        """In the console."""
        self.comprehend.update_flywheel(FlywheelArn=self.flywheel_arn, ActiveModelArn=model_arn)

    def create_dataset_in_console(self, rows: list[Document]) -> str:
        """One that the pipeline knows nothing of; its name."""
        self._by_hand += 1
        name = f"by-hand-{self._by_hand}"
        lake = self.operator.published.lake_bucket
        self.s3.put_object(Bucket=lake, Key=f"{name}/documents.csv", Body=as_csv(rows))
        self.comprehend.create_dataset(
            FlywheelArn=self.flywheel_arn,
            DatasetName=name,
            DatasetType="TRAIN",
            InputDataConfig={
                "DataFormat": "COMPREHEND_CSV",
                "DocumentClassifierInputDataConfig": {"S3Uri": f"s3://{lake}/{name}/"},
            },
        )
        return name

    def train_in_console(self, rows: list[Document]) -> str:
        """A dataset and an iteration that the pipeline knows nothing of; the iteration's id."""
        self.create_dataset_in_console(rows)
        self.let_pass(timedelta(seconds=5))
        answer = self.comprehend.start_flywheel_iteration(FlywheelArn=self.flywheel_arn)
        self.let_pass(timedelta(seconds=5))
        iteration_id: str = answer["FlywheelIterationId"]
        return iteration_id

    # Running it.

    def poked(self, *pokes: Poke) -> TurnStart:
        """What start_turn thinks of these pokes; without any, of all that there are."""
        given = self.app.parameters["flywheel"]
        return start_turn.decide(
            start_turn.observe(
                pipeline=self.pipeline,
                pokes=frozenset(pokes or start_turn.Poke),
                now=self.now(),
                quiet_period=timedelta(minutes=float(given.get("QuietPeriodMinutes", 0))),
                minimum_between_iterations=timedelta(hours=float(given.get("MinimumHoursBetweenIterations", 0))),
            )
        )

    def poke(self, *pokes: Poke) -> None:
        """As pokes in the queue do; what they start begins to run."""
        records = [{"messageId": f"{number}", "body": json.dumps({"poke": poke})} for number, poke in enumerate(pokes)]
        self.invoke("start_turn", {"Records": records})

    def poke_promotions(self, *pokes: start_promotion.Poke) -> None:
        records = [{"messageId": f"{number}", "body": json.dumps({"poke": poke})} for number, poke in enumerate(pokes)]
        self.invoke("start_promotion", {"Records": records})

    def poked_promotion(self, *pokes: start_promotion.Poke) -> start_promotion.PromotionStart:
        return start_promotion.decide(
            pipeline=self.pipeline, pokes=frozenset(pokes or start_promotion.Poke), now=self.now()
        )

    def start_turn(self) -> Turn:
        """The next one, before its first state, whatever pokes would say. One that runs is stopped."""
        self.stop_turn()
        stepfunctions = self.client("stepfunctions")
        machine = self.app.machine("Turn").arn
        starter = turns.turn_starter(intake=self.bucket, stepfunctions=stepfunctions, machine_arn=machine)
        return Turn(self, starter.start(self.now()))

    def stop_turn(self) -> None:
        self.stop("Turn")

    def stop(self, machine: str) -> None:
        for execution in self.executions(machine):
            if execution.status == "RUNNING":
                self.held.pop(execution.name, None)
                self.client("stepfunctions").stop_execution(executionArn=execution.arn)

    def redrive_what_runs(self) -> None:
        """Stop each turn and promotion that runs, and redrive it a minute later."""
        running = [one for one in (*self.executions("Turn"), *self.executions("Promote")) if one.status == "RUNNING"]
        for execution in running:
            execution.stop()
        self.let_pass(timedelta(minutes=1))
        for execution in running:
            execution.redrive()

    def run_turn(self) -> TurnRecord:
        """The next turn, from its beginning to its end, and the promotion that follows."""
        return self.start_turn().run()

    def run_until_at_rest(self, *, at_most: int = 6) -> list[TurnRecord]:
        """Turns as long as pokes start one. Fails if there is no end to it."""
        records: list[TurnRecord] = []
        self.settle()
        while self.poked().start:
            assert len(records) < at_most, f"{len(records)} turns and still not at rest: {self.poked().reason}"
            records.append(self.run_turn())
        self.promote_all()
        return records

    def promote_all(self) -> None:
        """What people asked for, with a poke."""
        self.operator.poke_promotions()
        self.settle()

    def serve(self) -> Execution:
        """As the schedule of the Serving stack does."""
        arn = self.app.machine("Serve").arn
        started = self.client("stepfunctions").start_execution(stateMachineArn=arn, input="{}")
        self.settle()
        return self.world.states.executions[started["executionArn"]]

    def endpoint(self) -> dict[str, Any] | None:
        """As anybody sees it."""
        found: list[dict[str, Any]] = self.comprehend.list_endpoints()["EndpointPropertiesList"]
        return found[0] if found else None

    def executions(self, machine: str) -> list[Execution]:
        """Of the machine whose logical id begins so, oldest first."""
        return self.world.states.of(self.app.machine(machine).arn)

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
        self.kernel.step()
        if self.kernel.failures:
            raise self.kernel.failures.pop()

    # What there is to see afterwards.

    def logged(self, message: str) -> list[str]:
        """What functions logged under this message, with its details."""
        lines = [str(what) for who, what in self._story if "#" in who]
        return [line for line in lines if line.startswith(f"logs: {message} ")]

    def keys(self, prefix: str) -> list[str]:
        return list(self.bucket.keys(prefix))

    def parameters(self) -> dict[str, str]:
        """What is published of models, by name."""
        prefix = f"/comprehend-flywheel/{self.name}/"
        published = self.world.published(self.app.account)
        return {name: published[f"{prefix}{name}"] for name in RUN_TIME_NAMES if f"{prefix}{name}" in published}

    def registered(self, split: Split = Split.TRAIN, *, flywheel_arn: str | None = None) -> list[Document]:
        """Every document of the COMPLETED datasets, as Comprehend took them over."""
        found: list[Document] = []
        for item in self.datasets(flywheel_arn=flywheel_arn):
            if item["Status"] == "COMPLETED" and item["DatasetType"] == split.dataset_type:
                bucket, _, prefix = item["DatasetS3Uri"].removeprefix("s3://").partition("/")
                found += self._stored(bucket, prefix)
        return sorted(found)

    def waiting(self, split: Split = Split.TRAIN) -> list[Document]:
        """The documents in `prepared/`."""
        return sorted(self._stored(self.app.intake, f"prepared/{split}/", only="/documents."))

    def _stored(self, bucket: str, prefix: str, *, only: str = "") -> list[Document]:
        found: list[Document] = []
        for key in self.world.s3.keys(bucket, prefix):
            stored = self.world.s3.object(bucket, key)
            if only in key and stored is not None:
                found += read_stored(key, stored.body)
        return found

    def datasets(self, *, flywheel_arn: str | None = None) -> list[dict[str, Any]]:
        answer = self.comprehend.list_datasets(FlywheelArn=flywheel_arn or self.flywheel_arn, MaxResults=100)
        found: list[dict[str, Any]] = answer["DatasetPropertiesList"]
        return found

    def iterations(self) -> list[dict[str, Any]]:
        """Newest first."""
        found: list[dict[str, Any]] = self.comprehend.list_flywheel_iteration_history(FlywheelArn=self.flywheel_arn)[
            "FlywheelIterationPropertiesList"
        ]
        return found

    def active_model(self) -> str | None:
        properties = self.comprehend.describe_flywheel(FlywheelArn=self.flywheel_arn)["FlywheelProperties"]
        arn: str | None = properties.get("ActiveModelArn")
        return arn

    def check_consistency(self, *, datasets_of_others: bool = False) -> Found:
        """What holds whenever the pipeline is at rest, whatever happened to it before; and what documents there are."""
        self.settle()
        local = self.world.comprehend.local
        faults, local.faults = local.faults, Faults()
        try:
            return self._checked(datasets_of_others=datasets_of_others)
        finally:
            local.faults = faults

    def _checked(self, *, datasets_of_others: bool) -> Found:
        found = self.check_documents()
        if not datasets_of_others:
            self.check_datasets()
        situation = Situation(plan=_NO_PLAN, world=self.world, app=self.app, people=self.people)
        self.app.parameters.setdefault("serving", {})
        for claim in (
            claims_of_turns.nothing_runs_that_nobody_waits_for,
            claims_of_turns.each_completed_iteration_is_decided,
            claims_of_turns.each_iteration_is_decided_once,
            models.all_say_the_same_model_is_active,
            status.the_status_says_what_the_pipeline_does,
        ):
            claim(situation)
        parameters = self.parameters()
        assert parameters.get("active-model-arn") == parameters.get("desired-model-arn") == self.active_model()
        verdict = self.poked()
        assert not verdict.start, f"a turn would start: {verdict.reason}"
        promotion = self.poked_promotion()
        assert not promotion.start, f"a promotion would start: {promotion.reason}"
        return found

    def check_documents(self) -> Found:
        """Each is there once, unless repetition is kept, and none where it was dropped."""
        for prefix in ("train/", "test/"):
            assert self.keys(prefix) == [], "an upload is still where it was dropped"
        found = Found(
            trained_on=self.registered(Split.TRAIN),
            tested_on=self.registered(Split.TEST),
            waiting=self.waiting(Split.TRAIN),
            waiting_to_test=self.waiting(Split.TEST),
        )
        kept = self.app.parameters["flywheel"].get("RepeatedDocuments") == "KEEP"
        for documents in (found.trained_on + found.waiting, found.tested_on + found.waiting_to_test):
            twice = [document for document, times in Counter(documents).items() if times > 1]
            assert kept or not twice, f"{len(twice)} documents are there twice, such as {twice[0]}"
        return found

    def check_datasets(self) -> None:
        """All are accepted, and each name has the number of the turn that composed it."""
        for item in self.datasets():
            split, _, number = item["DatasetName"].partition("-")
            assert split == item["DatasetType"].lower()
            assert turns.number_of(f"turn-{number.partition('-')[0]}") is not None
            key = f"datasets/{split}/{item['DatasetName']}/accepted.json"
            assert (self.keys(key) == [key]) is (item["Status"] == "COMPLETED"), f"{key}: {item['Status']}"


_NO_PLAN: Plan = None  # type: ignore[assignment]  # the claims that are checked here look at none


def _parameters(values: Mapping[str, object]) -> dict[str, str]:
    """By the names of the template."""
    return {"".join(word.capitalize() for word in name.split("_")): _text(value) for name, value in values.items()}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Turn:
    """One execution of the turn machine."""

    def __init__(self, deployment: Deployment, name: str) -> None:
        self.name = name
        self._at = deployment

    @property
    def execution(self) -> Execution:
        return next(one for one in self._at.executions("Turn") if one.name == self.name)

    def run(self) -> TurnRecord:
        """To its end, and the promotion that follows; one that has failed or was stopped is redriven."""
        self._at.go_on(self.name)
        if self.execution.status in ("FAILED", "ABORTED", "TIMED_OUT"):
            self.redrive()
        self._at.settle()
        return self.record()

    def redrive(self) -> None:
        self._at.client("stepfunctions").redrive_execution(executionArn=self.execution.arn)

    def run_before(self, state: str) -> Turn:
        """Until it enters this state for the first time from here on. It does nothing there until it runs on."""
        self._at.go_on(self.name)
        assert self._at.run_before(state, machine="Turn") == self.name
        return self

    def stop(self) -> TurnRecord:
        """StopExecution, and what its event brings about."""
        self._at.held.pop(self.name, None)
        self._at.client("stepfunctions").stop_execution(executionArn=self.execution.arn)
        self._at.settle()
        return self.record()

    def record(self) -> TurnRecord:
        return self._at.bucket.require(turns.record_key(self.name), TurnRecord)

    def beginning(self) -> TurnBeginning:
        return self._at.bucket.require(turns.begin_key(self.name), TurnBeginning)


class WaitingPromotion:
    """An execution of the promotion machine that waits for a person's answer."""

    def __init__(self, deployment: Deployment, execution: Execution) -> None:
        self._at = deployment
        self.execution = execution
        self.name = execution.name

    def approve(self) -> None:
        approve.approve(self._at.operator, self.name)
        self._at.settle()

    def decline(self, *, reason: str = "not now") -> None:
        approve.decline(self._at.operator, self.name, reason=reason)
        self._at.settle()

    def time_out(self) -> None:
        self._at.let_pass(timedelta(hours=float(self._at.app.parameters["flywheel"].get("ApprovalHours", 72)) + 1))
        self._at.settle()

    def stop(self) -> None:
        """StopExecution, and what its event brings about."""
        self.execution.stop()
        self._at.settle()


def result_of(record: TurnRecord, key: str) -> UploadResult:
    """What became of the upload of this key in the turn."""
    return next(result for result in record.uploads if result.upload.key == key)
