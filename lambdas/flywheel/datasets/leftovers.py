"""Sorts the datasets that earlier turns composed: accepted by Comprehend, still to be registered, or to be discarded.

When a turn is stopped, its function compose_datasets keeps running and may write a manifest while later turns run. Such
a dataset is discarded, because later turns compose its documents.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.comprehend.flywheel import DatasetStatus
from flywheel.datasets.assemble import can_be_assembled, clear, clearing_began, discard
from flywheel.records import turns
from flywheel.records.datasets import (
    AcceptedDataset,
    DatasetManifest,
    accepted_key,
    datasets_folder,
    manifest_key,
    manifests,
)
from flywheel.records.parts import prepared_folder, waiting_folder

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.records.uploads import Split
    from flywheel.store.bucket import IntakeBucket


@dataclass(frozen=True, kw_only=True)
class ComposedDatasets:
    """The composed datasets of one split."""

    accepted: list[DatasetManifest]
    """Accepted datasets of all generations of the flywheel."""
    leftovers: list[DatasetManifest]
    """Datasets that an earlier turn, or an earlier invocation of this step, composed: this turn finishes them."""


def clean_up_leftovers(
    *, turn: str, split: Split, intake: IntakeBucket, service: FlywheelService, now: datetime
) -> ComposedDatasets:
    """Find the composed datasets, and delete those that no turn may finish. A repeated call finds the same."""
    _delete_fragments(turn, split, intake)
    accepted: list[DatasetManifest] = []
    unfinished: list[DatasetManifest] = []
    for manifest in manifests(intake, split):
        (accepted if intake.exists(accepted_key(manifest)) else unfinished).append(manifest)
    leftovers: list[DatasetManifest] = []
    for manifest in unfinished:
        if manifest.flywheel_arn == service.arn:
            leftovers.append(manifest)
        elif clearing_began(intake, manifest) and not _shares(manifest, accepted):
            # The replaced flywheel completed it. The dataset may have the only copy of its documents: accept it.
            arn = f"{manifest.flywheel_arn}/dataset/{manifest.name}"
            clear(intake, manifest, AcceptedDataset(dataset_arn=arn, accepted_at=now))
            accepted.append(manifest)
        else:
            discard(intake, manifest)
    leftovers = _select(leftovers, accepted, split=split, intake=intake, service=service)
    _delete_accepted_parts(split, accepted, intake)
    return ComposedDatasets(accepted=accepted, leftovers=leftovers)


def _select(
    unfinished: list[DatasetManifest],
    accepted: list[DatasetManifest],
    *,
    split: Split,
    intake: IntakeBucket,
    service: FlywheelService,
) -> list[DatasetManifest]:
    """The datasets to finish, in this order. The others are discarded: their documents wait, or another dataset has
    them."""
    status = _statuses(unfinished, split, service)
    # First those that Comprehend has, then the newest, which was composed from what earlier turns had left.
    unfinished = sorted(unfinished, key=lambda manifest: (manifest.name in status, manifest.name), reverse=True)
    selected: list[DatasetManifest] = []
    for manifest in unfinished:
        if manifest.name in status:
            # A failed dataset's name cannot be used again in Comprehend (reference 3.3).
            keep = status[manifest.name] is not DatasetStatus.FAILED
        else:
            keep = not _shares(manifest, [*accepted, *selected]) and can_be_assembled(intake, manifest)
        if keep:
            selected.append(manifest)
        else:
            discard(intake, manifest)
    return selected


def _statuses(unfinished: list[DatasetManifest], split: Split, service: FlywheelService) -> dict[str, DatasetStatus]:
    """The status in Comprehend by name. ListDatasets may lag behind: those it lacks are described."""
    if not unfinished:
        return {}
    listed = {found.name: found.status for found in service.datasets() if found.type == split.dataset_type}
    others = {manifest.name: service.dataset(manifest.name) for manifest in unfinished if manifest.name not in listed}
    return listed | {name: found.status for name, found in others.items() if found is not None}


def _shares(manifest: DatasetManifest, others: Iterable[DatasetManifest]) -> bool:
    """Whether another dataset of the same flywheel has a part of this one. That happens only if two turns composed at
    the same time, because a part that a dataset has is not composed again."""
    own = {part.content_hash for part in manifest.parts}
    return any(
        part.content_hash in own
        for other in others
        if other.flywheel_arn == manifest.flywheel_arn
        for part in other.parts
    )


def _delete_fragments(turn: str, split: Split, intake: IntakeBucket) -> None:
    """Delete folders of earlier turns that have no manifest: a function wrote into them after they were discarded."""
    keys: dict[str, list[str]] = {}
    for key in intake.keys(datasets_folder(split)):
        keys.setdefault(key.split("/")[2], []).append(key)
    for name, found in keys.items():
        number = turns.number_of(f"turn-{name.removeprefix(f'{split}-').partition('-')[0]}")
        earlier = number is not None and number < (turns.number_of(turn) or 0)
        if earlier and manifest_key(split, name) not in found:
            intake.delete(found)


def _delete_accepted_parts(split: Split, accepted: list[DatasetManifest], intake: IntakeBucket) -> None:
    """Delete waiting parts that a dataset has: they were prepared, or returned, after the dataset was accepted."""
    taken = {prepared_folder(split, part.content_hash) for manifest in accepted for part in manifest.parts}
    keys = [key for key in intake.keys(waiting_folder(split)) if f"{key.rpartition('/')[0]}/" in taken]
    # Facts first: a part without facts is ignored.
    for facts in (True, False):
        intake.delete(key for key in keys if key.endswith("/facts.json") is facts)
