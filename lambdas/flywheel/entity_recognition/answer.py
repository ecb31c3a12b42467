"""A recognizer's answer for one document: of an endpoint, or of an analysis job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from flywheel.comprehend.model_kind import Prediction
from flywheel.records.predictions import ScoredEntity, Suggestion
from flywheel.spans import Span

if TYPE_CHECKING:
    from flywheel.comprehend.real_time import Message

Found = tuple[Span, float]
"""An entity and its score."""


def confidence_of_entities(scores: Sequence[float]) -> float:
    """From 0 to 1: that of the least certain entity. A text without entities has 1: a recognizer scores only what it
    finds. It is the margin, too: what else it could have found, a recognizer does not say."""
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
        confidence = confidence_of_entities([score for _, score in entities])
        return cls(
            labels=tuple(span.label for span, _ in entities),
            confidence=confidence,
            margin=confidence,
            text=text,
            entities=tuple(entities),
        )

    def recorded(self) -> dict[str, Any]:
        return {"entities": _recorded(self.entities)}

    def answered(self, *, prediction_id: str, kept: bool) -> Message:
        from flywheel.entity_recognition.real_time import answered

        return answered(self, prediction_id=prediction_id, kept=kept)


class AnnotatedDocument:
    """A job's answer."""

    __slots__ = ("_entities", "labels", "low_confidence", "margin", "score")

    def __init__(self, entities: Sequence[tuple[Span, float, str | None]], *, low_confidence: float) -> None:
        """Each entity with its score and its text. A confidence below `low_confidence` marks the document for a
        person's review."""
        self._entities = entities
        self.labels = tuple(dict.fromkeys(span.type for span, _, _ in entities))
        self.score = confidence_of_entities([score for _, score, _ in entities])
        self.low_confidence = self.score < low_confidence
        self.margin = self.score

    def suggestion(self, *, model_arn: str | None) -> Suggestion:
        found = [(span, score) for span, score, _ in self._entities]
        return Suggestion(
            labels=tuple(span.label for span, _ in found),
            entities=_recorded(found),
            confidence=self.score,
            margin=self.margin,
            model_arn=model_arn,
        )

    def members(self) -> dict[str, object]:
        return {
            "entities": [
                {"text": text, "type": span.type, "begin": span.begin, "end": span.end, "score": score}
                for span, score, text in self._entities
            ],
            "score": self.score,
            "low_confidence": self.low_confidence,
        }


def _recorded(entities: Sequence[Found]) -> tuple[ScoredEntity, ...]:
    return tuple(ScoredEntity(type=span.type, begin=span.begin, end=span.end, score=score) for span, score in entities)
