"""Records of what was decided about a candidate, and of the scores that it rests on."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from flywheel.store.record import Record


class DecisionKind(StrEnum):
    PROMOTE = "promote"
    KEEP = "keep"
    REPORT = "report"
    """Only test data were new: nothing was trained."""
    NOTHING = "nothing"


class Metrics(Record):
    """Scores from 0 to 1; a member is absent where the service gave none."""

    F1Score: float | None = None
    Precision: float | None = None
    Recall: float | None = None
    Accuracy: float | None = None

    def value(self, metric: str) -> float | None:
        """By the name that SelectionMetric has for it; None where the service gave none."""
        found: float | None = getattr(self, metric)
        return found

    @property
    def sentence(self) -> str:
        """`F1Score 0.8812, Precision 0.8790, ...`, those that there are; empty without any."""
        return ", ".join(f"{name} {value:.4f}" for name, value in self if value is not None)


class ModelScore(Record):
    arn: str
    metrics: Metrics
    source: str
    """Where the metrics come from: "this iteration", "iteration <id>", "the model's training" or "hold-out <id>"."""


class Evidence(StrEnum):
    """What a decision compares; the values are those of the parameter Evidence."""

    ITERATION = "ITERATION"
    """The two metric blocks of the iteration."""
    HOLDOUT = "HOLDOUT"
    """Both models' own answers to the documents of one hold-out."""


class AverageScores(Record):
    """Over all labels, from 0 to 1."""

    precision: float
    recall: float
    f1: float


class LabelResult(Record):
    """A model on one label against all others: scores from 0 to 1."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    """Documents of the hold-out that carry the label."""


class ConfusedPair(Record):
    """How many documents of one label were given another, or the same."""

    true: str
    predicted: str | None
    """None: no label, or one that is not the flywheel's."""
    documents: int


class HoldoutResult(Record):
    """What a model made of the hold-out, by scikit-learn's definitions."""

    arn: str
    accuracy: float
    macro: AverageScores
    micro: AverageScores
    labels: tuple[LabelResult, ...]
    """In the order of the flywheel's list."""
    confusions: tuple[ConfusedPair, ...] = ()
    """Pairs that occur; none in MULTI_LABEL mode."""
    errors: dict[str, int] = {}
    """Documents that Comprehend could not analyse, by ErrorCode: they count as wrong."""


class GainInterval(Record):
    """The candidate's metric less the active model's, and where it lies at `confidence_level`."""

    metric: str
    difference: float
    low: float
    high: float
    confidence_level: float


class HoldoutComparison(Record):
    """Both models on the same documents, as far as they could be asked."""

    holdout_id: str
    documents: int
    candidate: HoldoutResult | None = None
    active: HoldoutResult | None = None
    """None if there is no active model, if it could not be asked, or if the candidate is it."""
    interval: GainInterval | None = None
    dollars: float = 0.0
    """What the predictions that this decision asked for cost, at us-east-1's price. Those of earlier ones are there."""


class Decision(Record):
    iteration_id: str
    flywheel_arn: str
    turn: str
    decided_at: datetime
    decision: DecisionKind
    reasons: tuple[str, ...]
    selection_metric: str
    candidate: ModelScore | None = None
    active: ModelScore | None = None
    decided_against: str | None = None
    """The active model at the time of the decision: promotion is refused if it has changed since."""
    evidence: Evidence = Evidence.ITERATION
    holdout: HoldoutComparison | None = None


def decision_key(iteration_id: str) -> str:
    return f"decisions/{iteration_id}.json"


HOLDOUT_SOURCE = "hold-out"
"""Begins the source of a score that was measured on a hold-out."""
