"""Records that Comprehend has accepted a dataset, and removes its parts from `prepared/`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.comprehend.flywheel import DatasetStatus
from flywheel.datasets.assemble import clear
from flywheel.faults.errors import ServiceBusy
from flywheel.records import turns
from flywheel.records.datasets import AcceptedDataset, DatasetManifest

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.store.bucket import IntakeBucket


def accept_dataset(
    *, turn: str, manifest: DatasetManifest, intake: IntakeBucket, service: FlywheelService, now: datetime
) -> None:
    """Accept a COMPLETED dataset. Raises NotCurrentTurn, or ServiceBusy if the dataset is not COMPLETED."""
    turns.require_current(intake, turn)
    dataset = service.dataset(manifest.name)
    if dataset is None or dataset.status is not DatasetStatus.COMPLETED:
        raise ServiceBusy(f"Dataset {manifest.name} is {dataset.status if dataset else 'unknown'}, not COMPLETED.")
    accepted = AcceptedDataset(dataset_arn=dataset.arn, number_of_documents=dataset.documents, accepted_at=now)
    clear(intake, manifest, accepted)
