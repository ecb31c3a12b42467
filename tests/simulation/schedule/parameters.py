"""Values of every parameter of every stack: what schedules draw from, and what an act may change one to."""

from __future__ import annotations

import random
from collections.abc import Mapping

from tests.simulation.api import ACCOUNT, IMPORTER

Values = dict[str, str]
_YES_OR_NO = ("true", "false")
_NONE = "none"
_MODE = ("AUTOMATIC", "AUTOMATIC", "APPROVAL", "NEVER")
_DAY_AND_NIGHT = ("cron(0 7 ? * * *)", "cron(0 19 ? * * *)")

FLYWHEEL: Mapping[str, tuple[str, ...]] = {
    "SelectionMetric": ("F1Score", "F1Score", "Precision", "Recall", "Accuracy"),
    "MinimumScore": ("0", "0.5", "0.8"),
    "MinimumImprovement": ("0", "0.005", "0.05"),
    "MaximumRegression": ("0.1", "0.1", "0", "1"),
    "MaximumLabelRegression": ("1", "1", "0.1"),
    "RequireSameTestData": ("false", "false", "true"),
    "PromotionMode": _MODE,
    "ApprovalHours": ("2", "72"),
    "ModelsToKeep": ("1", "2", "5"),
    "Evidence": ("ITERATION", "ITERATION", "HOLDOUT"),
    "HoldoutDocuments": ("50", "2000"),
    "SuspectTestLabels": ("0", "3"),
    "ConfidenceLevel": ("0.95", "0.5", "0.999"),
    "MinimumDocumentsPerLabel": ("2", "4", "8"),
    "MaximumBadLinesPercent": ("0", "5", "50"),
    "ConflictingLabels": ("KEEP", "KEEP", "REFUSE"),
    "RepeatedDocuments": ("DROP", "DROP", "KEEP"),
    "MachineLabels": ("KEEP", "REFUSE"),
    "ManifestAttribute": (_NONE, "labels"),
    "TriggerOnUpload": ("true", "true", "true", "false"),
    "QuietPeriodMinutes": ("0", "0", "5"),
    "MinimumHoursBetweenIterations": ("0", "0", "0", "2"),
    "TurnSchedule": ("rate(1 hour)", "rate(3 hours)", "rate(6 hours)"),
    "PollSeconds": ("60", "300"),
    "MapConcurrency": ("1", "10", "40"),
    "ReviewersPerItem": ("1", "2"),
    "ReviewTestPercent": ("20", "0", "100"),
    "ReviewPublishDays": ("1", "7"),
    "ReviewDays": ("14", "90"),
    "KeepPredictionsDays": ("1", "30"),
    "DriftFloor": ("0", "0.7"),
    "MaximumDaysWithoutTurn": ("0", "1", "7"),
    "TrustedAccounts": (_NONE, _NONE, IMPORTER),
    "NotificationEmail": (_NONE, "people@example.com"),
    "LogRetentionDays": ("90", "30"),
}
SERVING: Mapping[str, tuple[str, ...]] = {
    "InferenceUnits": ("0", "1", "2"),
    "MaximumInferenceUnits": ("0", "0", "4"),
    "SmokeTestKey": (_NONE,),
    "SmokeTestMinimum": ("0.8", "0.5", "1"),
    "ServingHoursStart": (_NONE, _NONE, _NONE, _DAY_AND_NIGHT[0]),
    "ServingHoursEnd": (_NONE,),
    "PollSeconds": ("60", "300"),
    "ReviewThreshold": ("0.7", "0", "1"),
    "KeepPredictions": ("low-confidence", "none", "sample", "all"),
    "KeepPredictionsPercent": ("10", "0", "100"),
    "AuditPercent": ("1", "0", "100"),
    "FeedbackTrust": ("review", "accept"),
    "RequestsPerSecond": ("50", "1"),
    "RequestBurst": ("100", "1"),
    "ReserveConcurrency": ("false", "false", "true"),
    "LogRetentionDays": ("90", "30"),
}
"""ServingHoursEnd goes with ServingHoursStart, see `_in_pairs`."""
ANALYSIS: Mapping[str, tuple[str, ...]] = {
    "QuietPeriodMinutes": ("0", "5"),
    "LowConfidence": ("0.7", "0", "1"),
    "ReviewPerAnalysis": ("1000", "0", "2"),
    "AuditPercent": ("1", "0", "100"),
    "DocumentsPerPart": ("1000000", "5"),
    "MegabytesPerPart": ("1000", "1"),
    "MapConcurrency": ("1", "10", "40"),
    "PollSeconds": ("60", "300"),
    "LogRetentionDays": ("90", "30"),
}
IMPORT: Mapping[str, tuple[str, ...]] = {
    "PromotionMode": _MODE,
    "ApprovalHours": ("2", "72"),
    "SmokeTestKey": (_NONE,),
    "SmokeTestMinimum": ("0.8", "0.5", "1"),
    "ModelsToKeep": ("1", "2", "5"),
    "FollowWithdrawals": _YES_OR_NO,
    "ImportSchedule": ("rate(1 hour)", "rate(3 hours)"),
    "PollSeconds": ("60", "300"),
    "NotificationEmail": (_NONE, "people@example.com"),
    "LogRetentionDays": ("90", "30"),
}
OF_LEARNING = {
    "serving": ("KeepPredictions", "KeepPredictionsPercent", "AuditPercent", "FeedbackTrust"),
    "analysis": ("ReviewPerAnalysis", "AuditPercent"),
}
"""What only a deployment that trains has."""
STACKS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "flywheel": FLYWHEEL,
    "import": IMPORT,
    "serving": SERVING,
    "analysis": ANALYSIS,
}
SMOKE_TEST_KEY = "serving/smoke.csv"
TRUST = ((IMPORTER, _NONE, f"arn:aws:iam::{IMPORTER}:root", "999988887777"), (6, 3, 2, 1))
"""What TrustedAccounts is changed to where there is somebody to import, and how often."""


