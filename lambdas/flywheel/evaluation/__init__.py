"""Models scored and compared by the project itself, on a hold-out that both of them answer.

Plain Python: no service, no numerical library, no events.
"""

from .bootstrap import DifferenceInterval, Outcome, difference_interval
from .errors import (
    DoubledPrediction,
    EvaluationError,
    InvalidPredictions,
    MissingPredictions,
    NothingToScore,
    SampleTooSmall,
    UnusableLabels,
)
from .label_places import LabelSet
from .metrics import Confusion, Evaluation, LabelScore, Metric, Scores, Tally
from .predictions import Predictions, read_predictions
from .sampling import Holdout, HoldoutDocument, Stratum, holdout_cost, sample_holdout, units_of

__all__ = [
    "Confusion",
    "DifferenceInterval",
    "DoubledPrediction",
    "Evaluation",
    "EvaluationError",
    "Holdout",
    "HoldoutDocument",
    "InvalidPredictions",
    "LabelScore",
    "LabelSet",
    "Metric",
    "MissingPredictions",
    "NothingToScore",
    "Outcome",
    "Predictions",
    "SampleTooSmall",
    "Scores",
    "Stratum",
    "Tally",
    "UnusableLabels",
    "difference_interval",
    "holdout_cost",
    "read_predictions",
    "sample_holdout",
    "units_of",
]
