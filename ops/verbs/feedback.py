"""Giving the corrected output of an analysis job back as feedback."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from flywheel.review.documents import check_answer
from flywheel.review.errors import InvalidAnswer
from flywheel.review.propose import propose
from flywheel.store.record import Record
from ops.deployment.errors import FileError
from ops.deployment.published import Deployment
from ops.verbs.corrections import Correction, Form, Unusable, read_corrections
from ops.verbs.review_queue import review_queue

_AT_ONCE = 8


class UnusableRow(Record):
    line: int
    why: str


class FeedbackGiven(Record):
    path: str
    taken: int
    """Rows that wait for a reviewer."""
    correct: int
    """Rows of these whose correction is what the model said."""
    unusable: tuple[UnusableRow, ...]


def give_feedback(deployment: Deployment, path: Path, *, now: datetime | None = None) -> FeedbackGiven:
    """Propose each row that somebody corrected; a repeated call changes nothing. All rows are checked before the first
    is proposed. Who does it needs to be a reviewer. Raises FileError if no row is corrected."""
    queue = review_queue(deployment)
    form = Form(
        model_type=deployment.published.model_type,
        multi_label=deployment.multi_label,
        delimiter=deployment.published.label_delimiter,
    )
    usable: list[Correction] = []
    unusable: list[UnusableRow] = []
    for row in read_corrections(path, form):
        problem = row.why if isinstance(row, Unusable) else None
        if isinstance(row, Correction):
            try:
                check_answer(row.text, row.labels, kind=queue.kind, task=queue.task)
            except InvalidAnswer as error:
                problem = str(error)
            else:
                usable.append(row)
        if problem is not None:
            unusable.append(UnusableRow(line=row.line, why=problem))
    if not usable and not unusable:
        raise FileError(f"No row of {path} is corrected: write the right answer into the column “corrected”.")
    _propose(deployment, usable, now=now or datetime.now(UTC))
    correct = sum(
        row.suggestion is not None and frozenset(row.suggestion.labels) == frozenset(row.labels) for row in usable
    )
    return FeedbackGiven(path=str(path), taken=len(usable), correct=correct, unusable=tuple(unusable))


def _propose(deployment: Deployment, rows: Sequence[Correction], *, now: datetime) -> None:
    queue, by = review_queue(deployment), deployment.clients.caller()

    def one(row: Correction) -> None:
        propose(queue, text=row.text, labels=row.labels, by=by, now=now, suggestion=row.suggestion)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(one, rows):
            pass
