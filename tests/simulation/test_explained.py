from __future__ import annotations

from functools import partial

from tests.simulation.explained import judge

REASONS = {"*/Writer s3:Abort* *": "Only large files are written in parts."}
GRANTED = [
    "news/Reader s3:GetObject in/*",
    "news/Writer s3:PutObject out/*",
    "news/Writer s3:AbortMultipartUpload out/*",
]
USED = {"news/Reader s3:GetObject in/*": 1, "news/Writer s3:PutObject out/*": 40}
judge_grants = partial(judge, needed=1, often=20, reasons=REASONS)


def test_what_is_used_once_needs_no_reason_and_what_is_unused_does() -> None:
    found = judge_grants(GRANTED, USED)
    assert (found.unexplained, found.idle) == ([], [])
    found = judge_grants([*GRANTED, "news/Other s3:AbortMultipartUpload out/*"], USED)
    assert found.unexplained == ["news/Other s3:AbortMultipartUpload out/*"]


def test_what_is_used_less_than_needed_needs_a_reason_the_most_seldom_first() -> None:
    found = judge([*GRANTED, "news/Other s3:PutObject out/*"], USED, needed=20, often=100, reasons=REASONS)
    assert found.unexplained == ["news/Other s3:PutObject out/*", "news/Reader s3:GetObject in/*"]


def test_a_reason_is_idle_once_all_that_it_is_about_is_often_used() -> None:
    several = [*GRANTED, "served/Writer s3:AbortMultipartUpload out/*"]
    used = {**USED, GRANTED[2]: 20}
    assert judge_grants(several, used).idle == []
    assert judge_grants(GRANTED, {**USED, GRANTED[2]: 19}).idle == []
    assert judge_grants(GRANTED, used).idle == list(REASONS)


def test_a_reason_that_is_about_nothing_is_idle() -> None:
    assert judge_grants(GRANTED[:2], USED).idle == list(REASONS)
