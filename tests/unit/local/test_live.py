"""The demo tells the truth about its live predictions."""

from __future__ import annotations

from datetime import UTC, datetime

from flywheel.records.promotions import Promotion, PromotionSource, PromotionStatus
from local.live import Load, differences
from ops.verbs.classify import ClassifiedText

ANSWERED = ClassifiedText(text="a goal", labels=("SPORTS",), confidence=0.9)
THROTTLED = ClassifiedText(text="a goal", error="THROTTLED", message="too many")


def promotion(
    *, status: PromotionStatus = PromotionStatus.PROMOTED, serving: str | None = "The endpoint answers."
) -> Promotion:
    return Promotion(
        request_id="operator-1",
        source=PromotionSource.OPERATOR,
        model_arn="model",
        status=status,
        reason="a test",
        at=datetime(2026, 11, 21, tzinfo=UTC),
        by="a test",
        serving=serving,
    )


def test_all_went_well() -> None:
    assert differences([ANSWERED], Load(calls=30), promotion()) == []


def test_says_what_went_wrong() -> None:
    [unanswered] = differences([ANSWERED, THROTTLED], Load(calls=30), promotion())
    assert "too many" in unanswered
    [failed] = differences([ANSWERED], Load(calls=30, errors=["503: gone"]), promotion())
    assert "1 of 30 calls failed" in failed
    [idle] = differences([ANSWERED], Load(calls=1), promotion())
    assert "Only 1 calls" in idle
    [refused] = differences([ANSWERED], Load(calls=30), promotion(status=PromotionStatus.REFUSED))
    assert "refused" in refused
    [unserved] = differences([ANSWERED], Load(calls=30), promotion(serving=None))
    assert "a test" in unserved
