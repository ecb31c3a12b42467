"""Doubtful documents of analysis jobs in the review queue: the worst of the job, whatever its parts."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from flywheel.records.analyses import AnalysisOutcome
from flywheel.records.predictions import text_digest
from flywheel.records.review import WAITING, ItemSource, Lane, Place, WaitingItem, rank_of_margin
from tests.pipeline.analyses import analysed, as_lines, ended, rows_of, send, with_model
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, documents

BUSINESS, SPORTS = LABELS


def reviewed(*, review: int = 1000, audit_percent: float = 0, **more: object) -> Deployment:
    return with_model(analysis={"review_per_analysis": review, "audit_percent": audit_percent, **more})


def doubtful(count: int) -> list[str]:
    """Texts of both labels, some of which are as good as undecided."""
    return [
        f"{'business ' * (1 + number % 5)}{'sports ' * (1 + number // 5 % 5)}number {number}" for number in range(count)
    ]


def queue(at: Deployment) -> dict[str, tuple[Place, WaitingItem]]:
    """By text."""
    found = {}
    for key in at.keys(WAITING):
        place, item = Place.of_key(key), at.bucket.require(key, WaitingItem)
        assert place is not None
        assert place.item == text_digest(item.text)
        found[item.text] = (place, item)
    return found


def margin(row: dict[str, Any]) -> float:
    best, second = (scored["score"] for scored in row["scores"][:2])
    return float(best - second)


def test_the_worst_of_a_job_of_several_parts_wait_for_review() -> None:
    at = reviewed(review=5, documents_per_part=7)
    texts = doubtful(40)
    summary = analysed(at, "job", {"a.txt": as_lines([*texts, texts[0]])})
    assert summary.parts > 3
    rows = {row["text"]: row for row in rows_of(at, "job")}
    low = sorted((text for text in rows if rows[text]["low_confidence"]), key=lambda text: margin(rows[text]))
    assert len(low) > 5
    found = queue(at)
    assert summary.queued == len(found) == 5
    assert sorted(margin(rows[text]) for text in found) == [margin(rows[text]) for text in low[:5]]
    for text, (place, item) in found.items():
        assert (place.lane, place.rank) == (Lane.UNCERTAIN, rank_of_margin(margin(rows[text])))
        assert item.source is ItemSource.ANALYSIS
        assert item.suggestion is not None
        assert list(item.suggestion.labels) == rows[text]["labels"]
        assert [each.score for each in item.suggestion.predictions] == [each["score"] for each in rows[text]["scores"]]
        assert item.suggestion.margin == pytest.approx(margin(rows[text]))


def test_none_waits_if_none_may() -> None:
    at = reviewed(review=0, audit_percent=100)
    summary = analysed(at, "job", {"a.txt": as_lines(doubtful(20))})
    assert (summary.queued, queue(at)) == (0, {})


def test_of_what_is_certain_a_share_is_audited() -> None:
    at = reviewed(review=100, audit_percent=50)
    texts = [text for _, text in documents(*LABELS, count=30)]
    summary = analysed(at, "job", {"a.txt": as_lines(texts)})
    audited = [item for place, item in queue(at).values() if place.lane is Lane.AUDIT]
    assert 0 < len(audited) <= 10
    assert summary.queued == len(queue(at))
    rows = {row["text"]: row for row in rows_of(at, "job")}
    assert not any(rows[item.text]["low_confidence"] for item in audited)


def test_a_text_that_is_too_long_to_review_is_counted() -> None:
    at = reviewed()
    summary = analysed(at, "job", {"a.txt": f"{doubtful(1)[0]} {'x' * 103_000}".encode()})
    (row,) = rows_of(at, "job")
    assert row["low_confidence"]
    assert (summary.too_long_for_review, summary.queued) == (1, 0)
    assert queue(at) == {}


def test_a_job_that_is_killed_anywhere_queues_the_same() -> None:
    """In the step that fills the queue; the machine tries again."""
    expected: dict[str, tuple[Place, WaitingItem]] = {}
    for after in itertools.count(-1):
        at = reviewed(review=5, audit_percent=100, documents_per_part=7)
        send(at, {"a.txt": as_lines(doubtful(20))}, job="job")
        joins = at.run_before("JoinAnalysis", machine="Analyze")
        at.script.kill(after=after if after >= 0 else None, function="join_analysis")
        at.go_on(joins)
        assert ended(at, "job").outcome is AnalysisOutcome.SUCCEEDED
        expected = expected or queue(at)
        assert queue(at) == expected
        if after >= 0 and not at.script.killed:
            assert after > 8, "the step was hardly killed"
            break
    assert {place.lane for place, _ in expected.values()} == {Lane.UNCERTAIN, Lane.AUDIT}
