"""Doubtful documents of analysis jobs in the review queue: the worst of the job, whatever its parts."""

from __future__ import annotations

import contextlib
from functools import cache

import pytest

from flywheel.analysis.begin_analysis import JobLimits
from flywheel.records.predictions import text_digest
from flywheel.records.review import WAITING, ItemSource, Lane, Place, WaitingItem, rank_of_margin
from tests.pipeline.analysis_driver import Analyses
from tests.pipeline.in_process_cloud import Killed
from tests.pipeline.turn_driver import LABELS, Deployment, documents

BUSINESS, SPORTS = LABELS


@cache
def shared() -> Deployment:
    """One with an active model, for tests that change no more than their own jobs and the queue."""
    at = Deployment()
    at.upload("test/test.csv", documents(*at.labels, count=6, words="judge: "))
    at.upload("train/train.csv", documents(*at.labels, count=20))
    at.run_turn()
    return at


@pytest.fixture
def analyses() -> Analyses:
    at = shared()
    at.kills.reset()
    empty_queue(at)
    return Analyses(at=at)


def empty_queue(at: Deployment) -> None:
    at.intake.delete([*at.intake.keys(WAITING)])


def doubtful(count: int) -> list[str]:
    """Texts of both labels, some of which are as good as undecided."""
    return [
        f"{'business ' * (1 + number % 5)}{'sports ' * (1 + number // 5 % 5)}number {number}" for number in range(count)
    ]


def queue(at: Deployment) -> dict[str, tuple[Place, WaitingItem]]:
    """By text."""
    found = {}
    for key in at.intake.keys(WAITING):
        place, item = Place.of_key(key), at.intake.require(key, WaitingItem)
        assert place is not None
        assert place.item == text_digest(item.text)
        found[item.text] = (place, item)
    return found


def margin(row: dict[str, list[dict[str, float]]]) -> float:
    best, second = (scored["score"] for scored in row["scores"][:2])
    return best - second


def test_the_worst_of_a_job_of_several_parts_wait_for_review(analyses: Analyses) -> None:
    analyses.limits, analyses.review = JobLimits(part_documents=7), 5
    texts = doubtful(40)
    job = analyses.drop({"a.txt": "\n".join([*texts, texts[0]]).encode()})
    summary = analyses.run(job)
    assert summary.parts > 3
    rows = {row["text"]: row for row in analyses.rows(job)}
    low = sorted((text for text in rows if rows[text]["low_confidence"]), key=lambda text: margin(rows[text]))
    assert len(low) > 5
    found = queue(analyses.at)
    assert summary.queued == len(found) == 5
    assert sorted(margin(rows[text]) for text in found) == [margin(rows[text]) for text in low[:5]]
    for text, (place, item) in found.items():
        assert (place.lane, place.rank) == (Lane.UNCERTAIN, rank_of_margin(margin(rows[text])))
        assert item.source is ItemSource.ANALYSIS
        assert item.suggestion is not None
        assert list(item.suggestion.labels) == rows[text]["labels"]
        assert [each.score for each in item.suggestion.predictions] == [each["score"] for each in rows[text]["scores"]]
        assert item.suggestion.margin == pytest.approx(margin(rows[text]))


def test_none_waits_if_none_may(analyses: Analyses) -> None:
    analyses.review, analyses.audit_percent = 0, 100
    summary = analyses.run(analyses.drop({"a.txt": "\n".join(doubtful(20)).encode()}))
    assert (summary.queued, queue(analyses.at)) == (0, {})


def test_of_what_is_certain_a_share_is_audited(analyses: Analyses) -> None:
    analyses.audit_percent, analyses.review = 50, 100
    texts = [text for _, text in documents(*LABELS, count=30)]
    summary = analyses.run(analyses.drop({"a.txt": "\n".join(texts).encode()}))
    audited = [item for place, item in queue(analyses.at).values() if place.lane is Lane.AUDIT]
    assert 0 < len(audited) <= 10
    assert summary.queued == len(queue(analyses.at))
    rows = {row["text"]: row for row in analyses.rows(summary.job)}
    assert not any(rows[item.text]["low_confidence"] for item in audited)


def test_a_text_that_is_too_long_to_review_is_counted(analyses: Analyses) -> None:
    long = f"{doubtful(1)[0]} {'x' * 103_000}"
    analyses.limits = JobLimits(document_bytes=1_000_000)
    summary = analyses.run(analyses.drop({"a.txt": long.encode()}))
    (row,) = analyses.rows(summary.job)
    assert row["low_confidence"]
    assert (summary.too_long_for_review, summary.queued) == (1, 0)
    assert queue(analyses.at) == {}


def test_a_job_that_is_killed_anywhere_queues_the_same(analyses: Analyses) -> None:
    at = analyses.at
    analyses.limits, analyses.review, analyses.audit_percent = JobLimits(part_documents=7), 5, 100
    job = analyses.drop({"a.txt": "\n".join(doubtful(20)).encode()})
    analyses.run(job)
    expected = queue(at)
    assert {place.lane for place, _ in expected.values()} == {Lane.UNCERTAIN, Lane.AUDIT}
    empty_queue(at)
    killed = analyses.start(job).run_before("_join")
    kills = 0
    while killed.steps:
        at.kills.reset(after=kills)
        with contextlib.suppress(Killed):
            killed.take_step()
        kills += 1
    assert kills > 8
    at.kills.reset()
    assert queue(at) == expected
