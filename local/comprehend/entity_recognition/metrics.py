"""The figures a test of a recognizer gives, in the forms the API reports them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from local.comprehend.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Entities that are right in begin, end and type, and those that were found wrongly or missed."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(right=self.right + other.right, wrong=self.wrong + other.wrong, missed=self.missed + other.missed)

    def scores(self) -> Scores:
        precision, recall = _ratio(self.right, self.wrong), _ratio(self.right, self.missed)
        total = precision + recall
        return Scores(precision=precision, recall=recall, f1=2 * precision * recall / total if total else 0.0)


@dataclass(frozen=True, kw_only=True)
class Scores:
    """All between 0 and 1."""

    precision: float
    recall: float
    f1: float

    def members(self) -> dict[str, float]:
        """As in EntityTypesEvaluationMetrics: from 0 to 100."""
        return {"Precision": 100 * self.precision, "Recall": 100 * self.recall, "F1Score": 100 * self.f1}


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """``accuracy`` is the share of documents whose entities are all right; AWS does not say what it is for
    recognizers."""

    test_documents: int
    accuracy: float
    per_type: dict[str, Counts]

    def overall(self, settings: Settings) -> Scores:
        if settings.recognizer_averages == "micro":
            return sum(self.per_type.values(), start=Counts()).scores()
        scores = [counts.scores() for counts in self.per_type.values()]
        return Scores(
            precision=_mean(each.precision for each in scores),
            recall=_mean(each.recall for each in scores),
            f1=_mean(each.f1 for each in scores),
        )

    def iteration_metrics(self, settings: Settings) -> dict[str, float | None]:
        """As in FlywheelModelEvaluationMetrics."""
        scores, scale = self.overall(settings), settings.recognizer_iteration_scale
        return {
            "AverageF1Score": scale * scores.f1,
            "AveragePrecision": scale * scores.precision,
            "AverageRecall": scale * scores.recall,
            "AverageAccuracy": None if settings.recognizer_accuracy == "absent" else scale * self.accuracy,
        }

    def statistics(self) -> dict[str, object]:
        """The files of the model's statistics."""
        return {"entity_types.json": {type_: asdict(counts) for type_, counts in sorted(self.per_type.items())}}


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """What training gave: how many documents the model learnt from, and how many entities of each of its types."""

    documents: int
    mentions: dict[str, int]


def _ratio(right: int, others: int) -> float:
    return right / (right + others) if right else 0.0


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0
