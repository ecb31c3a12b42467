"""The background work of StartFlywheelIteration: the four cases, by what arrived since the last completed iteration.

No new data: nothing. New TEST data: the active model is scored. New TRAIN data: a model is trained on all TRAIN data
and scored. Both: both. What was new to a failed iteration is still new to the next.
"""

from __future__ import annotations

from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError

from local.comprehend.flywheels.lake import Lake, sources_in_lake, statistics_uri
from local.comprehend.identifiers import Scope, hex_digits
from local.comprehend.models import outcome
from local.comprehend.runtime import Runtime
from local.comprehend.state import (
    Dataset,
    DatasetStatus,
    Flywheel,
    Iteration,
    IterationStatus,
    Model,
    ModelStatus,
)
from local.comprehend.training_data import Contents, DataSource, InvalidTrainingDataError, ModelData, require_all_labels
from local.comprehend.workers.worker_processes import WorkerDiedError

# AWS's samples show no other message of a completed iteration, whatever it did.
COMPLETED_MESSAGE = "FULL_ITERATION: Flywheel iteration performed all functions successfully."


class IterationRun:
    """One iteration. What it works on is fixed when it is made: later datasets and promotions do not touch it."""

    def __init__(self, *, runtime: Runtime, scope: Scope, flywheel: Flywheel, iteration: Iteration) -> None:
        self._runtime = runtime
        self._settings = runtime.settings
        self._scope = scope
        self._flywheel = flywheel
        self._kind = flywheel.kind
        self._iteration = iteration
        self._region = runtime.region(scope)
        self._active = self._region.models.get(flywheel.active_model_arn or "")
        self._train = _completed(flywheel, "TRAIN")
        every_test = _completed(flywheel, "TEST")
        new_test = [dataset for dataset in every_test if dataset.arn not in flywheel.used]
        self._test = every_test if self._settings.test_datasets_scored == "all" else new_test
        self._seen = {dataset.arn for dataset in (*self._train, *every_test)}
        self._trains = any(dataset.arn not in flywheel.used for dataset in self._train)
        self._evaluates = self._active is not None and (
            bool(new_test) or (self._trains and self._settings.evaluate_active_without_test_data)
        )
        self._model: Model | None = None
        if self._evaluates:
            iteration.evaluated_model_arn = flywheel.active_model_arn
        elif self._trains:
            iteration.status = IterationStatus.TRAINING

    @property
    def has_subject(self) -> bool:
        """Whether there is anything an iteration could be about: an active model, or data to train one."""
        return self._active is not None or bool(self._train)

    def start(self) -> None:
        """Run in the background."""
        self._runtime.start(self._run, fail=self._fail)

    def _run(self) -> None:
        fault = self._runtime.faults.for_resource("iteration")
        problem = fault.message if fault else self._problem()
        self._runtime.wait_until(self._iteration.created + self._settings.iteration_evaluation_seconds)
        with self._runtime.lock:
            if problem:
                self._fail(problem)
            else:
                self._complete()

    def _problem(self) -> str | None:
        """Do the work; the Message of a FAILED iteration if it cannot be done."""
        try:
            self._check_data()
            if self._evaluates and self._active:
                self._evaluate_active(self._active)
            if self._trains:
                self._train_model()
            self._lake().put_json(f"{self._iteration.manifest_prefix}manifest.json", self._manifest())
        except InvalidTrainingDataError as error:
            return str(error)
        except WorkerDiedError as error:
            return f"An internal error occurred: {error}"
        except (ClientError, BotoCoreError) as error:
            return f"NO_WRITE_ACCESS_TO_OUTPUT: The role {self._flywheel.role_arn} cannot write the data lake: {error}"
        return None

    def _check_data(self) -> None:
        if not self.has_subject:
            raise InvalidTrainingDataError("The flywheel has neither an active model nor training data.")
        training = _together(self._train)
        if self._trains and self._settings.minimum_per_label == "per_flywheel":
            parts = frozenset(source.part for dataset in self._train for source in dataset.source)
            self._kind.require_minimum(
                training, parts=parts, task=self._flywheel.task, settings=self._settings, what="flywheel"
            )
        if self._test and (self._trains or self._evaluates):
            require_all_labels(training, _together(self._test))

    def _evaluate_active(self, active: Model) -> None:
        evaluation = self._runtime.workers.run(self._kind.evaluate_model, self._data(), active.path)
        self._runtime.wait_until(self._iteration.created + self._settings.iteration_evaluation_seconds)
        with self._runtime.lock:
            self._iteration.evaluated = evaluation

    def _train_model(self) -> None:
        started = self._runtime.now()
        model = self._new_model(started)
        trained = self._runtime.workers.run(self._kind.train_model, self._data(), model.path)
        self._runtime.wait_for(lambda settings: settings.iteration_training_seconds, since=started)
        trained_at = self._runtime.now()
        with self._runtime.lock:
            self._iteration.status = IterationStatus.EVALUATING
        evaluation = self._runtime.workers.run(self._kind.evaluate_model, self._data(), model.path)
        lake, prefix = self._lake(), statistics_uri(lake=self._flywheel.lake_uri, version=str(model.version))
        for name, content in evaluation.statistics().items():
            lake.put_json(f"{prefix}{name}", content)
        self._runtime.wait_until(trained_at + self._settings.iteration_evaluation_seconds)
        with self._runtime.lock:
            model.training_ended = trained_at
            model.trained, model.evaluation = trained, evaluation

    def _new_model(self, now: float) -> Model:
        with self._runtime.lock:
            self._iteration.status = IterationStatus.TRAINING
            name = self._active.name if self._active else self._first_model_name()
            # With the creation time, as a deleted flywheel's models outlive it and its name can be used again.
            digits = hex_digits(self._flywheel.arn, str(self._flywheel.created), self._iteration.id)
            version = f"Comprehend-Generated-v1-{digits}"
            model = Model(
                arn=self._scope.model_arn(resource=self._kind.arn_resource, name=name, version=version),
                name=name,
                version=version,
                kind=self._kind,
                task=self._flywheel.task,
                role_arn=self._flywheel.role_arn,
                flywheel_arn=self._flywheel.arn,
                security=dict(self._flywheel.security),
                output_config={"FlywheelStatsS3Prefix": statistics_uri(lake=self._flywheel.lake_uri, version=version)},
                created=now,
                training_started=now,
                status=ModelStatus.TRAINING,
                input_config=self._kind.input_of_flywheel(self._flywheel.task, _sources(self._train)),
                path=self._runtime.new_model_path(),
                train=_sources(self._train),
                test=_sources(self._test),
            )
            self._region.models[model.arn] = model
            self._model = model
        return model

    def _first_model_name(self) -> str:
        flywheel = self._flywheel
        if flywheel.first_model_name is None:
            generated = f"Comprehend-Generated-{hex_digits(flywheel.arn, str(flywheel.created))}"
            flywheel.first_model_name = flywheel.name if self._settings.first_model_name == "flywheel" else generated
        return flywheel.first_model_name

    def _complete(self) -> None:
        flywheel, iteration, now = self._flywheel, self._iteration, self._runtime.now()
        if self._model:
            outcome.complete(self._runtime, self._model)
            iteration.trained_model_arn, iteration.trained = self._model.arn, self._model.evaluation
            if flywheel.active_model_arn is None and self._settings.first_model_becomes_active:
                flywheel.active_model_arn, flywheel.modified = self._model.arn, now
        flywheel.used |= self._seen
        iteration.status, iteration.message, iteration.ended = IterationStatus.COMPLETED, COMPLETED_MESSAGE, now

    def _fail(self, message: str) -> None:
        now = self._runtime.now()
        if self._model:
            outcome.fail(self._runtime, self._model, message)
        iteration = self._iteration
        iteration.status, iteration.message, iteration.ended = IterationStatus.FAILED, message, now

    def _data(self) -> ModelData:
        return ModelData(
            train=tuple(dataset.files for dataset in self._train),
            test=tuple(dataset.files for dataset in self._test),
            task=self._flywheel.task,
        )

    def _lake(self) -> Lake:
        client = self._runtime.s3(self._scope, role_arn=self._flywheel.role_arn, source_arn=self._flywheel.arn)
        return Lake(client=client, kms_key_id=self._flywheel.security.get("DataLakeKmsKeyId"))

    def _manifest(self) -> dict[str, object]:
        return {
            "FlywheelIterationId": self._iteration.id,
            "TrainDatasets": sorted(dataset.s3_uri for dataset in self._train),
            "TestDatasets": sorted(dataset.s3_uri for dataset in self._test),
            "EvaluatedModelArn": self._iteration.evaluated_model_arn,
            "TrainedModelArn": self._model.arn if self._model else None,
        }


def _completed(flywheel: Flywheel, type_: str) -> list[Dataset]:
    return [dataset for dataset in flywheel.datasets_of(type_) if dataset.status is DatasetStatus.COMPLETED]


def _sources(datasets: list[Dataset]) -> tuple[DataSource, ...]:
    """The datasets' copies in the lake, what belongs together in one group."""
    sources: list[DataSource] = []
    for dataset in datasets:
        first = 1 + max((source.group for source in sources), default=-1)
        copies = sources_in_lake(dataset.s3_uri, dataset.source)
        sources += (replace(copy, group=first + copy.group) for copy in copies)
    return tuple(sources)


def _together(datasets: list[Dataset]) -> Contents:
    total = Contents()
    for dataset in datasets:
        total.add(dataset.contents)
    return total
