"""The demo tells the truth about how its turns ended, and its data are the same on every machine."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import Promotion, PromotionSource, PromotionStatus
from flywheel.records.turns import TurnOutcome, TurnRecord
from flywheel.records.uploads import Split, Upload, UploadOutcome, UploadResult
from local.chapters import Chapter, Reply, differences
from local.comprehend.document_classification.classifier import train
from local.comprehend.document_classification.training_data import Document
from local.demo import CHAPTERS
from local.live import CALLS_A_SECOND, UNITS
from local.sample_news import LABELS, Recipe, documents

NOW = datetime(2026, 11, 21, tzinfo=UTC)
MODEL = "arn:aws:comprehend:us-east-1:111122223333:document-classifier/m/version/1"


def told(chapter: Chapter[Any]) -> TurnRecord:
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
def test_a_turn_that_ended_as_told(chapter: Chapter[Any]) -> None:
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
    recipe = Recipe(documents_per_label=5, scenes=2)
    assert documents(recipe, seed=1) == documents(recipe, seed=1) != documents(recipe, seed=2)
    assert {label for label, _ in documents(recipe, seed=1)} == set(LABELS)


def test_sample_data_are_sentences() -> None:
    texts = [text for _, text in documents(Recipe(documents_per_label=300, asides=1, vague=0.2), seed=1)]
    assert len(set(texts)) == len(texts)
    sentence = r"[A-Z0-9][^.{}]*[^ ]\."
    for text in texts:
        assert re.fullmatch(rf"{sentence}( {sentence}){{3}}", text), text
        assert "  " not in text


@pytest.mark.parametrize("recipe", [Recipe(documents_per_label=1, headline_only=True)])
def test_headlines_are_short_enough_for_the_endpoint(recipe: Recipe) -> None:
    """A unit answers 100 characters a second."""
    longest = max(len(text) for seed in range(50) for _, text in documents(recipe, seed=seed))
    assert longest * CALLS_A_SECOND <= UNITS * 100


def test_the_models_of_the_story_get_better_and_worse_as_told() -> None:
    """By the local Comprehend's own classifier, as the flywheel trains it: on all training data so far."""
    held_out: list[tuple[str, str]] = []
    training: list[Document] = []
    scores: dict[str, float] = {}
    for number, chapter in enumerate(CHAPTERS, start=1):
        for recipe in chapter.test.values():
            held_out += documents(recipe, seed=100 + number)
        if not chapter.train:
            continue
        for recipe in chapter.train.values():
            training += [Document(text=text, labels=(label,)) for label, text in documents(recipe, seed=number)]
        answers = train(training, multi_label=False).predict([text for _, text in held_out])
        scores[chapter.title] = sum(
            answer == (label,) for answer, (label, _) in zip(answers, held_out, strict=True)
        ) / len(held_out)
    first, better, mislabelled, best = scores.values()
    assert 0.4 < first < better - 0.08 < better < best - 0.1
    assert mislabelled < first
    assert best < 0.99, "a problem that is no problem shows nothing"
