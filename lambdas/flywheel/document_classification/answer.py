"""A document classifier's prediction for one document of an analysis job."""

from __future__ import annotations

from collections.abc import Sequence

from flywheel.confidence import confidence_of, labels_of


class ClassifiedDocument:
    __slots__ = ("labels", "low_confidence", "score", "scores")

    def __init__(self, scores: Sequence[tuple[str, float]], *, multi_label: bool, low_confidence: float) -> None:
        """`scores` by label. A confidence below `low_confidence` marks the document for a person's review."""
        self.scores = sorted(scores, key=lambda scored: -scored[1])
        self.score = self.scores[0][1] if self.scores else 0.0
        self.labels = labels_of(self.scores, multi_label=multi_label)
        self.low_confidence = confidence_of(self.scores, multi_label=multi_label) < low_confidence

    def members(self) -> dict[str, object]:
        return {
            "labels": self.labels,
            "score": self.score,
            "low_confidence": self.low_confidence,
            "scores": [{"name": name, "score": score} for name, score in self.scores],
        }
