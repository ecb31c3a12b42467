"""The background work of a training without a flywheel: from SUBMITTED over TRAINING to its end, good or bad."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local.comprehend.data_files import downloaded
from local.comprehend.identifiers import Scope
from local.comprehend.jobs.archive import packed
from local.comprehend.models import outcome
from local.comprehend.runtime import Runtime
from local.comprehend.state import Model, ModelStatus
from local.comprehend.storage import bucket_and_key, encrypted_with
from local.comprehend.training_data import (
    Contents,
    DataFile,
    DataSource,
    InvalidTrainingDataError,
    ModelData,
    require_all_labels,
)
from local.comprehend.workers.worker_processes import WorkerDiedError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class TrainingRun:
    """One training. It reads and writes S3 in the name of the role given with it."""

    def __init__(self, *, runtime: Runtime, scope: Scope, model: Model, role_arn: str) -> None:
        self._runtime = runtime
        self._settings = runtime.settings
        self._scope = scope
        self._model = model
        self._role = role_arn
        self._folder = runtime.new_folder()

    def start(self) -> None:
        """Run in the background."""
        self._runtime.workers.prepare()
        self._runtime.start(self._run, fail=self._end)

    def _run(self) -> None:
        model = self._model
        started = model.created + self._settings.model_queue_seconds
        self._runtime.wait_until(started)
        with self._runtime.lock:
            model.training_started = self._runtime.now()
            if model.status is ModelStatus.SUBMITTED:
                model.status = ModelStatus.TRAINING
        problem = self._problem()
        self._runtime.wait_for(lambda settings: settings.model_training_seconds, since=started)
        with self._runtime.lock:
            self._end(problem)

    def _end(self, problem: str | None) -> None:
        model = self._model
        model.training_ended = self._runtime.now()
        if model.status is ModelStatus.STOP_REQUESTED:
            model.status, model.ended = ModelStatus.STOPPED, self._runtime.now()
        elif problem:
            outcome.fail(self._runtime, model, problem)
        else:
            outcome.complete(self._runtime, model)

    def _problem(self) -> str | None:
        """Do the work; the Message of a model that is IN_ERROR if it cannot be done."""
        role = self._role
        self._doing = "NO_READ_ACCESS_TO_INPUT: The role {role} cannot read the data: {error}"
        try:
            self._train(self._runtime.s3(self._scope, role_arn=role, source_arn=self._model.arn))
        except (ClientError, BotoCoreError) as error:
            return self._doing.format(role=role, error=error)
        except InvalidTrainingDataError as error:
            return str(error)
        except WorkerDiedError as error:
            return f"An internal error occurred: {error}"
        finally:
            if self._folder.exists():
                shutil.rmtree(self._folder)
        return None

    def _train(self, client: S3Client) -> None:
        model, kind = self._model, self._model.kind
        train, training = self._taken_in(client, model.train, "train")
        if self._settings.minimum_per_label != "none":
            parts = frozenset(source.part for source in model.train)
            kind.require_minimum(training, parts=parts, task=model.task, settings=self._settings, what="model")
        test: tuple[DataFile, ...] = ()
        if model.test:
            test, testing = self._taken_in(client, model.test, "test")
            require_all_labels(training, testing)
        data = ModelData(train=(train,), test=(test,) if test else (), task=model.task)
        trained = self._runtime.workers.run(kind.train_model, data, model.path)
        evaluation = self._runtime.workers.run(kind.evaluate_model, data, model.path)
        with self._runtime.lock:
            model.task = kind.learnt(model.task, trained)
            model.trained, model.evaluation = trained, evaluation
        self._doing = "NO_WRITE_ACCESS_TO_OUTPUT: The role {role} cannot write the output: {error}"
        self._write(client, evaluation.statistics())

    def _taken_in(
        self, client: S3Client, sources: tuple[DataSource, ...], name: str
    ) -> tuple[tuple[DataFile, ...], Contents]:
        model, settings = self._model, self._settings
        limit = model.kind.maximum_dataset_bytes(settings)
        files = downloaded(client, sources, folder=self._folder / name, maximum_bytes=limit)
        return files, model.kind.checked_contents(files, task=model.task, settings=settings)

    def _write(self, client: S3Client, statistics: dict[str, object]) -> None:
        """The archive of a training, for which a classifier may have asked."""
        config = self._model.output_config
        if config is None:
            return
        archive = self._folder / "output.tar.gz"
        ((name, content),) = statistics.items()
        with packed(archive, member=name) as file:
            json.dump(content, file, indent=1)
        bucket, key = bucket_and_key(config["S3Uri"])
        client.put_object(
            Bucket=bucket, Key=key, Body=Path(archive).read_bytes(), **encrypted_with(config.get("KmsKeyId"))
        )
