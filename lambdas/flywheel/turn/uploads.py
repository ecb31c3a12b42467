"""Summarises a turn's uploads for its record: the number of each outcome, and the results of some uploads.

A turn may have thousands of uploads with a hundred bad lines each. Every upload has a record of its own. The turn's
record must stay small, because start_turn, the pages of 50 turns and people read all of it.
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
"""Limits both the uploads that were not prepared and the versions that were replaced."""
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
    counts: UploadCounts = field(default_factory=UploadCounts)
    results: tuple[UploadResult, ...] = ()
    """The results for the turn's record, in their original order."""
    ids: frozenset[str] = frozenset()
    """Ids of all uploads that have a result."""


def summarise(results: Iterable[UploadResult]) -> TurnUploads:
    """Summarise the results. Reads each once, and holds only what the record gets."""
    outcomes: Counter[UploadOutcome] = Counter()
    totals: Counter[str] = Counter()
    ids: set[str] = set()

    def ranked() -> Iterator[tuple[int, int, UploadResult]]:
        for place, result in enumerate(results):
            outcomes[result.outcome] += 1
            totals.update(
                documents=result.documents, duplicates=result.duplicates, bad_lines=sum(result.bad_lines.values())
            )
            ids.add(result.upload.id)
            yield _WORST_FIRST.index(result.outcome), place, _shortened(result)

    worst = heapq.nsmallest(UPLOADS_IN_RECORD, ranked(), key=lambda entry: entry[:2])
    without = {"examples": (), "conflict_examples": ()}
    recorded = [
        (place, result if rank < _WITH_EXAMPLES else result.model_copy(update=without))
        for rank, (_, place, result) in enumerate(worst)
    ]
    return TurnUploads(
        counts=UploadCounts(outcomes=dict(outcomes), **totals),
        results=tuple(result for _, result in sorted(recorded, key=lambda entry: entry[0])),
        ids=frozenset(ids),
    )


def _shortened(result: UploadResult) -> UploadResult:
    return result.model_copy(
        update={
            "examples": result.examples[:_EXAMPLES],
            "labels": result.labels if len(result.labels) <= _LABELS else {},
            "upload": result.upload.without_files,
        }
    )
