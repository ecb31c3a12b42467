"""A deployment of its own for a test: the synthesised machines, the functions' own code, under their templates' roles.

Time passes only while a test lets something run, and nothing starts a turn but the test: see `Deployment.start_turn`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flywheel.promotions import start_promotion
from flywheel.records import turns
from flywheel.records.turns import TurnBeginning, TurnRecord, TurnRequest
from flywheel.records.uploads import UploadResult
from ops.verbs import approve
from tests.pipeline.documents import LABELS, Document, as_csv
from tests.pipeline.observed_world import PARAMETERS, SmallApp, parameters_of
from tests.pipeline.seen import Seen

if TYPE_CHECKING:
    from flywheel.turn.start_turn import Poke
    from tests.pipeline.running import Running
    from tests.simulation.machines.execution import Execution


class Deployment(Seen):
    """What one app deploys, and a person's hands on it. `parameters` are those of the Flywheel stack, in Python's
    case (`minimum_score=0.9`); without `serving` or `analysis` there is no such stack. `beside` is what is deployed in
    the same world."""

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
        name: str | None = None,
        beside: Running | None = None,
        **parameters: object,
    ) -> None:
        super().__init__(seed=seed, beside=beside)
        given = {"flywheel": PARAMETERS | parameters_of(parameters)}
        for part, values in (("serving", serving), ("analysis", analysis)):
            if values is not None:
                given[part] = parameters_of(values)
        kind = "ENTITIES" if entities else "MULTI_LABEL" if multi_label else "MULTI_CLASS"
        self.take(
            SmallApp(self.world, kind=kind, labels=labels, parameters=given, starts_turns=starts_turns, name=name)
        )
        self.app.deploy()
        self._by_hand = 0

    def change(self, part: str = "flywheel", **parameters: object) -> None:
        self.app.change_parameters(part, parameters_of(parameters))

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

    def poke(self, *pokes: Poke) -> None:
        """As pokes in the queue do; what they start begins to run."""
        records = [{"messageId": f"{number}", "body": json.dumps({"poke": poke})} for number, poke in enumerate(pokes)]
        self.invoke("start_turn", {"Records": records})

    def poke_promotions(self, *pokes: start_promotion.Poke) -> None:
        records = [{"messageId": f"{number}", "body": json.dumps({"poke": poke})} for number, poke in enumerate(pokes)]
        self.invoke("start_promotion", {"Records": records})

    def start_turn(self) -> Turn:
        """The next one, before its first state, whatever pokes would say. One that runs is stopped."""
        self.stop_turn()
        stepfunctions = self.client("stepfunctions")
        machine = self.app.machine("Turn").arn
        starter = turns.turn_starter(intake=self.bucket, stepfunctions=stepfunctions, machine_arn=machine)
        return Turn(self, starter.start(self.now()))

    def stop_turn(self) -> None:
        self.stop("Turn")

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

    @property
    def answer(self) -> Any:
        """What the task that waited was told."""
        (attempt,) = self.execution.callbacks.values()
        return attempt._result

    def approve(self, *, reason: str = "") -> None:
        approve.approve(self._at.operator, self.name, reason=reason)
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
