"""Document classification in the real-time API. Only the API's function and the command line import this module."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from flywheel.comprehend.real_time import Message, RealTime
from flywheel.text.byte_limits import DOCUMENT_ANSWER, size_as_json

if TYPE_CHECKING:
    from flywheel.document_classification.answer import Classification


class LabelScore(Message):
    name: str
    score: float = Field(ge=0, le=1)


class ClassifiedDocument(Message):
    """The answer of a model whose classes exclude each other."""

    label: str = Field(description="The class with the best score.")
    confidence: float = Field(ge=0, le=1, description="Its score.")
    classes: list[LabelScore] = Field(description="What the model names, the best first; up to 200,000 bytes of them.")


class LabelledDocument(Message):
    """The answer of a model that gives a document any number of labels."""

    labels: list[LabelScore] = Field(
        description="Every label, the best first, up to 200,000 bytes of them; a score of 0.5 and more is a yes."
    )
    confidence: float = Field(
        ge=0,
        le=1,
        description="That of the least certain label: each is as certain as its score, or as 1 minus its score where "
        "that is below 0.5.",
    )


def answered(classification: Classification) -> ClassifiedDocument | LabelledDocument:
    scores = [LabelScore(name=name, score=score) for name, score in _that_fit(classification.scores)]
    if classification.multi_label:
        return LabelledDocument(labels=scores, confidence=classification.confidence)
    return ClassifiedDocument(label=scores[0].name, confidence=classification.confidence, classes=scores)


def _that_fit(scores: Sequence[tuple[str, float]]) -> Iterator[tuple[str, float]]:
    """The best score, and as many others as fit: 1,000 labels of 5,000 characters would not."""
    room = DOCUMENT_ANSWER
    for place, (name, score) in enumerate(scores):
        room -= size_as_json({"name": name, "score": score})
        if room < 0 and place:
            return
        yield name, score


REAL_TIME = RealTime(
    path="/classify",
    operation="ClassifyDocument",
    most_text_bytes=10 * 1024,
    documents=(ClassifiedDocument, LabelledDocument),
    answer_name="ClassifyAnswer",
    operation_id="classify",
    title="Real-time classification",
    description="Classifies texts with the active model of an Amazon Comprehend flywheel.",
    summary="Classify one text, or up to 25 documents, with the endpoint's model.",
)
