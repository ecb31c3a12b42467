"""Models scored and compared by the project itself, on a hold-out that both of them answer.

Plain Python: no service, no numerical library, no events.
"""

from .bootstrap import DifferenceInterval, Outcome, difference_interval
from .entities import evaluate_entities, type_of
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
from .metrics import Average, Confusion, Evaluation, LabelScore, Metric, Scores, Tally
from .pooled import pooled_interval
from .predictions import NO_SCORE, LabelScores, Predictions, read_found_entities, read_predictions
from .ranking import ErrorRanking, rank_errors
from .sampling import Holdout, HoldoutDocument, Stratum, holdout_cost, sample_holdout, units_of
from .thresholds import ChosenThresholds, fit_thresholds

__all__ = [
    "NO_SCORE",
    "Average",
    "ChosenThresholds",
    "Confusion",
    "DifferenceInterval",
    "DoubledPrediction",
    "ErrorRanking",
    "Evaluation",
    "EvaluationError",
    "Holdout",
    "HoldoutDocument",
    "InvalidPredictions",
    "LabelScore",
    "LabelScores",
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
    "evaluate_entities",
    "fit_thresholds",
    "holdout_cost",
    "pooled_interval",
    "rank_errors",
    "read_found_entities",
    "read_predictions",
    "sample_holdout",
    "type_of",
    "units_of",
]
