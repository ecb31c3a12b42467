"""Runs the steps of a turn in the order of the turn machine, in this process, against one deployment of its own.

The machine itself is tested where it is deployed; here a turn can be killed, redriven and looked into at each step.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from flywheel.comprehend.flywheel import DatasetStatus, FlywheelService, IterationStatus
from flywheel.comprehend.model_kind import ModelType
from flywheel.datasets.accept_dataset import accept_dataset
from flywheel.datasets.compose_datasets import DatasetComposer
from flywheel.datasets.register_dataset import register_dataset
from flywheel.decisions.compare_metrics import compare_metrics
from flywheel.decisions.gate import Bar
from flywheel.decisions.holdout import HoldoutFreezer
from flywheel.decisions.predict_holdout import predict_holdout
from flywheel.decisions.prepare_holdout import prepare_holdout
from flywheel.entity_recognition import ENTITY_RECOGNITION
from flywheel.faults.errors import FlywheelError
from flywheel.pipeline import FlywheelPipeline
from flywheel.preparation import ConflictingLabels, Limits, RepeatedDocuments
from flywheel.preparation.entities import EntityLimits, from_line
from flywheel.promotions.delete_old_models import delete_old_models
from flywheel.promotions.request_promotion import request_promotion
from flywheel.records import turns
from flywheel.records.datasets import DatasetManifest, read_manifest
from flywheel.records.decisions import DecisionKind, Evidence
from flywheel.records.one_at_a_time import Current
from flywheel.records.turns import TurnBeginning, TurnOutcome, TurnRecord, TurnRequest
from flywheel.records.uploads import Split, Upload, UploadResult
from flywheel.turn import report_turn, start_turn
from flywheel.turn.begin_turn import begin_turn, write_batches
from flywheel.turn.run_iteration import run_iteration
from flywheel.uploads.prepare_upload import UploadPreparer
from tests.pipeline.deployment import PromotingDeployment, settled, with_retries
from tests.pipeline.in_process_cloud import ACCOUNT, REGION
from tests.pipeline.step_roles import Names

if TYPE_CHECKING:
    from flywheel.turn.start_turn import Poke, TurnStart

LABELS = ("BUSINESS", "SPORTS")
DELIMITER = "|"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/data-access"
ENDPOINT_ROLE = f"arn:aws:iam::{ACCOUNT}:role/opens-models"
_WAIT_SECONDS = 300.0
_RETRIES = 50
_MOST_PROMOTIONS = 8
T = TypeVar("T")
_numbers = itertools.count(1)

Document = tuple[str, str]


@dataclass(frozen=True)
class Step:
    """One state of the machine; taking it gives the steps that come next because of what it found."""

    name: str
    take: Callable[[], list[Step]]
    function: str | None = None
    """Whose role it is held to; None: the machine does it itself."""


class DatasetFailed(Exception):
    """Comprehend did not take a dataset."""


class IterationFailed(Exception):
    """Comprehend did not complete an iteration."""


def documents(*labels: str, start: int = 0, count: int = 10, words: str = "") -> list[Document]:
    """For each label (a combination is joined with `|`) documents that a model can learn it from."""
    return [
        (label, f"{words}{' and '.join(f'{word.lower()} news' for word in label.split('|'))}, told in document {n}")
        for n in range(start, start + count)
        for label in labels
    ]


def as_csv(rows: Iterable[Document]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def read_stored(key: str, content: bytes) -> list[Document]:
    """Documents in either form: labels, or annotations as `Span.label` joined by spaces, and the text."""
    if key.endswith(".csv"):
        return [(row[0], row[1]) for row in csv.reader(io.StringIO(content.decode(), newline=""))]
    if key.endswith((".jsonl", ".manifest")):
        lines = map(from_line, content.decode().splitlines())
        return [(" ".join(span.label for span in spans), text) for text, spans in lines]
    return []


@dataclass(frozen=True, kw_only=True)
class Found:
    """The documents of the COMPLETED datasets, and those that wait in `prepared/`; each sorted."""

    trained_on: list[Document]
    tested_on: list[Document]
    waiting: list[Document]
    waiting_to_test: list[Document]


@dataclass(kw_only=True)
class Deployment(PromotingDeployment):
    """What one stack deploys, and a person's hands on it."""

    labels: tuple[str, ...] = LABELS
    """A recognizer's entity types."""
    multi_label: bool = False
    minimum_per_label: int = 5
    minimum_score: float = 0.0
    minimum_improvement: float = 0.0
    maximum_regression: float = 1.0
    maximum_label_regression: float = 1.0
    evidence: Evidence = Evidence.ITERATION
    holdout_documents: int = 2000
    confidence_level: float = 0.95
    suspect_test_labels: int = 0
    minimum_between_iterations: timedelta = timedelta(0)
    quiet_period: timedelta = timedelta(0)
    maximum_bad_lines_percent: float = 50.0
    conflicting_labels: ConflictingLabels = ConflictingLabels.KEEP
    repeated_documents: RepeatedDocuments = RepeatedDocuments.DROP
    remaining_seconds: float = 900.0
    """Of prepare_upload's time."""
    flywheel_arn: str = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.generation = 0
        self.faults: list[tuple[Upload, Exception]] = []
        """Of uploads: what prepare_upload logs."""
        self.s3.create_bucket(Bucket=f"{self.name}-lake")
        self.replace_flywheel()

    def replace_flywheel(self, *, labels: tuple[str, ...] | None = None) -> None:
        """Deploy a new generation, a minute after whatever happened before."""
        self.cloud.clock.advance(timedelta(minutes=1))
        self.generation += 1
        self.labels = labels or self.labels
        self.flywheel_arn = self.comprehend.create_flywheel(
            FlywheelName=f"{self.name}-{self.generation:08x}",
            DataAccessRoleArn=ROLE,
            DataLakeS3Uri=f"s3://{self.name}-lake/g{self.generation}",
            **self._task_config(),
            Tags=[{"Key": "project", "Value": "tests"}],
        )["FlywheelArn"]
        settled(self.service.describe, lambda flywheel: flywheel.active)

    def _task_config(self) -> dict[str, Any]:
        if self.kind is ENTITY_RECOGNITION:
            config = {"EntityRecognitionConfig": {"EntityTypes": [{"Type": name} for name in self.labels]}}
            return {"ModelType": "ENTITY_RECOGNIZER", "TaskConfig": {"LanguageCode": "en", **config}}
        mode = "MULTI_LABEL" if self.multi_label else "MULTI_CLASS"
        task = {"LanguageCode": "en", "DocumentClassificationConfig": {"Mode": mode, "Labels": list(self.labels)}}
        return {"ModelType": "DOCUMENT_CLASSIFIER", "TaskConfig": task}

    @property
    def pipeline(self) -> FlywheelPipeline:
        return FlywheelPipeline(intake=self.intake, service=self.service, published=self.published)

    @property
    def service(self) -> FlywheelService:
        return FlywheelService(comprehend=self._clients["comprehend"], flywheel_arn=self.flywheel_arn, kind=self.kind)

    @property
    def bar(self) -> Bar:
        return Bar(
            selection_metric="F1Score",
            minimum_score=self.minimum_score,
            minimum_improvement=self.minimum_improvement,
            maximum_regression=self.maximum_regression,
            maximum_label_regression=self.maximum_label_regression,
        )

    def upload(self, key: str, content: bytes | Iterable[Document]) -> str:
        return super().upload(key, content if isinstance(content, bytes) else as_csv(content))

    def names(self, *, smoke_test_key: str) -> Names:
        return Names(
            account=ACCOUNT,
            region=REGION,
            bucket=self.name,
            flywheel=self.flywheel_arn.rpartition("/")[2],
            roles={"DataAccess": ROLE, "EndpointAccess": ENDPOINT_ROLE},
            parameters={"SmokeTestKey": smoke_test_key},
        )

    def request_turn(self, *, overrule_minimum: bool = False) -> TurnRequest:
        request = TurnRequest(by="a test", at=self.now(), overrule_minimum=overrule_minimum)
        self.bucket.write(turns.REQUEST_KEY, request)
        return request

    def poked(self, *pokes: Poke) -> TurnStart:
        """What start_turn thinks of these pokes; without any, of all that there are."""
        with self.acting_as("start_turn"):
            return start_turn.decide(
                start_turn.observe(
                    pipeline=self.pipeline,
                    pokes=frozenset(pokes or start_turn.Poke),
                    now=self.now(),
                    quiet_period=self.quiet_period,
                    minimum_between_iterations=self.minimum_between_iterations,
                )
            )

    def start_turn(self) -> Turn:
        """The next one, whatever became of the one before; `Starter` is tested by itself."""
        number = turns.current_number(self.bucket) + 1
        self.bucket.write(turns.TURNS.current_key, Current(number=number))
        return Turn(self, turns.name_of(number))

    def repeat(self, turn: Turn) -> Turn:
        """The same execution from its first step on."""
        return Turn(self, turn.name)

    def run_turn(self) -> TurnRecord:
        """The next turn, from its beginning to its end."""
        return self.start_turn().run()

    def run_until_at_rest(self, *, at_most: int = 6) -> list[TurnRecord]:
        """Turns as long as pokes start one. Fails if there is no end to it."""
        records: list[TurnRecord] = []
        while self.poked().start:
            assert len(records) < at_most, f"{len(records)} turns and still not at rest: {self.poked().reason}"
            records.append(self.run_turn())
        self.promote_all()
        return records

    def create_dataset_in_console(self, rows: list[Document]) -> str:
        """One that the pipeline knows nothing of; its name."""
        name = f"by-hand-{next(_numbers)}"
        self.s3.put_object(Bucket=f"{self.name}-lake", Key=f"{name}/documents.csv", Body=as_csv(rows))
        self.comprehend.create_dataset(
            FlywheelArn=self.flywheel_arn,
            DatasetName=name,
            DatasetType="TRAIN",
            InputDataConfig={
                "DataFormat": "COMPREHEND_CSV",
                "DocumentClassifierInputDataConfig": {"S3Uri": f"s3://{self.name}-lake/{name}/"},
            },
        )
        if not self.cloud.comprehend.settings.dataset_ingestion_seconds:
            settled(lambda: self.service.dataset(name), lambda found: found.status is DatasetStatus.COMPLETED)
        return name

    def train_in_console(self, rows: list[Document]) -> str:
        """A dataset and an iteration that the pipeline knows nothing of; the iteration's id."""
        self.create_dataset_in_console(rows)
        answer = self.comprehend.start_flywheel_iteration(FlywheelArn=self.flywheel_arn)
        iteration_id: str = answer["FlywheelIterationId"]
        settled(lambda: self.service.iteration(iteration_id), lambda found: found.status is IterationStatus.COMPLETED)
        return iteration_id

    # What there is to see afterwards.

    def registered(self, split: Split = Split.TRAIN, *, flywheel_arn: str | None = None) -> list[Document]:
        """Every document of the COMPLETED datasets, as Comprehend took them over."""
        found: list[Document] = []
        for item in self.datasets(flywheel_arn=flywheel_arn):
            if item["Status"] == "COMPLETED" and item["DatasetType"] == split.dataset_type:
                found += self._in_lake(item["DatasetS3Uri"])
        return sorted(found)

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

    def _in_lake(self, uri: str) -> list[Document]:
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        found: list[Document] = []
        for item in self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
            found += read_stored(item["Key"], self.s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())
        return found

    def waiting(self, split: Split = Split.TRAIN) -> list[Document]:
        """The documents in `prepared/`."""
        found: list[Document] = []
        for key in self.keys(f"prepared/{split}/"):
            if "/documents." in key:
                found += read_stored(key, self.bucket.read_bytes(key))
        return sorted(found)

    def active_model(self) -> str | None:
        properties = self.comprehend.describe_flywheel(FlywheelArn=self.flywheel_arn)["FlywheelProperties"]
        arn: str | None = properties.get("ActiveModelArn")
        return arn

    def check_consistency(self, *, datasets_of_others: bool = False) -> Found:
        """What holds whenever the pipeline is at rest, whatever happened to it before; and what documents there are."""
        found = self.check_documents()
        if not datasets_of_others:
            self.check_datasets()
        self._check_everything_is_decided()
        parameters, active = self.parameters(), self.active_model()
        assert parameters.get("active-model-arn") == parameters.get("desired-model-arn") == active
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
        for documents in (found.trained_on + found.waiting, found.tested_on + found.waiting_to_test):
            twice = [document for document, times in Counter(documents).items() if times > 1]
            kept = self.repeated_documents is RepeatedDocuments.KEEP
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

    def _check_everything_is_decided(self) -> None:
        for item in self.iterations():
            assert item["Status"] in {"COMPLETED", "FAILED"}, "an iteration runs that nobody waits for"
            if item["Status"] == "COMPLETED":
                key = f"decisions/{item['FlywheelIterationId']}.json"
                assert self.keys(key) == [key], "a candidate is not decided"


