"""Chooses the parts of a dataset where those that wait do not fit into one. Pure: computes with counts only.

A part goes into a dataset as a whole, because it is then copied within S3. The largest parts come first, and every part
that still fits is taken: no part of a later dataset would have fitted into an earlier one. So any two datasets hold
more documents, or more bytes, than one may have. Where one of the two limits decides, this is first-fit decreasing: at
most 11/9 of the fewest datasets that these parts could have, and one more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flywheel.records.datasets import by_single_label

if TYPE_CHECKING:
    from flywheel.comprehend.model_kind import DatasetLimits
    from flywheel.datasets.distinct import Distinct
    from flywheel.datasets.stored_parts import StoredPart


class _Room:
    """What is left of a dataset."""

    def __init__(self, limits: DatasetLimits) -> None:
        self._documents, self._bytes = limits.documents, limits.bytes
        self._empty = True

    def take(self, documents: int, size: int) -> bool:
        """Whether it fits. The first always does: no upload is larger than a dataset."""
        if not self._empty and (documents > self._documents or size > self._bytes):
            return False
        self._empty = False
        self._documents -= documents
        self._bytes -= size
        return True


def in_order_of_packing(
    parts: Sequence[StoredPart], *, limits: DatasetLimits, labels: Sequence[str], minimum: int
) -> list[StoredPart]:
    """Those for the next dataset first, then the others by age, as `parts` are. If all fit, they stay by age.

    The oldest parts that bring each label to `minimum` are chosen first: a dataset that lacks a label may have to wait.
    """
    everything = _Room(limits)
    if all(everything.take(stored.part.documents, stored.part.bytes) for stored in parts):
        return list(parts)
    needed = _with_every_label(parts, labels=labels, minimum=minimum)
    largest = sorted(
        (stored for stored in parts if stored not in needed),
        key=lambda stored: max(stored.part.documents / limits.documents, stored.part.bytes / limits.bytes),
        reverse=True,
    )
    room = _Room(limits)
    chosen = {stored for stored in (*needed, *largest) if room.take(stored.part.documents, stored.part.bytes)}
    return [stored for stored in parts if stored in chosen] + [stored for stored in parts if stored not in chosen]


def _with_every_label(parts: Sequence[StoredPart], *, labels: Sequence[str], minimum: int) -> dict[StoredPart, None]:
    missing = dict.fromkeys(labels, minimum)
    needed: dict[StoredPart, None] = {}
    for stored in parts:
        counts = {label: count for label, count in by_single_label(stored.part.labels).items() if label in missing}
        if any(missing[label] > 0 for label in counts):
            needed[stored] = None
            for label, count in counts.items():
                missing[label] -= count
    return needed


def within_limits(candidates: Sequence[Distinct], limits: DatasetLimits) -> tuple[bool, list[Distinct]]:
    """Whether some candidates do not fit into one dataset, and those that do, in their order."""
    room = _Room(limits)
    taken = [
        candidate
        for candidate in candidates
        if room.take(candidate.documents, candidate.stored.part.bytes if candidate.documents else 0)
    ]
    return len(taken) < len(candidates), taken
