"""The demo tells the truth about how its turns ended, and its data are the same on every machine."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from flywheel.decision_records import DecisionKind
from flywheel.promotion_records import Promotion, PromotionSource, PromotionStatus
from flywheel.turn_records import TurnOutcome, TurnRecord
from flywheel.upload_records import Split, Upload, UploadOutcome, UploadResult
from local.demo import CHAPTERS, Chapter, Reply, differences
from local.sample_news import LABELS, Recipe, documents

NOW = datetime(2026, 11, 21, tzinfo=UTC)
MODEL = "arn:aws:comprehend:us-east-1:111122223333:document-classifier/m/version/1"


def told(chapter: Chapter) -> TurnRecord:
    """The record of a turn that ended as its chapter says."""
    upload = Upload(key="train/broken.csv", split=Split.TRAIN, version_id="v", etag="e", size=1, last_modified=NOW)
    rejected = UploadResult(upload=upload, outcome=UploadOutcome.REJECTED, reason="bad")
    promotion = Promotion(
        request_id="20261121T000000Z",
        source=PromotionSource.TURN,
        by="turn-000007",
        iteration_id="20261121T000000Z",
        turn="turn-000001",
        model_arn=MODEL,
        former_model_arn=None,
        status=PromotionStatus.DECLINED if chapter.reply is Reply.DECLINE else PromotionStatus.PROMOTED,
        reason="better",
        at=NOW,
    )
    return TurnRecord(
        turn="turn-000001",
        outcome=TurnOutcome.SUCCEEDED,
        flywheel_arn="arn:aws:comprehend:us-east-1:111122223333:flywheel/f",
        began_at=NOW,
        ended_at=NOW,
        decision=chapter.decision,
        uploads=(rejected,) if chapter.broken else (),
        iteration_id="20261121T000000Z" if chapter.starts_iteration else None,
        promotion=promotion if chapter.reply else None,
    )


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.title)
def test_a_turn_that_ended_as_told(chapter: Chapter) -> None:
    assert differences(chapter, told(chapter)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": TurnOutcome.FAILED},
        {"decision": DecisionKind.KEEP},
        {"promotion": None},
        {"iteration_id": None},
        {"uploads": ()},
    ],
)
def test_each_difference_is_told(change: dict[str, object]) -> None:
    chapter = CHAPTERS[1]
    assert len(differences(chapter, told(chapter).model_copy(update=change))) == 1


def test_sample_data_are_the_same_for_the_same_seed() -> None:
    recipe = Recipe(documents_per_label=5, vocabulary=10)
    assert documents(recipe, seed=1) == documents(recipe, seed=1) != documents(recipe, seed=2)
    assert {label for label, _ in documents(recipe, seed=1)} == set(LABELS)
