"""Which documents of a part reviewers should see."""

from __future__ import annotations

import io
import random
from datetime import UTC, datetime

import pytest

from flywheel.analysis.review_picks import MOST_BYTES, CandidateWriter, Picks, most_of
from flywheel.records.predictions import Suggestion, text_digest
from flywheel.records.review import ItemSource, Lane, WaitingItem

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
SUGGESTION = Suggestion(labels=("CALM",), confidence=0.6, margin=0.2).model_dump_json()


def taken(picks: Picks, margins: list[float], *, below: float = 0.5) -> dict[int, tuple[Lane, float]]:
    for document, margin in enumerate(margins):
        picks.take(document, margin=margin, low_confidence=margin < below)
    return picks.taken()


def test_the_least_certain_of_all_are_taken_whatever_their_order() -> None:
    margins = [number / 1000 for number in range(1000)]
    random.Random(7).shuffle(margins)
    found = taken(Picks(most=10, audit_percent=0, part="part"), margins)
    chosen = sorted(order for _, order in found.values())
    assert chosen[:10] == sorted(margins)[:10]
    # Some more, because texts may be equal.
    assert chosen == sorted(margins)[: len(chosen)]
    assert len(chosen) < 100
    assert {lane for lane, _ in found.values()} == {Lane.UNCERTAIN}


def test_nothing_above_the_threshold_is_taken_but_for_audit() -> None:
    margins = [0.9] * 1000
    assert taken(Picks(most=1000, audit_percent=0, part="part"), margins) == {}
    audited = taken(Picks(most=10_000, audit_percent=20, part="part"), margins)
    assert 150 < len(audited) < 250
    assert {lane for lane, _ in audited.values()} == {Lane.AUDIT}
    orders = [order for _, order in audited.values()]
    assert 0 <= min(orders) < 0.1
    assert 0.9 < max(orders) < 1
    assert taken(Picks(most=10_000, audit_percent=20, part="part"), margins) == audited
    assert taken(Picks(most=10_000, audit_percent=20, part="other"), margins) != audited


def test_what_is_audited_is_a_tenth_at_most() -> None:
    assert [most_of(Lane.AUDIT, most=most) for most in (0, 1, 10, 1000)] == [0, 1, 1, 100]
    assert taken(Picks(most=0, audit_percent=100, part="part"), [0.1, 0.9]) == {}
    assert len(taken(Picks(most=10, audit_percent=100, part="part"), [0.9] * 500)) < 10


@pytest.mark.parametrize("most", [1, 3, 100])
def test_candidates_are_written_in_their_order_each_text_once(most: int) -> None:
    writer = CandidateWriter(io.BytesIO(), most=most, at=AT)
    for text, order in (("b", 0.2), ("a", 0.1), ("b\u2028", 0.3), ("a", 0.05), ("b", 0.25), ("\u20ac\n", 0.15)):
        writer.note(text, SUGGESTION, lane=Lane.UNCERTAIN, order=order)
    writer.note("audited", SUGGESTION, lane=Lane.AUDIT, order=0.01)
    target = io.BytesIO()
    index = writer.write(target)
    items = [WaitingItem.model_validate_json(line) for line in target.getvalue().splitlines()]
    doubtful = [("a", 0.05), ("\u20ac\n", 0.15), ("b", 0.2), ("b\u2028", 0.3)][:most]
    assert [item.text for item in items] == [*(text for text, _ in doubtful), "audited"]
    assert [(each.item, each.order) for each in index.candidates] == [
        *((text_digest(text), order) for text, order in doubtful),
        (text_digest("audited"), 0.01),
    ]
    assert {(item.source, item.at, item.suggestion) for item in items} == {
        (ItemSource.ANALYSIS, AT, Suggestion.model_validate_json(SUGGESTION))
    }


def test_a_text_that_nobody_would_read_is_counted_instead() -> None:
    writer = CandidateWriter(io.BytesIO(), most=10, at=AT)
    writer.note("\u20ac" * (MOST_BYTES // 3), SUGGESTION, lane=Lane.UNCERTAIN, order=0.2)
    writer.note("\u20ac" * (MOST_BYTES // 3 + 1), SUGGESTION, lane=Lane.UNCERTAIN, order=0.1)
    assert len(writer.write(io.BytesIO()).candidates) == 1
    assert writer.too_long == 1
