from __future__ import annotations

from tests.simulation.unused_grants import judge

REASONS = {"*/Writer s3:Abort* *": "Only large files are written in parts."}
GRANTED = [
    "news/Reader s3:GetObject in/*",
    "news/Writer s3:PutObject out/*",
    "news/Writer s3:AbortMultipartUpload out/*",
]
USED = {"news/Reader s3:GetObject in/*": 1, "news/Writer s3:PutObject out/*": 40}


def test_what_is_used_once_needs_no_reason_and_what_is_unused_does() -> None:
    found = judge(GRANTED, USED, floor=20, reasons=REASONS)
    assert (found.unexplained, found.idle) == ([], [])
    found = judge([*GRANTED, "news/Other s3:AbortMultipartUpload out/*"], USED, floor=20, reasons=REASONS)
    assert found.unexplained == ["news/Other s3:AbortMultipartUpload out/*"]


def test_a_reason_is_idle_once_all_that_it_is_about_is_often_used() -> None:
    several = [*GRANTED, "served/Writer s3:AbortMultipartUpload out/*"]
    used = {**USED, GRANTED[2]: 20}
    assert judge(several, used, floor=20, reasons=REASONS).idle == []
    assert judge(GRANTED, {**USED, GRANTED[2]: 19}, floor=20, reasons=REASONS).idle == []
    assert judge(GRANTED, used, floor=20, reasons=REASONS).idle == list(REASONS)


def test_a_reason_that_is_about_nothing_is_idle() -> None:
    assert judge(GRANTED[:2], USED, floor=20, reasons=REASONS).idle == list(REASONS)
