"""The background work of CreateDataset, from CREATING to COMPLETED or FAILED: read the data in the name of the
flywheel's role, check them, copy them into the lake."""

from __future__ import annotations

import shutil

from botocore.exceptions import BotoCoreError, ClientError

from local.comprehend.data_files import downloaded
from local.comprehend.flywheels.lake import Lake
from local.comprehend.identifiers import Scope
from local.comprehend.runtime import Runtime
from local.comprehend.state import Dataset, DatasetStatus, DroppedDocuments, Flywheel
from local.comprehend.training_data import InvalidTrainingDataError


class DatasetIngestion:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def start(self, scope: Scope, flywheel: Flywheel, dataset: Dataset) -> None:
        """Ingest in the background."""
        # An iteration is likely to follow.
        self._runtime.workers.prepare()
        self._runtime.start(
            lambda: self.take_in(scope, flywheel, dataset), fail=lambda message: self._end(dataset, message)
        )

    def take_in(self, scope: Scope, flywheel: Flywheel, dataset: Dataset) -> None:
        """Ingest now; afterwards the dataset is COMPLETED, or FAILED with a Message."""
        problem = self._problem(scope, flywheel, dataset)
        self._runtime.wait_for(lambda settings: settings.dataset_ingestion_seconds, since=dataset.created)
        fault = self._runtime.faults.for_resource("dataset")
        with self._runtime.lock:
            self._end(dataset, fault.message if fault else problem)
        if dataset.status is DatasetStatus.FAILED:
            self.discard_files(dataset)

    def discard_files(self, dataset: Dataset) -> None:
        """Delete the service's own copy of the data; the lake keeps its copy."""
        dataset.files = ()
        if dataset.folder.exists():
            shutil.rmtree(dataset.folder)

    def _problem(self, scope: Scope, flywheel: Flywheel, dataset: Dataset) -> str | None:
        settings = self._runtime.settings
        doing = "NO_READ_ACCESS_TO_INPUT: The role {role} cannot read the data: {error}"
        try:
            client = self._runtime.s3(scope, role_arn=flywheel.role_arn, source_arn=flywheel.arn)
            limit = flywheel.kind.maximum_dataset_bytes(settings)
            files = downloaded(client, dataset.source, folder=dataset.folder, maximum_bytes=limit)
            contents = flywheel.kind.checked_contents(files, task=flywheel.task, settings=settings)
            if dataset.type == "TRAIN" and settings.minimum_per_label == "per_dataset" and not dataset.of_model:
                parts = frozenset(source.part for source in dataset.source)
                flywheel.kind.require_minimum(
                    contents, parts=parts, task=flywheel.task, settings=settings, what="dataset"
                )
            doing = "NO_WRITE_ACCESS_TO_OUTPUT: The role {role} cannot write the data lake: {error}"
            lake = Lake(client=client, kms_key_id=flywheel.security.get("DataLakeKmsKeyId"))
            lake.put_files(dataset.s3_uri, files, sources=dataset.source)
        except (ClientError, BotoCoreError) as error:
            return doing.format(role=flywheel.role_arn, error=error)
        except InvalidTrainingDataError as error:
            return str(error)
        dataset.files, dataset.contents = files, contents
        return None

    def _end(self, dataset: Dataset, problem: str | None) -> None:
        dataset.ended = self._runtime.now()
        dataset.message = problem
        dataset.status = DatasetStatus.FAILED if problem else DatasetStatus.COMPLETED
        contents = dataset.contents
        if contents.unknown_labels:
            self._runtime.dropped.append(
                DroppedDocuments(
                    dataset_arn=dataset.arn,
                    documents=contents.documents,
                    dropped_documents=contents.dropped_documents,
                    unknown_labels=contents.unknown_labels,
                )
            )
