"""How well a model's margins find its errors: whether people who look at the least certain documents first find more
of them than people who look at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, kw_only=True)
class ErrorRanking:
    """Without an error, or with nothing else, there is nothing to rank: the shares and the area are None then."""

    documents: int
    errors: int
    area: float | None
    """Under the ROC curve: the probability that an error has a smaller margin than a document that is right; equal
    margins count half. 0.5 is what chance gives."""
    worst_10: float | None
    """Share of the errors among the tenth of the documents with the smallest margins, from 0 to 1. Of documents with
    equal margins, as many count as are expected in a random order."""
    worst_20: float | None
    """The same of a fifth."""


def rank_errors(margins: Sequence[float], wrong: Sequence[bool]) -> ErrorRanking:
    """`wrong` says of each document whether the prediction is an error."""
    documents, errors = len(margins), sum(wrong)
    right = documents - errors
    if not errors or not right:
        return ErrorRanking(documents=documents, errors=errors, area=None, worst_10=None, worst_20=None)
    looked_at = {0.1: 0.0, 0.2: 0.0}
    seen = right_seen = 0
    won = 0.0
    ordered = sorted(range(documents), key=margins.__getitem__)
    for _, places in groupby(ordered, key=margins.__getitem__):
        group = [wrong[place] for place in places]
        its_errors = sum(group)
        its_right = len(group) - its_errors
        won += its_errors * (right - right_seen - its_right / 2)
        for share in looked_at:
            taken = min(len(group), max(0.0, share * documents - seen))
            looked_at[share] += its_errors * taken / len(group)
        seen += len(group)
        right_seen += its_right
    return ErrorRanking(
        documents=documents,
        errors=errors,
        area=won / (errors * right),
        worst_10=looked_at[0.1] / errors,
        worst_20=looked_at[0.2] / errors,
    )
