"""Finds which waiting documents the next dataset of a split would have, and which would keep waiting, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flywheel.comprehend.dataset_minimum import DatasetMinimum, dataset_minimum
from flywheel.datasets.distinct import Distinct, DistinctParts, find_distinct, read_combinations, read_digests
from flywheel.datasets.pack import in_order_of_packing, within_limits
from flywheel.datasets.stored_parts import StoredPart, parts_of, parts_with_digests, waiting_part, waiting_parts
from flywheel.records.datasets import WaitingDocuments, by_single_label, manifests, without_labels
from flywheel.records.uploads import Split

if TYPE_CHECKING:
    from flywheel.comprehend.model_kind import ModelKind, Task
    from flywheel.preparation import ConflictingLabels
    from flywheel.records.datasets import DatasetManifest
    from flywheel.records.exclusions import Exclusions
    from flywheel.records.parts import PartLocation
    from flywheel.records.uploads import Part
    from flywheel.store.bucket import IntakeBucket

Size = Callable[[Sequence[Distinct], frozenset[str]], int]
"""Gives the bytes of a dataset of these parts, without the documents that have one of the labels."""


@dataclass(frozen=True, kw_only=True)
class Outlook:
    split: Split
    candidates: list[Distinct]
    """The parts that fit into the dataset. Of those that are excluded as a whole there is none."""
    found: DistinctParts
    excluded: int = 0
    """Documents that wait, or that a new generation would have, but for people who excluded them."""
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
    exclusions: Exclusions,
    overrule: bool = False,
    held_back: Sequence[tuple[Part, PartLocation]] = (),
    planned: Sequence[StoredPart] = (),
) -> Outlook:
    """What the next dataset would have of the waiting documents, including `held_back`, which are about to wait.

    `minimum` is MinimumDocumentsPerLabel, `accepted` are the datasets of all generations of the flywheel. A new
    generation uses the documents that older ones accepted. `planned` are parts that datasets would have by then that
    are only planned.
    """
    accepted = list(accepted)
    mine = [manifest for manifest in accepted if manifest.flywheel_arn == flywheel_arn]
    used = {part.content_hash for manifest in mine for part in manifest.parts}
    used.update(stored.part.content_hash for stored in planned)
    parts = [stored for stored in _parts(split, intake, accepted, held_back) if stored.part.content_hash not in used]
    included = [stored for stored in parts if not exclusions.covers(stored.part)]
    in_order = in_order_of_packing(
        included, limits=kind.dataset_limits, labels=task.labels, minimum=minimum if split is Split.TRAIN else 1
    )

    def of_accepted() -> Iterator[StoredPart]:
        yield from planned
        stored = parts_with_digests(intake, split, mine, flywheel_arn=flywheel_arn)
        # What is excluded does not count as there: documents that are uploaded again are used.
        yield from (each for each in stored if not exclusions.covers(each.part))

    def of_other_split() -> Iterator[StoredPart]:
        stored = parts_with_digests(intake, other, manifests(intake, other), flywheel_arn=flywheel_arn)
        # This flywheel's datasets keep what is excluded; from a new generation's it is gone.
        yield from (each for each in stored if each.accepted_in is None or not exclusions.covers(each.part))

    other = Split.TEST if split is Split.TRAIN else Split.TRAIN
    found = find_distinct(
        in_order,
        accepted=of_accepted,
        other=of_other_split,
        digests=read_digests(intake),
        combinations=read_combinations(intake),
        capacity=kind.dataset_limits.documents,
        conflicting_labels=conflicting_labels,
        excluded=exclusions.documents,
    )
    full, candidates = within_limits(
        [part for part in found.parts if len(part.excluded) < part.stored.part.documents], kind.dataset_limits
    )
    combinations = _sum(candidate.labels for candidate in candidates)
    reached = dataset_minimum(
        split,
        combinations,
        labels=task.labels,
        limits=kind.dataset_limits,
        minimum=minimum,
        first=not mine and not planned,
        overrule=overrule,
        size=lambda left_out: size(candidates, left_out),
    )
    return Outlook(
        split=split,
        candidates=candidates,
        found=found,
        excluded=sum(stored.part.documents for stored in parts if exclusions.covers(stored.part))
        + sum(len(part.excluded) for part in found.parts),
        full=full or not found.all_seen,
        minimum=reached,
        combinations=combinations,
        included=without_labels(combinations, reached.held_back) if reached.dataset else {},
    )


def _parts(
    split: Split,
    intake: IntakeBucket,
    accepted: list[DatasetManifest],
    held_back: Sequence[tuple[Part, PartLocation]],
) -> list[StoredPart]:
    """The parts that any generation accepted, and prepared ones, oldest first."""
    found: dict[str, StoredPart] = {}
    for manifest in accepted:
        for stored in parts_of(manifest):
            # If several generations have the part, the newest counts: what it held back is a part of its own.
            found[stored.part.content_hash] = replace(stored, accepted_in=manifest.prefix)
    about_to_wait = (waiting_part(part, location) for part, location in held_back)
    for stored in (*waiting_parts(intake, split), *about_to_wait):
        found.setdefault(stored.part.content_hash, stored)
    return list(found.values())


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
