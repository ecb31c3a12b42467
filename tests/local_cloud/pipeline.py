"""The deployed app under test: what a person and AWS do to it, and what must hold whenever it is at rest.

A test acts on the deployment as its users do (uploads, messages in the queue, `flywheel`, Step Functions, faults of
the local Comprehend) and then asks `at_rest`, which waits until nothing is left to do and checks what may never break.
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import boto3

from flywheel.promotions import requests
from flywheel.records import promotions, turns
from flywheel.records.promotions import Promotion
from flywheel.records.turns import TurnOutcome, TurnRecord
from flywheel.records.uploads import Split
from flywheel.store.parameters import RUN_TIME_NAMES
from flywheel.turn.start_turn import Poke
from local.cloud import CloudAccount, LocalCloud
from ops.deployment.clients import Clients
from ops.deployment.published import Deployment, find_deployment
from ops.verbs.pause import pause, resume
from ops.verbs.turns import request_turn
from tests.local_cloud.resources import change_parameters, create_queue, create_role, lets_send, messages, until

NAME = "press"
STACK = f"{NAME}-flywheel"
LABELS = ("CALM", "STORM")
CONTEXT = {"name": NAME, "labels": ",".join(LABELS), "mode": "MULTI_CLASS"}
PARAMETERS = {"QuietPeriodMinutes": "0", "PollSeconds": "30"}
LONG = 300.0
"""Seconds that a turn may take on a busy machine; nothing waits that long when all is well."""

Document = tuple[str, str]
_numbers = itertools.count(1)
_WORDS = {"CALM": "harbour meadow lullaby", "STORM": "thunder gale lightning", "FOG": "mist haze twilight"}


def documents(count: int = 50, *, labels: Iterable[str] = LABELS) -> list[Document]:
    """New documents, `count` for each label: no two calls give the same."""
    return [(label, f"{_WORDS[label]} {next(_numbers)}") for _ in range(count) for label in labels]


def as_csv(rows: Iterable[Document]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


@dataclass(kw_only=True)
class Pipeline:
    """The app deployed in an account of its own."""

    account: CloudAccount
    assembly: Path
    deployment: Deployment
    inbox: str
    """URL of a queue that gets what the topic tells people."""
    expected: dict[Split, Counter[Document]] = field(default_factory=lambda: {split: Counter() for split in Split})
    """The documents that must be in a COMPLETED dataset, or wait for one."""
    told: Counter[str] = field(default_factory=Counter)
    """How often people were told about each turn."""
    heard: list[str] = field(default_factory=list)
    """The notifications: subject, then message."""
    _people: dict[str, boto3.Session] = field(default_factory=dict, init=False)

    @classmethod
    def deploy(cls, account: CloudAccount, assembly: Path, **parameters: str) -> Pipeline:
        given = {f"{STACK}:{key}": value for key, value in {**PARAMETERS, **parameters}.items()}
        account.deploy(assembly, stacks=[STACK], parameters=given)
        deployment = find_deployment(Clients(account.session()), name=NAME)
        inbox, arn = create_queue(account, lets_in=[lets_send("sns.amazonaws.com")])
        account.client("sns").subscribe(TopicArn=deployment.published.topic_arn, Protocol="sqs", Endpoint=arn)
        return cls(account=account, assembly=assembly, deployment=deployment, inbox=inbox)

    def deploy_again(self, assembly: Path, **parameters: str) -> None:
        """Update the stack; parameters that are not given keep their values."""
        if assembly == self.assembly:
            change_parameters(self.account, STACK, parameters)
        else:
            given = {f"{STACK}:{key}": value for key, value in parameters.items()}
            self.account.deploy(assembly, stacks=[STACK], parameters=given)
            self.assembly = assembly
        self.deployment = find_deployment(Clients(self.account.session()), name=NAME)

    # What is done to it.

    def person(self, policy: str) -> boto3.Session:
        """Somebody who has that policy of the stack, such as "Operators", and nothing else."""
        if policy not in self._people:
            role = create_role(self.account, trusted={"AWS": self.account.account})
            stack = self.account.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
            arns = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
            self.account.client("iam").attach_role_policy(
                RoleName=role.rsplit("/", 1)[-1], PolicyArn=arns[f"{policy}PolicyArn"]
            )
            self._people[policy] = self.account.session(role_arn=role)
        return self._people[policy]

    def as_person(self, policy: str) -> Deployment:
        """The deployment as somebody with that policy finds it."""
        return find_deployment(Clients(self.person(policy)), name=NAME)

    def upload(self, key: str, rows: Iterable[Document]) -> str:
        """Drop a file, as gzip if its name says so, and expect its documents to arrive. Returns the version's id."""
        rows = list(rows)
        self.expect(Split(key.partition("/")[0]), rows)
        content = as_csv(rows)
        return self.drop(key, gzip.compress(content) if key.endswith(".gz") else content)

    def drop(self, key: str, content: bytes) -> str:
        s3 = self.account.client("s3")
        version: str = s3.put_object(Bucket=self.deployment.intake.name, Key=key, Body=content)["VersionId"]
        return version

    def expect(self, split: Split, rows: Iterable[Document]) -> None:
        self.expected[split].update(rows)

    def send(self, body: str, *, times: int = 1) -> None:
        """Put a message into the turn queue."""
        for _ in range(times):
            self.account.client("sqs").send_message(QueueUrl=self.deployment.published.turn_queue_url, MessageBody=body)

    def ask(self, poke: Poke) -> dict[str, Any]:
        """Poke, and wait for start_turn's verdict: what it logs, with `start` and `reason`."""
        event = _status_change(self.deployment, self.current) if poke is Poke.TURN_ENDED else {"poke": poke.value}
        since = datetime.now(UTC)
        self.send(json.dumps(event))

        def find() -> list[dict[str, Any]]:
            return [entry for entry in self.log("start_turn") if is_verdict(entry, poke, since)]

        return until(find, patience=LONG)[0]

    def turn_now(self) -> TurnRecord:
        """The record of the turn that an operator asked for."""
        return self.recorded(self.next_turn(turns.name_of(request_turn(self.deployment).after)))

    # Turns.

    @property
    def current(self) -> str:
        """The name of the current turn, running or ended."""
        return turns.name_of(turns.current_number(self.deployment.intake))

    def record(self, turn: str) -> TurnRecord | None:
        return self.deployment.intake.read(turns.record_key(turn), TurnRecord)

    def recorded(self, turn: str, outcome: TurnOutcome | None = None, *, patience: float = LONG) -> TurnRecord:
        """The record of a turn once there is one (with this outcome)."""

        def find() -> TurnRecord | None:
            record = self.record(turn)
            return record if record is not None and outcome in (None, record.outcome) else None

        return until(find, patience=patience)

    def next_turn(self, after: str) -> str:
        """The name of the turn after this one, once it is current."""
        number = turns.number_of(after) or 0
        until(lambda: turns.current_number(self.deployment.intake) > number, patience=LONG)
        return turns.name_of(number + 1)

    def records(self) -> list[TurnRecord]:
        """Of all turns, oldest first."""
        last = turns.number_of(self.current) or 0
        keys = [turns.record_key(turns.name_of(number)) for number in range(1, last + 1)]
        return self.deployment.intake.read_all(keys, TurnRecord)

    def execution(self, turn: str) -> dict[str, Any]:
        described: dict[str, Any] = self.account.client("stepfunctions").describe_execution(
            executionArn=self.deployment.turn_execution(turn)
        )
        return described

    def stop(self, turn: str, *, cause: str) -> None:
        """Stop a turn, as a person would who sees it run: it is current before its execution is there."""
        stepfunctions = self.account.client("stepfunctions")

        def runs() -> bool:
            listed = stepfunctions.list_executions(stateMachineArn=self.deployment.published.turn_machine_arn)
            return any(execution["name"] == turn for execution in listed["executions"])

        until(runs, patience=LONG)
        stepfunctions.stop_execution(executionArn=self.deployment.turn_execution(turn), cause=cause)

    def is_running(self) -> bool:
        """Whether a turn runs."""
        return self._runs(self.deployment.published.turn_machine_arn)

    def promotes(self) -> bool:
        """Whether a promotion runs."""
        return self._runs(self.deployment.published.promotion_machine_arn)

    def _runs(self, machine_arn: str) -> bool:
        listed = self.account.client("stepfunctions").list_executions(
            stateMachineArn=machine_arn, statusFilter="RUNNING"
        )
        return bool(listed["executions"])

    # Promotions.

    def ended(self, request_id: str) -> Promotion:
        """How a promotion ended, once it has."""
        return until(lambda: self.deployment.intake.read(promotions.end_key(request_id), Promotion), patience=LONG)

    def promotion_of(self, record: TurnRecord) -> Promotion:
        """How the promotion ended that a turn asked for, as the turn's record says it in the end."""
        assert record.iteration_id
        end = self.ended(record.iteration_id)

        def find() -> Promotion | None:
            noted = self.recorded(record.turn).promotion
            return noted if noted == end else None

        return until(find, patience=LONG)

    def waits(self) -> requests.WaitingPromotion:
        """The promotion that waits for a person, once one does."""
        return until(lambda: requests.waiting_promotion(self.deployment.intake), patience=LONG)

    def send_promotion(self, body: str) -> None:
        """Put a message into the promotion queue."""
        url = self.deployment.published.promotion_queue_url
        self.account.client("sqs").send_message(QueueUrl=url, MessageBody=body)

    def await_promotions(self) -> None:
        """Until no promotion runs, but for one that waits for a person, and none is to start."""

        def done() -> bool:
            open_requests = requests.open_requests(self.deployment.intake)
            waiting = requests.waiting_promotion(self.deployment.intake)
            ended = not self.promotes() and not open_requests
            return not self.queue_depth("promotions") and (waiting is not None or ended)

        until(done, patience=LONG)

    def history(self, turn: str) -> list[dict[str, Any]]:
        """The events of a turn's execution; none while it is about to begin."""
        stepfunctions = self.account.client("stepfunctions")
        pages = stepfunctions.get_paginator("get_execution_history").paginate(
            executionArn=self.deployment.turn_execution(turn)
        )
        try:
            return [event for page in pages for event in page["events"]]
        except stepfunctions.exceptions.ExecutionDoesNotExist:
            return []

    # Comprehend.

    @contextmanager
    def fault(self, **fault: Any) -> Iterator[None]:
        """A fault of the local Comprehend while the block runs."""
        self.account.comprehend_administration("POST", "faults", fault)
        try:
            yield
        finally:
            self.account.comprehend_administration("DELETE", "faults")

    @contextmanager
    def created_things_found_after(self, *, seconds: float) -> Iterator[None]:
        """The local Comprehend's switch while the block runs."""
        name = "created_things_found_after_seconds"
        self.account.comprehend_administration("PUT", "settings", {name: seconds})
        try:
            yield
        finally:
            self.account.comprehend_administration("PUT", "settings", {name: 0.0})

    def faults_struck(self) -> int:
        faults = self.account.comprehend_administration("GET", "faults")["faults"]
        return sum(fault["struck"] for fault in faults)

    def datasets(self, flywheel_arn: str | None = None) -> list[dict[str, Any]]:
        answer = self.account.client("comprehend").list_datasets(
            FlywheelArn=flywheel_arn or self.deployment.flywheel_arn, MaxResults=200
        )
        found: list[dict[str, Any]] = answer["DatasetPropertiesList"]
        return found

    def iterations(self) -> list[dict[str, Any]]:
        """Oldest first."""
        answer = self.account.client("comprehend").list_flywheel_iteration_history(
            FlywheelArn=self.deployment.flywheel_arn, MaxResults=200
        )
        return sorted(answer["FlywheelIterationPropertiesList"], key=lambda item: item["CreationTime"])

    def active_model(self) -> str | None:
        described = self.account.client("comprehend").describe_flywheel(FlywheelArn=self.deployment.flywheel_arn)
        arn: str | None = described["FlywheelProperties"].get("ActiveModelArn")
        return arn

    def published(self) -> dict[str, str]:
        """The parameters that are written at run time."""
        prefix = f"/comprehend-flywheel/{NAME}/"
        names = [f"{prefix}{name}" for name in RUN_TIME_NAMES]
        found = self.account.client("ssm").get_parameters(Names=names)["Parameters"]
        return {item["Name"].removeprefix(prefix): item["Value"] for item in found}

    # Functions.

    @cached_property
    def functions(self) -> Mapping[str, str]:
        """The physical name of each step's function."""
        pages = self.account.client("lambda").get_paginator("list_functions").paginate()
        handlers = {entry["FunctionName"]: entry["Handler"] for page in pages for entry in page["Functions"]}
        return {handler.split(".")[2]: name for name, handler in handlers.items() if handler.startswith("handlers.")}

    def log(self, step: str) -> list[dict[str, Any]]:
        """What a function logged about its work, oldest first."""
        return [json.loads(line) for line in self.log_lines(step) if line.startswith('{"level"')]

    def log_lines(self, step: str) -> list[str]:
        pages = (
            self.account.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=f"/comprehend-flywheel/{NAME}/{step}")
        )
        return [event["message"].strip() for page in pages for event in page["events"]]

    # What there is afterwards.

    def keys(self, prefix: str) -> list[str]:
        return list(self.deployment.intake.keys(prefix))

    def waiting(self, split: Split) -> Counter[Document]:
        keys = [key for key in self.keys(f"prepared/{split}/") if key.endswith("/documents.csv")]
        return self._read(self.deployment.intake.name, keys)

    def registered(self, split: Split) -> Counter[Document]:
        """Every document of the COMPLETED datasets, as Comprehend took it over into its lake."""
        found: Counter[Document] = Counter()
        for dataset in self.datasets():
            if dataset["DatasetType"] == split.dataset_type and dataset["Status"] == "COMPLETED":
                bucket, _, prefix = dataset["DatasetS3Uri"].removeprefix("s3://").partition("/")
                pages = (
                    self.account.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
                )
                keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
                found += self._read(bucket, [key for key in keys if key.endswith(".csv")])
        return found

    def _read(self, bucket: str, keys: Iterable[str]) -> Counter[Document]:
        s3 = self.account.client("s3")

        def read(key: str) -> str:
            content: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            return content.decode()

        found: Counter[Document] = Counter()
        with ThreadPoolExecutor(4) as pool:
            texts = list(pool.map(read, keys))
        for text in texts:
            found.update((row[0], row[1]) for row in csv.reader(io.StringIO(text, newline="")))
        return found

    def queue_depth(self, name: str = "turns") -> int:
        """Messages that wait, are delayed or in work: of `turns`, `promotions`, or a queue of dead letters."""
        sqs = self.account.client("sqs")
        pokes = {
            "turns": self.deployment.published.turn_queue_url,
            "promotions": self.deployment.published.promotion_queue_url,
        }
        url = pokes.get(name) or self.queue_url(name)
        asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return sum(int(value) for key, value in asked.items() if key.startswith("ApproximateNumberOfMessages"))

    def queue_url(self, name: str) -> str:
        urls: list[str] = self.account.client("sqs").list_queues()["QueueUrls"]
        return next(url for url in urls if f"Queues{name}" in url)

    # What must hold.

    def at_rest(self, *, serves: str | None = None) -> TurnRecord:
        """Wait until the pipeline has nothing more to do, and check what may never break. The last turn's record.

        `serves` is the model that must be published; without it, the flywheel's active one.
        """
        until(lambda: not self.queue_depth() and not self.is_running(), patience=LONG)
        self.await_promotions()
        for poke in (Poke.TURN_ENDED, Poke.SCHEDULE):
            verdict = self.ask(poke)
            while verdict["start"]:
                self.recorded(self.current)
                until(lambda: not self.queue_depth() and not self.is_running(), patience=LONG)
                self.await_promotions()
                verdict = self.ask(poke)
        until(self._everyone_was_told)
        self.check()
        published = self.published()
        assert (
            published.get("active-model-arn") == published.get("desired-model-arn") == (serves or self.active_model())
        )
        record = self.record(self.current)
        assert record is not None, f"{self.current} left no record"
        return record

    def check(self) -> None:
        for prefix in ("train/", "test/"):
            assert self.keys(prefix) == [], "an upload is still where it was dropped"
        for split in Split:
            found, expected = self.registered(split) + self.waiting(split), self.expected[split]
            assert found == expected, f"lost {list(expected - found)[:3]}, too many {list(found - expected)[:3]}"
        self._check_datasets()
        self._check_iterations()
        self._check_refusals()
        lost = {name: self.queue_depth(name) for name in ("TurnDeadLetters", "PromotionDeadLetters", "Undelivered")}
        assert not any(lost.values()), lost

    def _everyone_was_told(self) -> bool:
        """Whether there was a notification for each turn."""
        self.listen()
        return {record.turn for record in self.records()} <= set(self.told)

    def listen(self) -> None:
        """Take in the notifications that have come."""
        while heard := messages(self.account, self.inbox):
            self.told.update(message["Subject"].partition(":")[0].split()[-1] for message in heard)
            self.heard += [f"{message['Subject']}\n{message['Message']}" for message in heard]

    def _check_refusals(self) -> None:
        """What IAM refuses to a function or the turn machine stands in its log."""
        for step in self.functions:
            refusals = [line for line in self.log_lines(step) if "AccessDenied" in line or "not authorized" in line]
            assert not refusals, f"{step}: {refusals[0]}"

    def _check_datasets(self) -> None:
        """A dataset's name ends in the number of the turn that composed it: no turn makes two of one type."""
        # One that came with an initial model is Comprehend's own.
        datasets = [found for found in self.datasets() if "created by Flywheel creation" not in str(found)]
        for dataset in datasets:
            split, _, number = dataset["DatasetName"].partition("-")
            assert split == dataset["DatasetType"].lower()
            assert turns.number_of(f"turn-{number}"), dataset["DatasetName"]
            marker = f"datasets/{split}/{dataset['DatasetName']}/accepted.json"
            assert (self.keys(marker) == [marker]) is (dataset["Status"] == "COMPLETED"), dataset

    def _check_iterations(self) -> None:
        iterations = self.iterations()
        for former, following in itertools.pairwise(iterations):
            assert former["EndTime"] <= following["CreationTime"], "two iterations at a time"
        for iteration in iterations:
            key = f"decisions/{iteration['FlywheelIterationId']}.json"
            assert iteration["Status"] in ("COMPLETED", "FAILED"), iteration
            assert (self.keys(key) == [key]) is (iteration["Status"] == "COMPLETED"), "a candidate is not decided"


@cache
def shared_pipeline(cloud: LocalCloud, assembly: Path) -> Pipeline:
    """One that several modules use: each test leaves it at rest, and none depends on what others did to it."""
    return Pipeline.deploy(cloud.account("100000000001"), assembly)


@contextmanager
def paused(pipeline: Pipeline) -> Iterator[None]:
    """What is done in the block is there before a turn begins."""
    pause(pipeline.deployment)
    yield
    resume(pipeline.deployment)


def is_verdict(entry: dict[str, Any], poke: Poke, since: datetime) -> bool:
    """Whether start_turn logged this as its answer to such a poke, later than `since`."""
    logged = datetime.strptime(entry["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z")
    return poke in entry.get("pokes", ()) and logged > since


def _status_change(deployment: Deployment, turn: str) -> dict[str, Any]:
    """The event that Step Functions sends when a turn ended, as EventBridge puts it into the queue."""
    return {
        "version": "0",
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "detail": {
            "executionArn": deployment.turn_execution(turn),
            "stateMachineArn": deployment.published.turn_machine_arn,
            "name": turn,
            "status": "SUCCEEDED",
        },
    }
