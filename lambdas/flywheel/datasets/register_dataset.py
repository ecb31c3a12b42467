"""Registers composed datasets with Comprehend and, once COMPLETED, clears what they were composed from."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.comprehend.flywheel import DatasetStatus
from flywheel.datasets.assemble import clear
from flywheel.errors import ServiceBusy
from flywheel.records import turns
from flywheel.records.datasets import AcceptedDataset, DatasetManifest, manifest_key
from flywheel.records.uploads import Split

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.store.bucket import IntakeBucket


def read_manifest(intake: IntakeBucket, split: Split, name: str) -> DatasetManifest:
    """Raises UnknownRecord."""
    return intake.require(manifest_key(split, name), DatasetManifest)


def register(
    *,
    turn: str,
    manifest: DatasetManifest,
    intake: IntakeBucket,
    service: FlywheelService,
    label_delimiter: str | None,
) -> str:
    """Describe or create: the dataset's ARN. Raises NotCurrentTurn.

    `label_delimiter` is None in MULTI_CLASS mode, where a document has one label.
    """
    if service.dataset(manifest.name) is None:
        turns.require_current(intake, turn)
        service.create_dataset(
            name=manifest.name,
            split=manifest.split,
            s3_uri=f"s3://{intake.name}/{manifest.documents_prefix}",
            delimiter=label_delimiter,
            # 1 to 64 letters, digits and hyphens (reference 1.2).
            token=hashlib.sha256(f"{service.arn} {manifest.name}".encode()).hexdigest(),
        )
    return service.dataset_arn(manifest.name)


def accept(
    *, turn: str, manifest: DatasetManifest, intake: IntakeBucket, service: FlywheelService, now: datetime
) -> None:
    """Clear what a COMPLETED dataset was composed from. Raises NotCurrentTurn, or ServiceBusy if it is not that."""
    turns.require_current(intake, turn)
    dataset = service.dataset(manifest.name)
    if dataset is None or dataset.status is not DatasetStatus.COMPLETED:
        raise ServiceBusy(f"Dataset {manifest.name} is {dataset.status if dataset else 'unknown'}, not COMPLETED.")
    accepted = AcceptedDataset(dataset_arn=dataset.arn, number_of_documents=dataset.documents, accepted_at=now)
    clear(intake, manifest, accepted)
