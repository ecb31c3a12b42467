"""A recognizer's answer for one document: of an endpoint, or of an analysis job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from flywheel.comprehend.model_kind import Prediction
from flywheel.records.low_confidence import ScoredEntity
from flywheel.spans import Span

if TYPE_CHECKING:
    from flywheel.comprehend.real_time import Message

Found = tuple[Span, float]
"""An entity and its score."""


def confidence_of_entities(scores: Sequence[float]) -> float:
    """From 0 to 1: that of the least certain entity. A text without entities has 1: a recognizer scores only what it
    finds."""
    return min(scores, default=1.0)


@dataclass(frozen=True, kw_only=True)
class RecognizedEntities(Prediction):
    """An endpoint's answer."""

    text: str
    entities: tuple[Found, ...]
    """In the order of the text."""

    @classmethod
    def of(cls, text: str, entities: Sequence[Found]) -> Self:
        """Every entity is inside `text`."""
        return cls(
            labels=tuple(span.label for span, _ in entities),
            confidence=confidence_of_entities([score for _, score in entities]),
            text=text,
            entities=tuple(entities),
        )

    def recorded(self) -> dict[str, Any]:
        found = (
            ScoredEntity(type=span.type, begin=span.begin, end=span.end, score=score) for span, score in self.entities
        )
        return {"entities": tuple(found)}

    def answered(self) -> Message:
        from flywheel.entity_recognition.real_time import answered

        return answered(self)


class AnnotatedDocument:
    """A job's answer."""

    __slots__ = ("_entities", "labels", "low_confidence", "score")

    def __init__(self, entities: Sequence[tuple[Span, float, str | None]], *, low_confidence: float) -> None:
        """Each entity with its score and its text. A confidence below `low_confidence` marks the document for a
        person's review."""
        self._entities = entities
        self.labels = tuple(dict.fromkeys(span.type for span, _, _ in entities))
        self.score = confidence_of_entities([score for _, score, _ in entities])
        self.low_confidence = self.score < low_confidence

    def members(self) -> dict[str, object]:
        return {
            "entities": [
                {"text": text, "type": span.type, "begin": span.begin, "end": span.end, "score": score}
                for span, score, text in self._entities
            ],
            "score": self.score,
            "low_confidence": self.low_confidence,
        }
