"""Records of decisions about candidates, and of the scores that they compare."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from flywheel.store.record import Record

DECISIONS = "decisions/"


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
        """The score that SelectionMetric calls `metric`; None where the service gave none."""
        found: float | None = getattr(self, metric)
        return found

    @property
    def sentence(self) -> str:
        """The scores that the service gave: `F1Score 0.8812, Precision 0.8790`. Empty without any."""
        return ", ".join(f"{name} {value:.4f}" for name, value in self if value is not None)


HOLDOUT_SOURCE = "hold-out"
"""How `ModelScore.source` begins for a score measured on a hold-out."""


class ModelScore(Record):
    arn: str
    metrics: Metrics
    source: str
    """Where the metrics come from: "this iteration", "iteration <id>", "the model's training" or "hold-out <id>"."""


class Evidence(StrEnum):
    """Which scores a decision compares; the values are those of the setting Evidence."""

    ITERATION = "ITERATION"
    """Those that the iteration reports for both models."""
    HOLDOUT = "HOLDOUT"
    """Those of both models' predictions for the same hold-out."""


class AverageScores(Record):
    """Over all labels, from 0 to 1."""

    precision: float
    recall: float
    f1: float


class LabelResult(Record):
    """A model's scores for one label, from 0 to 1."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    """Documents of the hold-out that carry the label."""
    threshold: float | None = None
    """Of a multi-label model: chosen on this hold-out. The scores beside it are of cross-fitted answers
    (`flywheel.evaluation.thresholds`). Those that a model answers with are in its `ModelThresholds`."""


class ConfusedPair(Record):
    """How many documents with the label `true` were predicted as `predicted`, which may be the same label."""

    true: str
    predicted: str | None
    """None: no label, or one that the flywheel does not have."""
    documents: int


class ErrorRanking(Record):
    """How well the margins of a model's answers find its errors, as of `flywheel.evaluation.ranking`. Documents that
    Comprehend could not analyse are left out."""

    documents: int
    errors: int
    """Documents whose labels, or entities, are not exactly the true ones."""
    area: float
    worst_10: float
    worst_20: float


class HoldoutResult(Record):
    """A model's scores on the hold-out, as scikit-learn defines them."""

    arn: str
    accuracy: float
    macro: AverageScores
    micro: AverageScores
    labels: tuple[LabelResult, ...]
    """In the order of the flywheel's list."""
    confusions: tuple[ConfusedPair, ...] = ()
    """Only pairs that occur; empty in MULTI_LABEL mode."""
    hamming_loss: float | None = None
    """In MULTI_LABEL mode the share of all decisions about a document and a label that are wrong."""
    errors: dict[str, int] = {}
    """Documents that Comprehend could not analyse, by ErrorCode. They count as wrong."""
    ranking: ErrorRanking | None = None
    compared_by: Literal["macro", "micro"] = "macro"
    """The averages that the gate compares: over labels, or of a recognizer's entities together."""

    @property
    def compared(self) -> AverageScores:
        return self.macro if self.compared_by == "macro" else self.micro


class GainInterval(Record):
    """The candidate's metric minus the active model's, with its confidence interval."""

    metric: str
    difference: float
    low: float
    high: float
    confidence_level: float


LEAST_SUPPORT = 30
"""Documents of the hold-out with a label, or entities of a type, without which a loss in it keeps nothing back."""


class LabelLoss(Record):
    """The candidate's F1 of one label minus the active model's, with its confidence interval."""

    label: str
    support: int
    """As in LabelResult."""
    difference: float
    low: float
    high: float

    @property
    def blocks(self) -> bool:
        """The loss is more than chance."""
        return self.support >= LEAST_SUPPORT and self.high < 0


class HoldoutComparison(Record):
    """Both models' results on the same documents. A result is missing where a model could not predict."""

    holdout_id: str
    documents: int
    candidate: HoldoutResult | None = None
    active: HoldoutResult | None = None
    """None if there is no active model, if it could not predict, or if the candidate is the active model."""
    interval: GainInterval | None = None
    label_losses: tuple[LabelLoss, ...] = ()
    """Those beyond MaximumLabelRegression, the greatest first. At most 20."""
    dollars: float = 0.0
    """Cost of the prediction jobs that this decision needed, at us-east-1's price. Predictions that an earlier
    decision paid for are reused."""


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
    """The active model at the time of the decision. The promotion is refused if it has changed since."""
    evidence: Evidence = Evidence.ITERATION
    holdout: HoldoutComparison | None = None


def decision_key(iteration_id: str) -> str:
    return f"{DECISIONS}{iteration_id}.json"
