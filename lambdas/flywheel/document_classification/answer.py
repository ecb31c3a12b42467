"""A document classifier's prediction for one document: of an endpoint, or of an analysis job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from flywheel.comprehend.model_kind import Prediction
from flywheel.confidence import NO_THRESHOLDS, YES, Scores, Thresholds, confidence_of, labels_of, margin_of
from flywheel.records.predictions import ScoredLabel, Suggestion

if TYPE_CHECKING:
    from flywheel.comprehend.real_time import Message


@dataclass(frozen=True, kw_only=True)
class Classification(Prediction):
    """An endpoint's answer."""

    scores: tuple[tuple[str, float], ...]
    """Labels with their scores, best first. A multi-label model gives all labels."""
    multi_label: bool
    thresholds: Thresholds
    """Those that gave `labels` and `confidence`."""

    @classmethod
    def of(cls, scores: Scores, *, multi_label: bool, thresholds: Thresholds = NO_THRESHOLDS) -> Self:
        return cls(
            labels=tuple(labels_of(scores, multi_label=multi_label, thresholds=thresholds)),
            confidence=confidence_of(scores, multi_label=multi_label, thresholds=thresholds),
            margin=margin_of(scores, multi_label=multi_label, thresholds=thresholds),
            scores=tuple(scores),
            multi_label=multi_label,
            thresholds=thresholds,
        )

    @property
    def has_thresholds(self) -> bool:
        return self.multi_label

    def at(self, thresholds: Thresholds) -> Self:
        return self.of(self.scores, multi_label=self.multi_label, thresholds=thresholds)

    def threshold(self, label: str) -> float | None:
        return self.thresholds.get(label, YES) if self.multi_label else None

    def recorded(self) -> dict[str, Any]:
        predictions = tuple(
            ScoredLabel(name=name, score=score, threshold=self.threshold(name)) for name, score in self.scores
        )
        return {"multi_label": self.multi_label, "predictions": predictions}

    def answered(self, *, prediction_id: str, kept: bool) -> Message:
        from flywheel.document_classification.real_time import answered

        return answered(self, prediction_id=prediction_id, kept=kept)


class ClassifiedDocument:
    __slots__ = ("_multi_label", "_thresholds", "labels", "low_confidence", "margin", "score", "scores")

    def __init__(
        self,
        scores: Sequence[tuple[str, float]],
        *,
        multi_label: bool,
        low_confidence: float,
        thresholds: Thresholds = NO_THRESHOLDS,
    ) -> None:
        """`scores` by label. A confidence below `low_confidence` marks the document for a person's review."""
        self.scores = sorted(scores, key=lambda scored: -scored[1])
        self.score = self.scores[0][1] if self.scores else 0.0
        self.labels = labels_of(self.scores, multi_label=multi_label, thresholds=thresholds)
        confidence = confidence_of(self.scores, multi_label=multi_label, thresholds=thresholds)
        self.low_confidence = confidence < low_confidence
        self.margin = margin_of(self.scores, multi_label=multi_label, thresholds=thresholds)
        self._multi_label = multi_label
        self._thresholds = thresholds

    def suggestion(self, *, model_arn: str | None) -> Suggestion:
        classification = Classification.of(self.scores, multi_label=self._multi_label, thresholds=self._thresholds)
        return classification.suggestion(model_arn=model_arn)

    def members(self) -> dict[str, object]:
        return {
            "labels": self.labels,
            "score": self.score,
            "low_confidence": self.low_confidence,
            "scores": [{"name": name, "score": score} for name, score in self.scores],
        }
