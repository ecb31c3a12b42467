"""Plans datasets from the waiting documents that `look_ahead` found. Pure: nothing is read or written here."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.records import turns
from flywheel.records.datasets import (
    Composition,
    DatasetManifest,
    DatasetPart,
    DatasetRef,
    LabelConflict,
    WaitingDocuments,
    by_single_label,
    without_labels,
)
from flywheel.records.parts import PLACES
from flywheel.records.uploads import Split

if TYPE_CHECKING:
    from flywheel.datasets.distinct import Distinct
    from flywheel.datasets.look_ahead import Outlook


@dataclass(frozen=True, kw_only=True)
class DatasetPlan:
    """What a turn does with the waiting documents of one split."""

    split: Split
    manifest: DatasetManifest | None = None
    """The dataset to assemble; None if the documents are below the minimum for one."""
    left_out: bytes = b""
    """Content of the manifest's `dropped_file`."""
    waiting: WaitingDocuments | None = None
    cleared: tuple[str, ...] = ()
    """Content hashes of waiting parts to delete, because datasets have all of their documents."""
    known: int = 0
    """Documents of these parts."""
    conflicts: int = 0
    conflict_examples: tuple[LabelConflict, ...] = ()
    more: bool = False
    """Documents wait for a dataset of the next turn."""

    @property
    def leaked(self) -> int:
        return sum(part.leaked for part in self._parts)

    @property
    def duplicates(self) -> int:
        return self.known + sum(part.duplicates for part in self._parts)

    @property
    def refused(self) -> int:
        return sum(part.refused for part in self._parts)

    @property
    def _parts(self) -> tuple[DatasetPart, ...]:
        return self.manifest.parts if self.manifest else ()


def plan_new(outlook: Outlook, *, turn: str, flywheel_arn: str, now: datetime) -> DatasetPlan:
    """A dataset of the waiting documents, if they reach the minimum."""
    known = [one.stored.part for one in outlook.candidates if one.all_accepted_before and not outlook.included]
    manifest, left_out = _manifest(outlook, turn, flywheel_arn, now) if outlook.included else (None, b"")
    return DatasetPlan(
        split=outlook.split,
        manifest=manifest,
        left_out=left_out,
        waiting=outlook.waiting(),
        cleared=tuple(part.content_hash for part in known),
        known=sum(part.documents for part in known),
        conflicts=outlook.found.conflicts,
        conflict_examples=outlook.found.examples,
        more=outlook.full,
    )


def plan_leftover(leftover: DatasetManifest, rest: Outlook) -> DatasetPlan:
    """A dataset as an earlier turn planned it. The documents that wait besides are left for the next turn."""
    waiting = rest.waiting()
    if rest.included:
        waiting = WaitingDocuments(
            split=leftover.split,
            documents=sum(rest.combinations.values()),
            labels=by_single_label(rest.combinations),
            reason=f"The next turn takes them: this one finishes {leftover.name}, which an earlier turn composed.",
        )
    return DatasetPlan(split=leftover.split, manifest=leftover, waiting=waiting, more=bool(rest.included))


def composition_of(turn: str, plans: Sequence[DatasetPlan]) -> Composition:
    return Composition(
        turn=turn,
        datasets=tuple(DatasetRef(name=plan.manifest.name, split=plan.split) for plan in plans if plan.manifest),
        waiting=tuple(plan.waiting for plan in plans if plan.waiting),
        leaked={plan.split: plan.leaked for plan in plans if plan.leaked},
        duplicates={plan.split: plan.duplicates for plan in plans if plan.duplicates},
        refused={plan.split: plan.refused for plan in plans if plan.refused},
        conflicts={plan.split: plan.conflicts for plan in plans if plan.conflicts},
        conflict_examples=tuple(example for plan in plans for example in plan.conflict_examples),
        cleared={plan.split: plan.cleared for plan in plans if plan.cleared},
        more=any(plan.more for plan in plans),
    )


def _manifest(outlook: Outlook, turn: str, flywheel_arn: str, now: datetime) -> tuple[DatasetManifest, bytes]:
    held_back = outlook.minimum.held_back
    places: array[int] = array(PLACES)
    parts: list[DatasetPart] = []
    for candidate in outlook.candidates:
        part = dataset_part(candidate, held_back)
        if part.documents or part.dropped:
            parts.append(part)
            places += candidate.dropped + candidate.refused
    manifest = DatasetManifest(
        name=f"{outlook.split}-{turns.number_of(turn):06d}",
        split=outlook.split,
        flywheel_arn=flywheel_arn,
        turn=turn,
        composed_at=now,
        parts=tuple(parts),
        held_back_labels=tuple(sorted(held_back)),
        # Named after its content, so that no other invocation can overwrite it with different content.
        dropped_file=f"dropped-{hashlib.sha256(places.tobytes()).hexdigest()}.bin",
    )
    return manifest, places.tobytes()


def dataset_part(candidate: Distinct, held_back: frozenset[str]) -> DatasetPart:
    """The part in a dataset that holds back the documents with a label in `held_back`."""
    part = candidate.stored.part
    included = without_labels(candidate.labels, held_back)
    documents = sum(included.values())
    waits = candidate.documents - documents
    return DatasetPart(
        content_hash=part.content_hash,
        documents=documents,
        bytes=part.bytes,
        labels=included,
        delimiter=part.delimiter,
        form=part.form,
        sources=part.sources,
        held_back=waits,
        held_back_hash=_held_back_hash(part.content_hash, held_back) if waits else None,
        leaked=candidate.leaked,
        duplicates=candidate.duplicates,
        refused=len(candidate.refused),
        accepted_in=candidate.stored.accepted_in,
    )


def _held_back_hash(content_hash: str, held_back: frozenset[str]) -> str:
    """A name for the held-back documents of a part: the same for the same part and labels, and no content hash."""
    return hashlib.sha256("\n".join([content_hash, *sorted(held_back)]).encode()).hexdigest()
