"""What became of a turn's model is told right, however much later one looks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import Promotion, PromotionSource, PromotionStatus
from flywheel.records.turns import TurnRecord
from flywheel.report.history import PromotionHistory, in_a_word
from flywheel.report.page import render
from tests.unit.report.reports import BEGAN, full_record
from tests.unit.report.test_page import words_of

CANDIDATE, OTHER = "arn:candidate", "arn:aws:comprehend:us-east-1:1:document-classifier/news/version/v9"


def end(
    status: PromotionStatus, *, hours: int, model: str = CANDIDATE, request: str = "operator-1", by: str = "ann"
) -> Promotion:
    return Promotion(
        request_id=request,
        source=PromotionSource.OPERATOR,
        model_arn=model,
        status=status,
        reason="The freeze is over.",
        at=BEGAN + timedelta(hours=hours),
        by=by,
    )


def declined() -> TurnRecord:
    record = full_record()
    assert record.promotion is not None
    own = record.promotion.model_copy(update={"status": PromotionStatus.DECLINED, "reason": "A release freeze."})
    return record.model_copy(update={"promotion": own})


def page(record: TurnRecord, *ends: Promotion) -> str:
    return words_of(render(record, history=(), intake_bucket="intake", promotions=PromotionHistory(ends)))


def test_a_declined_model_that_became_active_later() -> None:
    said = page(declined(), end(PromotionStatus.PROMOTED, hours=9))
    assert "a person declined it: the active model stayed. Later the candidate became the active model." in said
    assert "Later ann asked for the candidate: promoted at 2026-11-21 21:00:00 UTC. The freeze is over." in said
    assert "declined, promoted later" in said
    assert "Promotion asked for by ann: promoted" in said
    assert "model stays" not in said


def test_a_kept_model_that_was_promoted_by_hand() -> None:
    kept = full_record().model_copy(update={"decision": DecisionKind.KEEP, "promotion": None})
    assert "keep, promoted later" in page(kept, end(PromotionStatus.PROMOTED, hours=9))
    assert "later" not in page(kept)


def test_a_model_that_another_one_replaced() -> None:
    said = page(full_record(), end(PromotionStatus.PROMOTED, hours=5, request="20261121T120700Z"))
    assert "took its place" not in said
    ends = [
        end(PromotionStatus.PROMOTED, hours=5, request="20261121T120700Z"),
        end(PromotionStatus.DECLINED, hours=6, model=OTHER, request="operator-2"),
        end(PromotionStatus.PROMOTED, hours=7, model=OTHER, request="operator-3"),
    ]
    said = page(full_record(), *ends)
    assert "The candidate became the active model." in said
    assert "v9 took its place as the active model at 2026-11-21 19:00:00 UTC." in said
    assert "Another model took its place" in said
    again = end(PromotionStatus.PROMOTED, hours=8, request="operator-4")
    assert "took its place" not in page(full_record(), *ends, again)


def test_a_later_wish_that_came_to_nothing_is_told_but_changes_no_headline() -> None:
    said = page(declined(), end(PromotionStatus.REFUSED, hours=9))
    assert "Later ann asked for the candidate: refused" in said
    assert "the candidate became the active model" not in said


@pytest.mark.parametrize(
    ("decision", "promotion", "later", "words"),
    [
        ("keep", None, False, "keep"),
        ("keep", None, True, "keep, promoted later"),
        ("promote", PromotionStatus.PROMOTED, False, "promoted"),
        ("promote", PromotionStatus.PROMOTED, True, "promoted"),
        ("promote", PromotionStatus.WAITING, False, "waiting for approval"),
        ("promote", PromotionStatus.DECLINED, True, "declined, promoted later"),
    ],
)
def test_in_a_word(decision: str, promotion: PromotionStatus | None, later: bool, words: str) -> None:
    assert in_a_word(decision, promotion, promoted_later=later) == words
