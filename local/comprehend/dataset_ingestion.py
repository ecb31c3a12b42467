"""The background work of CreateDataset: from CREATING to COMPLETED or FAILED."""

from __future__ import annotations

import shutil

from botocore.exceptions import BotoCoreError, ClientError

from local.comprehend.identifiers import Scope
from local.comprehend.ingestion import checked_contents, download
from local.comprehend.lake import Lake
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
            lambda: self.take_in(scope, flywheel, dataset),
            on_defect=lambda: self._end(dataset, "An internal error occurred."),
        )

    def take_in(self, scope: Scope, flywheel: Flywheel, dataset: Dataset) -> None:
        """Ingest now; afterwards the dataset is COMPLETED, or FAILED with a Message."""
        settings = self._runtime.settings
        problem = self._problem(scope, flywheel, dataset)
        self._runtime.wait_until(dataset.created + settings.dataset_ingestion_seconds)
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
            client = self._runtime.storage.client(
                role_arn=flywheel.role_arn, source_arn=flywheel.arn, account=scope.account, region=scope.region
            )
            files = download(
                client=client,
                sources=dataset.source,
                folder=dataset.folder,
                maximum_bytes=settings.maximum_dataset_bytes,
            )
            contents = checked_contents(files=files, task=flywheel.task, dataset_type=dataset.type, settings=settings)
            doing = "NO_WRITE_ACCESS_TO_OUTPUT: The role {role} cannot write the data lake: {error}"
            lake = Lake(client=client, kms_key_id=flywheel.security.get("DataLakeKmsKeyId"))
            lake.put_files(dataset.s3_uri, files)
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
