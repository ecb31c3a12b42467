"""The figures a test of a model gives, in the forms the API reports them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.comprehend.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """All between 0 and 1. ``precision``, ``recall`` and ``f1`` are macro averages: unweighted over the labels.

    In MULTI_LABEL mode ``accuracy`` is the share of documents whose labels are all right, no more and no less; AWS does
    not say what it is there. ``matrix`` is the content of ``confusion_matrix.json``: rows are the actual labels, and
    in MULTI_LABEL mode there is a two by two matrix for each label.
    """

    test_documents: int
    accuracy: float
    precision: float
    recall: float
    f1: float
    micro_precision: float
    micro_recall: float
    micro_f1: float
    hamming_loss: float
    matrix: dict[str, Any]

    def iteration_metrics(self, _settings: Settings) -> dict[str, float | None]:
        """As in FlywheelModelEvaluationMetrics."""
        return {
            "AverageF1Score": self.f1,
            "AveragePrecision": self.precision,
            "AverageRecall": self.recall,
            "AverageAccuracy": self.accuracy,
        }

    def statistics(self) -> dict[str, object]:
        """The files of the model's statistics."""
        return {"confusion_matrix.json": self.matrix}

    def classifier_metrics(self) -> dict[str, float]:
        """As in ClassifierEvaluationMetrics."""
        return {
            "Accuracy": self.accuracy,
            "Precision": self.precision,
            "Recall": self.recall,
            "F1Score": self.f1,
            "MicroPrecision": self.micro_precision,
            "MicroRecall": self.micro_recall,
            "MicroF1Score": self.micro_f1,
            "HammingLoss": self.hamming_loss,
        }


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """What training gave: the labels the model knows and how many documents it learnt from."""

    labels: tuple[str, ...]
    documents: int
