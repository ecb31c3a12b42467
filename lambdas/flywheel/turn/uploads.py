"""What a turn's record holds of its uploads: how many of each outcome, and of some of them what became of each.

A turn may take thousands of uploads with a hundred bad lines each. Every upload has a record of its own; the turn's
is read whole by every poke, by fifty pages and by people.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from flywheel.records.turns import UploadCounts
from flywheel.records.uploads import UploadOutcome, UploadResult

UPLOADS_IN_RECORD = 200
OTHERS_IN_RECORD = 100
"""Uploads that were not prepared, and versions that were replaced."""
_WITH_EXAMPLES = 50
_EXAMPLES = 10
_LABELS = 20
_WORST_FIRST = (
    UploadOutcome.UNREADABLE,
    UploadOutcome.REJECTED,
    UploadOutcome.PARTLY_ACCEPTED,
    UploadOutcome.GONE,
    UploadOutcome.DUPLICATE,
    UploadOutcome.ACCEPTED,
)


@dataclass
class TurnUploads:
    """`results` are those that the record holds, in the order they were given; `ids` of all that have one."""

    counts: UploadCounts = field(default_factory=UploadCounts)
    results: tuple[UploadResult, ...] = ()
    ids: frozenset[str] = frozenset()


def summarise(results: Iterable[UploadResult]) -> TurnUploads:
    """Reads each result once and holds no more of it than the record will."""
    outcomes: Counter[UploadOutcome] = Counter()
    totals: Counter[str] = Counter()
    ids: set[str] = set()

    def passing() -> Iterator[tuple[int, int, UploadResult]]:
        for place, result in enumerate(results):
            outcomes[result.outcome] += 1
            totals.update(
                documents=result.documents, duplicates=result.duplicates, bad_lines=sum(result.bad_lines.values())
            )
            ids.add(result.upload.id)
            yield _WORST_FIRST.index(result.outcome), place, _shortened(result)

    worst = heapq.nsmallest(UPLOADS_IN_RECORD, passing(), key=lambda entry: entry[:2])
    without = {"examples": (), "conflict_examples": ()}
    kept = [
        (place, result if rank < _WITH_EXAMPLES else result.model_copy(update=without))
        for rank, (_, place, result) in enumerate(worst)
    ]
    return TurnUploads(
        counts=UploadCounts(outcomes=dict(outcomes), **totals),
        results=tuple(result for _, result in sorted(kept, key=lambda entry: entry[0])),
        ids=frozenset(ids),
    )


def _shortened(result: UploadResult) -> UploadResult:
    return result.model_copy(
        update={
            "examples": result.examples[:_EXAMPLES],
            "labels": result.labels if len(result.labels) <= _LABELS else {},
        }
    )