class Turn:
    """One execution. `run` goes on where it stopped: after a kill it does what a redrive does."""

    def __init__(self, deployment: Deployment, name: str) -> None:
        self.name = name
        self._at = deployment
        self._steps = [Step("begin", self._begin, "begin_turn")]
        self.steps_taken = 0
        self._iteration_id: str | None = None

    def run(self) -> TurnRecord:
        """To its end, which is FAILED if a step fails for good. What kills this process goes through."""
        try:
            while self._steps:
                self.take_step()
        except (FlywheelError, ClientError, DatasetFailed, IterationFailed) as error:
            self._steps = []
            return self._report(TurnOutcome.FAILED, error)
        return self._report(TurnOutcome.SUCCEEDED)

    def run_before(self, name: str) -> Turn:
        """Up to the first step of this name, which is not taken."""
        while self._steps[0].name != name:
            self.take_step()
        return self

    def take_step(self) -> None:
        """The next one, with the machine's retries."""
        step = self._steps[0]
        with self._at.acting_as(step.function):
            following = with_retries(step.take)
        self._steps[:1] = following
        self.steps_taken += 1

    @property
    def next_step(self) -> str | None:
        """Its name; None at the end."""
        return self._steps[0].name if self._steps else None

    def repeat_step(self) -> None:
        """Take the next one without going on: as an invocation whose answer got lost."""
        step = self._steps[0]
        with self._at.acting_as(step.function):
            step.take()

    def skip_step(self) -> None:
        self._steps.pop(0)

    def _begin(self) -> list[Step]:
        at = self._at
        beginning = begin_turn(
            pipeline=at.pipeline, turn=self.name, minimum_between_iterations=at.minimum_between_iterations, now=at.now()
        )
        for split in Split:
            write_batches(at.intake, beginning, split)
        self._iteration_id = beginning.unfinished_iteration
        if self._iteration_id:
            return [Step("await_iteration", self._await_iteration)]
        return [
            Step("prepare_test", lambda: self._prepare(Split.TEST), "prepare_upload"),
            Step("prepare_train", lambda: self._prepare(Split.TRAIN), "prepare_upload"),
            Step("compose", self._compose, "compose_datasets"),
            Step("run_iteration", self._run_iteration, "run_iteration"),
        ]

    def beginning(self) -> TurnBeginning:
        return self._at.intake.require(turns.begin_key(self.name), TurnBeginning)

    def _prepare(self, split: Split) -> list[Step]:
        uploads = [upload.without_files for upload in self.beginning().uploads if upload.split is split]
        self.preparer().prepare_all(uploads, self._at.now())
        return []

    def preparer(self) -> UploadPreparer:
        return UploadPreparer(
            intake=self._at.intake,
            kind=self._at.kind,
            beginning=self.beginning(),
            delimiter=DELIMITER,
            options=(EntityLimits if self._at.kind is ENTITY_RECOGNITION else Limits)(
                maximum_bad_lines_percent=self._at.maximum_bad_lines_percent,
                documents=10_000,
                conflicting_labels=self._at.conflicting_labels,
                repeated_documents=self._at.repeated_documents,
            ),
            on_fault=lambda upload, error: self._at.faults.append((upload, error)),
            remaining_seconds=lambda: self._at.remaining_seconds,
        )

    def _compose(self) -> list[Step]:
        composition = self.composer().compose()
        return [step for found in composition.datasets for step in self._dataset_steps(found.split, found.name)]

    def composer(self) -> DatasetComposer:
        at = self._at
        return DatasetComposer(
            intake=at.intake,
            service=at.service,
            beginning=self.beginning(),
            minimum_per_label=at.minimum_per_label,
            label_delimiter=DELIMITER,
            conflicting_labels=at.conflicting_labels,
            now=at.now(),
        )

    def _dataset_steps(self, split: Split, name: str) -> list[Step]:
        at = self._at

        def manifest() -> DatasetManifest:
            return read_manifest(at.intake, split, name)

        def register() -> list[Step]:
            register_dataset(
                turn=self.name,
                manifest=manifest(),
                intake=at.intake,
                service=at.service,
                label_delimiter=DELIMITER if at.multi_label else None,
            )
            return []

        def await_dataset() -> list[Step]:
            dataset = settled(
                lambda: at.service.dataset(name), lambda found: found.status is not DatasetStatus.CREATING
            )
            if dataset.status is DatasetStatus.FAILED:
                raise DatasetFailed(dataset.message)
            return []

        def accept() -> list[Step]:
            accept_dataset(turn=self.name, manifest=manifest(), intake=at.intake, service=at.service, now=at.now())
            return []

        return [
            Step("register_dataset", register, "register_dataset"),
            Step("await_dataset", await_dataset),
            Step("accept_dataset", accept, "accept_dataset"),
        ]

    def _run_iteration(self) -> list[Step]:
        start = run_iteration(turn=self.name, intake=self._at.intake, service=self._at.service)
        self._iteration_id = start.iteration_id
        return [Step("await_iteration", self._await_iteration)] if start.iteration_id else []

    def _await_iteration(self) -> list[Step]:
        iteration = settled(
            lambda: self._at.service.iteration(self.iteration_id), lambda found: not found.status.running
        )
        if iteration.status is not IterationStatus.COMPLETED:
            raise IterationFailed(iteration.message)
        if self._at.evidence is Evidence.HOLDOUT:
            return [
                Step("prepare_holdout", self._prepare_holdout, "prepare_holdout"),
                Step("decide", self._decide, "compare_metrics"),
            ]
        return [Step("decide", self._decide, "compare_metrics")]

    def _prepare_holdout(self) -> list[Step]:
        at = self._at
        models = prepare_holdout(
            turn=self.name,
            iteration_id=self.iteration_id,
            freezer=HoldoutFreezer(
                intake=at.intake, service=at.service, delimiter=DELIMITER, at_most=at.holdout_documents
            ),
            pipeline=at.pipeline,
        )
        return [Step("predict_holdout", partial(self._predict_holdout, model), "predict_holdout") for model in models]

    def _predict_holdout(self, model_arn: str) -> list[Step]:
        at = self._at
        job_id = predict_holdout(
            turn=self.name,
            iteration_id=self.iteration_id,
            model_arn=model_arn,
            intake=at.intake,
            service=at.service,
            now=at.now(),
        )
        return [Step("await_prediction", lambda: self._await_prediction(job_id))] if job_id else []

    def _await_prediction(self, job_id: str) -> list[Step]:
        settled(lambda: self._at.service.jobs.find(job_id), lambda found: not found.running)
        return []

    @property
    def iteration_id(self) -> str:
        assert self._iteration_id, f"{self.name} has no iteration"
        return self._iteration_id

    def _decide(self) -> list[Step]:
        at = self._at
        decision = compare_metrics(
            pipeline=at.pipeline,
            turn=self.name,
            iteration_id=self.iteration_id,
            bar=at.bar,
            now=at.now(),
            evidence=at.evidence,
            confidence_level=at.confidence_level,
            suspect_test_labels=at.suspect_test_labels,
        )
        request = [
            Step("request_promotion", self._request_promotion, "request_promotion"),
            Step("promote", self._promote),
        ]
        return [
            *(request if decision.decision is DecisionKind.PROMOTE else []),
            Step("delete_old_models", self._delete_old_models, "delete_old_models"),
        ]

    def _request_promotion(self) -> list[Step]:
        at = self._at
        request_promotion(
            turn=self.name, iteration_id=self.iteration_id, mode=at.promotion_mode, intake=at.intake, now=at.now()
        )
        return []

    def _promote(self) -> list[Step]:
        """Not a step of a turn: another machine does it, here before the turn's report."""
        self._at.promote_all()
        return []

    def _delete_old_models(self) -> list[Step]:
        at = self._at
        delete_old_models(
            pipeline=at.pipeline,
            keep=at.models_to_keep,
            key=turns.deleted_key(self.name),
            require_current=partial(turns.require_current, at.intake, self.name),
        )
        return []

    def report_aborted(self) -> TurnRecord:
        """What the status event of an execution that was stopped brings about."""
        return self._report(TurnOutcome.ABORTED)

    def _report(self, outcome: TurnOutcome, error: Exception | None = None) -> TurnRecord:
        with self._at.acting_as("report_turn"):
            return report_turn.report_turn(
                turn=self.name,
                outcome=outcome,
                error=type(error).__name__ if error else None,
                cause=str(error) if error else None,
                intake=self._at.intake,
                flywheel_arn=self._at.flywheel_arn,
                model_type=ModelType.ENTITY_RECOGNIZER
                if self._at.kind is ENTITY_RECOGNITION
                else ModelType.DOCUMENT_CLASSIFIER,
                now=self._at.now(),
            )


def result_of(record: TurnRecord, key: str) -> UploadResult:
    """What became of the upload of this key in the turn."""
    return next(result for result in record.uploads if result.upload.key == key)
