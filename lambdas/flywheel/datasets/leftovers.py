"""What earlier turns composed: taken over by Comprehend, to be gone on with, or to be thrown away.

A function may outlive the execution that called it, so a stopped turn's compose_datasets can write its manifest long
after later turns went on. Such a dataset is no leftover: its documents are in another dataset, or will be.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.comprehend.flywheel import DatasetStatus
from flywheel.datasets.assemble import can_be_assembled, clear, clearing_began, discard
from flywheel.records import turns
from flywheel.records.datasets import AcceptedDataset, DatasetManifest, accepted_key, manifests
from flywheel.records.parts import prepared_folder

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.records.uploads import Split
    from flywheel.store.bucket import IntakeBucket


@dataclass(frozen=True, kw_only=True)
class Stock:
    """The composed datasets of one split."""

    accepted: list[DatasetManifest]
    """Of every generation."""
    leftover: DatasetManifest | None
    """What an earlier turn composed and did not see through: it is this turn's."""
    later: list[DatasetManifest]
    """Leftovers of the turns to come: a turn makes one dataset of a type."""


def take_stock(*, turn: str, split: Split, intake: IntakeBucket, service: FlywheelService, now: datetime) -> Stock:
    """Find what was composed, and delete what no turn may go on with. Whoever does it finds the same."""
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
            # The only copy may be in the dataset by now, so what the other flywheel completed is accepted.
            arn = f"{manifest.flywheel_arn}/dataset/{manifest.name}"
            clear(intake, manifest, AcceptedDataset(dataset_arn=arn, accepted_at=now))
            accepted.append(manifest)
        else:
            discard(intake, manifest)
    leftovers = _sifted(leftovers, accepted, split=split, intake=intake, service=service)
    _delete_accepted_parts(split, accepted, intake)
    return Stock(accepted=accepted, leftover=next(iter(leftovers), None), later=leftovers[1:])


def _sifted(
    unfinished: list[DatasetManifest],
    accepted: list[DatasetManifest],
    *,
    split: Split,
    intake: IntakeBucket,
    service: FlywheelService,
) -> list[DatasetManifest]:
    """Those to go on with, in this order; the others are discarded: their documents are in another dataset or wait."""
    status = _statuses(unfinished, split, service)
    # What Comprehend knows counts. Of the rest the newest: it was composed of what the turn before it had left.
    unfinished = sorted(unfinished, key=lambda manifest: (manifest.name in status, manifest.name), reverse=True)
    kept: list[DatasetManifest] = []
    for manifest in unfinished:
        if manifest.name in status:
            # The name of a failed one stays used in Comprehend (reference 3.3).
            keep = status[manifest.name] is not DatasetStatus.FAILED
        else:
            keep = not _shares(manifest, [*accepted, *kept]) and can_be_assembled(intake, manifest)
        if keep:
            kept.append(manifest)
        else:
            discard(intake, manifest)
    return kept


def _statuses(unfinished: list[DatasetManifest], split: Split, service: FlywheelService) -> dict[str, DatasetStatus]:
    """By name, of those that Comprehend knows. Its list may lag behind, so what is not in it is asked for by name."""
    if not unfinished:
        return {}
    listed = {found.name: found.status for found in service.datasets() if found.type == split.dataset_type}
    asked = {manifest.name: service.dataset(manifest.name) for manifest in unfinished if manifest.name not in listed}
    return listed | {name: found.status for name, found in asked.items() if found is not None}


def _shares(manifest: DatasetManifest, others: Iterable[DatasetManifest]) -> bool:
    """Whether another dataset of the same flywheel has a part of this one: what it accepted is composed no second time,
    so the two were composed at the same time."""
    own = {part.content_hash for part in manifest.parts}
    return any(
        part.content_hash in own
        for other in others
        if other.flywheel_arn == manifest.flywheel_arn
        for part in other.parts
    )


def _delete_fragments(turn: str, split: Split, intake: IntakeBucket) -> None:
    """Folders of earlier turns without a manifest: what was written into a dataset after it had been discarded."""
    keys: dict[str, list[str]] = {}
    for key in intake.keys(f"datasets/{split}/"):
        keys.setdefault(key.split("/")[2], []).append(key)
    for name, found in keys.items():
        number = turns.number_of(f"turn-{name.removeprefix(f'{split}-')}")
        earlier = number is not None and number < (turns.number_of(turn) or 0)
        if earlier and f"datasets/{split}/{name}/dataset.json" not in found:
            intake.delete(found)


def _delete_accepted_parts(split: Split, accepted: list[DatasetManifest], intake: IntakeBucket) -> None:
    """Parts that wait although a dataset has them: what was prepared, or returned, after they had been accepted."""
    taken = {prepared_folder(split, part.content_hash) for manifest in accepted for part in manifest.parts}
    keys = [key for key in intake.keys(f"prepared/{split}/") if f"{key.rpartition('/')[0]}/" in taken]
    # Facts first: a part without facts is not there for anybody.
    for facts in (True, False):
        intake.delete(key for key in keys if key.endswith("/facts.json") is facts)
