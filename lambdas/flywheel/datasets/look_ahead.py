"""Finds which waiting documents the next dataset of a split would have, and which would keep waiting, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flywheel.comprehend.dataset_minimum import DatasetMinimum, dataset_minimum
from flywheel.datasets.distinct import Distinct, DistinctParts, find_distinct, read_combinations, read_digests
from flywheel.datasets.stored_parts import StoredPart, parts_of, parts_with_digests, waiting_part
from flywheel.records.datasets import WaitingDocuments, by_single_label, manifests, without_labels
from flywheel.records.parts import prepared_location, waiting_parts
from flywheel.records.uploads import Split

if TYPE_CHECKING:
    from flywheel.comprehend.model_kind import DatasetLimits, ModelKind, Task
    from flywheel.preparation import ConflictingLabels
    from flywheel.records.datasets import DatasetManifest
    from flywheel.records.parts import PartLocation
    from flywheel.records.uploads import Part
    from flywheel.store.bucket import IntakeBucket

Size = Callable[[Sequence[Distinct], frozenset[str]], int]
"""Gives the bytes of a dataset of these parts, without the documents that have one of the labels."""


@dataclass(frozen=True, kw_only=True)
class Outlook:
    split: Split
    candidates: list[Distinct]
    """The parts that fit into the dataset."""
    found: DistinctParts
    full: bool
    """Some waiting documents do not fit into the dataset."""
    minimum: DatasetMinimum
    combinations: dict[str, int]
    """Distinct documents of the candidates, by label combination."""
    included: dict[str, int]
    """Those of them in the dataset; empty if they are below the minimum for one."""

    def waiting(self) -> WaitingDocuments | None:
        """The documents that keep waiting, and why; None if there are none."""
        labels = _difference(self.combinations, self.included)
        candidates = [candidate for candidate in self.candidates if not candidate.all_accepted_before]
        if not labels and (self.minimum.dataset or not candidates):
            return None
        if not labels:
            reason = _why_none(candidates)
        else:
            reason = self.minimum.reason()
            copies = sum(candidate.duplicates for candidate in candidates)
            if copies and not self.included:
                reason += f" Besides, {copies} of the uploaded documents are copies, which count once."
        return WaitingDocuments(
            split=self.split, documents=sum(labels.values()), labels=by_single_label(labels), reason=reason
        )


def look_ahead(
    split: Split,
    *,
    intake: IntakeBucket,
    flywheel_arn: str,
    accepted: Iterable[DatasetManifest],
    kind: ModelKind,
    task: Task,
    minimum: int,
    conflicting_labels: ConflictingLabels,
    size: Size,
    overrule: bool = False,
    held_back: Sequence[tuple[Part, PartLocation]] = (),
) -> Outlook:
    """What the next dataset would have of the waiting documents, including `held_back`, which are about to wait.

    `minimum` is MinimumDocumentsPerLabel, `accepted` are the datasets of all generations of the flywheel. A new
    generation uses the documents that older ones accepted.
    """
    accepted = list(accepted)
    mine = [manifest for manifest in accepted if manifest.flywheel_arn == flywheel_arn]
    found = _find(split, intake, accepted, mine, held_back, conflicting_labels, capacity=kind.dataset_limits.documents)
    full, candidates = _within_limits(found.parts, kind.dataset_limits)
    combinations = _sum(candidate.labels for candidate in candidates)
    reached = dataset_minimum(
        split,
        combinations,
        labels=task.labels,
        limits=kind.dataset_limits,
        minimum=minimum,
        first=not mine,
        overrule=overrule,
        size=lambda left_out: size(candidates, left_out),
    )
    return Outlook(
        split=split,
        candidates=candidates,
        found=found,
        full=full or not found.all_seen,
        minimum=reached,
        combinations=combinations,
        included=without_labels(combinations, reached.held_back) if reached.dataset else {},
    )


def _find(
    split: Split,
    intake: IntakeBucket,
    accepted: list[DatasetManifest],
    mine: list[DatasetManifest],
    held_back: Sequence[tuple[Part, PartLocation]],
    conflicting_labels: ConflictingLabels,
    *,
    capacity: int,
) -> DistinctParts:
    """The distinct documents of prepared parts and, in a new generation, of the parts that older ones accepted."""
    used = {part.content_hash for manifest in mine for part in manifest.parts}
    found: dict[str, StoredPart] = {}
    for manifest in accepted:
        for stored in parts_of(manifest):
            if stored.part.content_hash not in used:
                # If several generations have the part, the newest counts: what it held back is a part of its own.
                found[stored.part.content_hash] = replace(stored, accepted_in=manifest.prefix)
    waiting = [(part, prepared_location(split, part.content_hash, part.form)) for part in waiting_parts(intake, split)]
    for part, location in [*waiting, *held_back]:
        if part.content_hash not in used:
            found.setdefault(part.content_hash, waiting_part(part, location))
    other = Split.TEST if split is Split.TRAIN else Split.TRAIN
    return find_distinct(
        list(found.values()),
        accepted=lambda: parts_with_digests(intake, split, mine),
        other=lambda: parts_with_digests(intake, other, manifests(intake, other)),
        digests=read_digests(intake),
        combinations=read_combinations(intake),
        capacity=capacity,
        conflicting_labels=conflicting_labels,
    )


def _within_limits(candidates: Sequence[Distinct], limits: DatasetLimits) -> tuple[bool, list[Distinct]]:
    """Whether some candidates do not fit into one dataset, and the oldest ones that do."""
    taken: list[Distinct] = []
    documents = size = 0
    for candidate in candidates:
        documents += candidate.documents
        size += candidate.stored.part.bytes if candidate.documents else 0
        if taken and (documents > limits.documents or size > limits.bytes):
            return True, taken
        taken.append(candidate)
    return False, taken


def _why_none(candidates: Sequence[Distinct]) -> str:
    """Why none of the waiting documents is used."""
    if all(candidate.leaked == candidate.stored.part.documents for candidate in candidates):
        return "Every one of these documents stands in the other split too, so none is used."
    return (
        "None of these documents is used: each stands in the other split, in a dataset, or before with other labels "
        "(ConflictingLabels)."
    )


def _sum(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for combinations in counts:
        for key, count in combinations.items():
            total[key] = total.get(key, 0) + count
    return total


def _difference(whole: dict[str, int], part: dict[str, int]) -> dict[str, int]:
    return {key: count - part.get(key, 0) for key, count in whole.items() if count > part.get(key, 0)}
