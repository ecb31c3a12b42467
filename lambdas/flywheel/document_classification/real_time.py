"""Document classification in the real-time API. Only the API's function and the command line import this module."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from pydantic import Field

from flywheel.comprehend.real_time import AnsweredDocument, Feedback, Message, RealTime
from flywheel.confidence import YES
from flywheel.text.byte_limits import DOCUMENT_ANSWER, size_as_json

if TYPE_CHECKING:
    from flywheel.document_classification.answer import Classification


class LabelScore(Message):
    name: str
    score: float = Field(ge=0, le=1)


LabelT = TypeVar("LabelT", bound=LabelScore)


class ClassifiedDocument(AnsweredDocument):
    """The answer of a model whose classes exclude each other."""

    label: str = Field(description="The class with the best score.")
    confidence: float = Field(ge=0, le=1, description="Its score.")
    classes: list[LabelScore] = Field(description="What the model names, the best first; up to 200,000 bytes of them.")


class JudgedLabel(LabelScore):
    threshold: float = Field(
        description="The model says yes from this score on: 0.5, or what its hold-out documents chose for the label."
    )
    predicted: bool = Field(description="Whether the model says yes.")


class LabelledDocument(AnsweredDocument):
    """The answer of a model that gives a document any number of labels."""

    labels: list[JudgedLabel] = Field(
        description="Every label with its score, the best first. Of more than 200,000 bytes those that the model says "
        "yes to come before others."
    )
    confidence: float = Field(
        ge=0,
        le=1,
        description="That of the least certain label: 0.5 for a score at its threshold, 1 for a score of 0 or 1, and "
        "on a straight line between. At the threshold 0.5 that is the score, or 1 minus a score below 0.5.",
    )


def answered(
    classification: Classification, *, prediction_id: str, kept: bool
) -> ClassifiedDocument | LabelledDocument:
    if classification.multi_label:
        return LabelledDocument(
            labels=_judged(classification),
            confidence=classification.confidence,
            prediction_id=prediction_id,
            kept=kept,
        )
    scores = [LabelScore(name=name, score=score) for name, score in classification.scores]
    return ClassifiedDocument(
        label=scores[0].name,
        confidence=classification.confidence,
        classes=list(_that_fit(scores)),
        prediction_id=prediction_id,
        kept=kept,
    )


def _judged(classification: Classification) -> list[JudgedLabel]:
    predicted = frozenset(classification.labels)
    labels = [
        JudgedLabel(
            name=name, score=score, threshold=classification.thresholds.get(name, YES), predicted=name in predicted
        )
        for name, score in classification.scores
    ]
    that_fit = _that_fit(sorted(labels, key=lambda label: not label.predicted))
    return sorted(that_fit, key=lambda label: -label.score)


def _that_fit(labels: Sequence[LabelT]) -> Iterator[LabelT]:
    """The first, and as many others as fit: 1,000 labels of 5,000 characters would not."""
    room = DOCUMENT_ANSWER
    for place, label in enumerate(labels):
        room -= size_as_json(label.model_dump())
        if room < 0 and place:
            return
        yield label


class ClassificationFeedback(Feedback):
    label: str | None = Field(default=None, description="The document's class.")
    labels: list[str] | None = Field(default=None, description="All labels of the document.")

    @property
    def labels_said(self) -> tuple[str, ...]:
        return (self.label,) if self.label is not None else tuple(self.labels or ())


REAL_TIME = RealTime(
    path="/classify",
    operation="ClassifyDocument",
    most_text_bytes=10 * 1024,
    documents=(ClassifiedDocument, LabelledDocument),
    feedback=ClassificationFeedback,
    feedback_members='"label" (a string), "labels" (an array of strings)',
    feedback_error="INVALID_LABEL",
    answer_name="ClassifyAnswer",
    operation_id="classify",
    title="Real-time classification",
    description="Classifies texts with the active model of an Amazon Comprehend flywheel.",
    summary="Classify one text, or up to 25 documents, with the endpoint's model.",
)
