"""Registers a composed dataset with Comprehend."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from flywheel.faults.errors import FlywheelReplaced
from flywheel.records import turns
from flywheel.records.datasets import DatasetManifest

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.store.bucket import IntakeBucket


def register_dataset(
    *,
    turn: str,
    manifest: DatasetManifest,
    intake: IntakeBucket,
    service: FlywheelService,
    label_delimiter: str | None,
) -> str:
    """Create the dataset if Comprehend does not have it. Returns its ARN. Raises NotCurrentTurn and FlywheelReplaced.

    `label_delimiter` is None in MULTI_CLASS mode, where a document has one label.
    """
    if manifest.flywheel_arn != service.arn:
        raise FlywheelReplaced(turn=turn, former=manifest.flywheel_arn, current=service.arn)
    if service.dataset(manifest.name) is None:
        turns.require_current(intake, turn)
        service.create_dataset(
            name=manifest.name,
            split=manifest.split,
            s3_uri=f"s3://{intake.name}/{manifest.joined_key if manifest.is_joined else manifest.documents_prefix}",
            delimiter=label_delimiter,
            # 1 to 64 letters, digits and hyphens (reference 1.2).
            token=hashlib.sha256(f"{service.arn} {manifest.name}".encode()).hexdigest(),
        )
    return service.dataset_arn(manifest.name)