def drawn(draw: random.Random, stack: str, *, imports: bool = False) -> Values:
    """A value for each parameter of a stack; `imports`: of a deployment that imports models."""
    found = {name: draw.choice(values) for name, values in _of(stack, imports=imports).items()}
    return _in_pairs(found)


def changed(draw: random.Random, *, imports: bool = False) -> tuple[str, Values]:
    """A stack, and one to three of its parameters with other values, most often of the first stack."""
    first = "import" if imports else "flywheel"
    stack = draw.choices((first, "serving", "analysis"), (3, 2, 1))[0]
    values = _of(stack, imports=imports)
    names = draw.sample(sorted(values), draw.choice((1, 1, 2, 3)))
    return stack, _in_pairs({name: draw.choice(values[name]) for name in names})


def source(name: str) -> Values:
    """Where the importing deployment's models come from."""
    return {"SourceAccount": ACCOUNT, "SourceFlywheelName": name}


def all_names(stack: str, *, imports: bool = False) -> set[str]:
    """Of the parameters that a stack's template should have."""
    here = {"import": {"SourceAccount", "SourceFlywheelName"}, "flywheel": set()}
    return {*_of(stack, imports=imports), "BootstrapVersion", *here.get(stack, {"IntakeBucket", "TopicArn"})}


def _of(stack: str, *, imports: bool) -> Mapping[str, tuple[str, ...]]:
    without = OF_LEARNING.get(stack, ()) if imports else ()
    return {name: values for name, values in STACKS[stack].items() if name not in without}


def _in_pairs(values: Values) -> Values:
    """The template's rule: both serving hours, or neither."""
    if "ServingHoursStart" in values or "ServingHoursEnd" in values:
        begins = values.get("ServingHoursStart", _NONE) != _NONE
        start, end = _DAY_AND_NIGHT if begins else (_NONE, _NONE)
        return {**values, "ServingHoursStart": start, "ServingHoursEnd": end}
    return values
