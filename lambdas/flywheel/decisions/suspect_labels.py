"""Puts test documents before reviewers whose labels the candidate contradicts, the most certain first.

The candidate has not seen them. So either it is wrong, or the label is, which would make every comparison worse.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.records.predictions import Suggestion
from flywheel.records.review import ItemSource, Lane, Proposal, WaitingItem, rank_of_margin
from flywheel.review.add_item import add
from flywheel.store.stream import buffered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flywheel.comprehend.model_kind import Task
    from flywheel.evaluation import Predictions
    from flywheel.records.holdouts import FrozenHoldout
    from flywheel.store.bucket import IntakeBucket

TEST_DATA = "the test data"
"""Always the same, so that what reviewers have decided on is not asked again by the next candidate."""


@dataclass(frozen=True, kw_only=True)
class LabelSuspects:
    intake: IntakeBucket
    most: int
    """So many documents of a hold-out at most; 0: none."""

    def add(self, holdout: FrozenHoldout, answers: Predictions, *, model_arn: str, task: Task, now: datetime) -> int:
        """How many were added. Added again, they are in the same place."""
        margins = answers.margins
        if not self.most or margins is None:
            return 0
        contradicted = (
            line
            for line, predicted in enumerate(answers.by_line)
            if line not in answers.errors and predicted != frozenset(holdout.labels[line])
        )
        chosen = frozenset(sorted(contradicted, key=lambda line: -margins[line])[: self.most])
        for line, text in self._texts(holdout, chosen):
            margin = margins[line]
            item = WaitingItem(
                text=text,
                source=ItemSource.TEST_DATA,
                suggestion=Suggestion(
                    labels=tuple(sorted(answers.by_line[line])),
                    multi_label=task.multi_label,
                    confidence=margin,
                    margin=margin,
                    model_arn=model_arn,
                ),
                proposals=(Proposal(by=TEST_DATA, at=now, labels=holdout.labels[line]),),
                at=now,
            )
            add(item, lane=Lane.CONTRADICTED, rank=rank_of_margin(1 - margin), intake=self.intake)
        return len(chosen)

    def _texts(self, holdout: FrozenHoldout, chosen: Iterable[int]) -> Iterator[tuple[int, str]]:
        wanted = frozenset(chosen)
        if not wanted:
            return
        with self.intake.open(holdout.documents_key) as stream:
            for line, text in enumerate(buffered(stream)):
                if line in wanted:
                    yield line, text.decode().removesuffix("\n")
