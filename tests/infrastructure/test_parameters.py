"""What each parameter of each stack takes: CloudFormation refuses the rest, because it ends in JSONata and JSON."""

from __future__ import annotations

import re
from typing import Any

import pytest

from stacks.constructs.stack_parameters import whole_numbers
from tests.infrastructure.synthesised import Synthesised

KINDS = ("flywheel", "serving", "analysis")
WHOLE_NUMBERS = {
    ("flywheel", "HoldoutDocuments"): (50, 50_000),
    ("flywheel", "SuspectTestLabels"): (0, 1000),
    ("flywheel", "ModelsToKeep"): (1, 1000),
    ("flywheel", "MinimumDocumentsPerLabel"): (1, 1_000_000),
    ("flywheel", "MaximumDaysWithoutTurn"): (0, 7),
    ("flywheel", "PollSeconds"): (30, 3600),
    ("flywheel", "ReviewDays"): (14, 3650),
    ("flywheel", "ReviewPublishDays"): (1, 365),
    ("flywheel", "KeepPredictionsDays"): (1, 3650),
    ("flywheel", "MapConcurrency"): (1, 1000),
    ("serving", "InferenceUnits"): (0, 50),
    ("serving", "MaximumInferenceUnits"): (0, 50),
    ("serving", "PollSeconds"): (30, 3600),
    ("serving", "RequestsPerSecond"): (1, 10_000),
    ("serving", "RequestBurst"): (1, 5_000),
    ("analysis", "ReviewPerAnalysis"): (0, 10_000),
    ("analysis", "DocumentsPerPart"): (1, 1_000_000),
    ("analysis", "MegabytesPerPart"): (1, 1000),
    ("analysis", "PollSeconds"): (30, 900),
    ("analysis", "MapConcurrency"): (1, 1000),
}
FRACTIONS = {
    ("flywheel", "MinimumScore"): (0, 1),
    ("flywheel", "MinimumImprovement"): (0, 1),
    ("flywheel", "MaximumRegression"): (0, 1),
    ("flywheel", "MaximumLabelRegression"): (0, 1),
    ("flywheel", "ConfidenceLevel"): (0.5, 0.999),
    ("flywheel", "ApprovalHours"): (0, 720),
    ("flywheel", "MaximumBadLinesPercent"): (0, 100),
    ("flywheel", "QuietPeriodMinutes"): (0, 1440),
    ("flywheel", "MinimumHoursBetweenIterations"): (0, 8760),
    ("flywheel", "DriftFloor"): (0, 1),
    ("flywheel", "ReviewTestPercent"): (0, 100),
    ("serving", "SmokeTestMinimum"): (0, 1),
    ("serving", "ReviewThreshold"): (0, 1),
    ("serving", "KeepPredictionsPercent"): (0, 100),
    ("serving", "AuditPercent"): (0, 100),
    ("analysis", "QuietPeriodMinutes"): (0, 1440),
    ("analysis", "LowConfidence"): (0, 1),
    ("analysis", "AuditPercent"): (0, 100),
}
ONE_OF = {
    ("flywheel", "SelectionMetric"),
    ("flywheel", "Evidence"),
    ("flywheel", "ConflictingLabels"),
    ("flywheel", "RepeatedDocuments"),
    ("flywheel", "MachineLabels"),
    ("flywheel", "PromotionMode"),
    ("flywheel", "RequireSameTestData"),
    ("flywheel", "TriggerOnUpload"),
    ("flywheel", "ReviewersPerItem"),
    ("serving", "ReserveConcurrency"),
    ("serving", "KeepPredictions"),
    ("serving", "FeedbackTrust"),
    *((kind, "LogRetentionDays") for kind in KINDS),
}
TEXTS: dict[tuple[str, str], tuple[list[str], list[str]]] = {
    ("flywheel", "ManifestAttribute"): (
        ["none", "job", "my-Labels-2", "a" * 63],
        ["", "-job", "job-", "a_b", "a b", "a/b", "a" * 64],
    ),
    ("flywheel", "TurnSchedule"): (
        [
            "rate(1 minute)",
            "rate(1 hour)",
            "rate(12 hours)",
            "rate(7 days)",
            "cron(0 6 * * ? *)",
            "cron(0/15 8-17 ? * MON-FRI *)",
        ],
        [
            "rate(1 hours)",
            "rate(2 hour)",
            "rate(02 hours)",
            "rate(0 hours)",
            "rate(1 week)",
            "hourly",
            "rate(1 hour) ",
            'cron(0 6 * * ? *"',
            f"cron({'0' * 256} * * * ? *)",
        ],
    ),
    ("flywheel", "TrustedAccounts"): (
        [
            "none",
            "444455556666",
            "444455556666,arn:aws:iam::777788889999:role/teams/importer,arn:aws-us-gov:iam::777788889999:user/ada",
            "arn:aws-cn:iam::444455556666:root",
            ",".join(["444455556666"] * 300),
        ],
        # The value becomes a list of principals in a key's policy.
        [
            "",
            "*",
            "none,444455556666",
            "44445555666",
            "4444555566667",
            "444455556666,",
            "444455556666, 777788889999",
            "arn:aws:iam::444455556666:role/*",
            "arn:aws:iam::444455556666:role/",
            "arn:aws:iam::444455556666:group/a",
            "arn:aws:sts::444455556666:assumed-role/a/b",
            "comprehend.amazonaws.com",
            ",".join(["444455556666"] * 400),
        ],
    ),
    ("flywheel", "NotificationEmail"): (
        ["", "none", "a@b.org", "first.last+tag@mail.example.com"],
        ["a@b", '"a"@b.org', "a b@c.org", "nobody", f"{'a' * 250}@b.org"],
    ),
    ("serving", "SmokeTestKey"): (
        ["none", "smoke.csv", "serving/smoke test (1).csv", "a", "a" * 1024],
        # It is part of a policy, where these are wildcards and variables, and of JSON.
        ["/a", "a/", "", "*", "a?", "${aws:username}", 'a"b', "a\\b", "a\nb", "\u00e9.csv", "a" * 1025],
    ),
    **{
        ("serving", name): (
            ["none", "cron(0 7 ? * MON-FRI *)", "cron(05 19 ? * * *)", "cron(59 23 ? * SAT,SUN *)"],
            ["", "7", "cron(60 7 ? * * *)", "cron(0 24 ? * * *)", "cron(0 007 ? * * *)", "cron(0 7 * * ? *)"],
        )
        for name in ("ServingHoursStart", "ServingHoursEnd")
    },
}
EVERY = sorted({*WHOLE_NUMBERS, *FRACTIONS, *ONE_OF, *TEXTS})
NO_NUMBERS = [
    "",
    ".5",
    "5.",
    "05",
    "072",
    "00",
    "-1",
    "+1",
    "1e1",
    "1,5",
    " 1",
    "1 ",
    "1\n",
    "0x1",
    "\u0661",
    "none",
    "1.2.3",
]


def takes(parameter: dict[str, Any], value: str) -> bool:
    """As CloudFormation decides about a parameter of the type String."""
    assert parameter["Type"] == "String"
    if "AllowedValues" in parameter:
        return value in parameter["AllowedValues"]
    return len(value) <= parameter["MaxLength"] and re.fullmatch(parameter["AllowedPattern"], value) is not None


@pytest.fixture
def parameter(default: Synthesised, kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = default.beside(kind).template["Parameters"][name]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_these_are_all(default: Synthesised, kind: str) -> None:
    """Those without a constraint are not people's: CloudFormation reads their values from Parameter Store."""
    parameters = default.beside(kind).template["Parameters"]
    tuned = {name for name, found in parameters.items() if not found["Type"].startswith("AWS::SSM::")}
    assert tuned == {name for of, name in EVERY if of == kind}


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_a_parameter_takes_its_default_and_says_what_else(parameter: dict[str, Any], name: str) -> None:
    assert takes(parameter, parameter["Default"])
    assert parameter["ConstraintDescription"].startswith(f"{name} must be ")


@pytest.mark.parametrize(("kind", "name"), [*WHOLE_NUMBERS, *FRACTIONS])
def test_what_is_no_number_is_refused(parameter: dict[str, Any]) -> None:
    assert [value for value in NO_NUMBERS if takes(parameter, value)] == []


@pytest.mark.parametrize(("kind", "name"), WHOLE_NUMBERS)
def test_a_whole_number_within_its_limits_is_taken(parameter: dict[str, Any], kind: str, name: str) -> None:
    least, most = WHOLE_NUMBERS[kind, name]
    near = {*range(least), *range(least, least + 1200), *range(most - 200, most + 200), most * 10, most // 2}
    assert [number for number in sorted(near) if takes(parameter, str(number)) != (least <= number <= most)] == []
    assert not takes(parameter, f"{most}.0")
    assert not takes(parameter, f"{least}.5")


@pytest.mark.parametrize(("kind", "name"), FRACTIONS)
def test_a_fraction_within_its_limits_is_taken(parameter: dict[str, Any], kind: str, name: str) -> None:
    least, most = FRACTIONS[kind, name]
    for value in (
        "0",
        "0.0",
        "0.499",
        "0.5",
        "0.25",
        "0.999",
        "1",
        "1.0",
        "99.5",
        "100.001",
        "719.25",
        "720.5",
        "8760.1",
    ):
        assert takes(parameter, value) is (least <= float(value) <= most), value
    assert takes(parameter, str(most))
    assert not takes(parameter, f"0.{'3' * 7}")


@pytest.mark.parametrize(("kind", "name"), TEXTS)
def test_a_text_is_what_its_reader_understands(parameter: dict[str, Any], kind: str, name: str) -> None:
    good, bad = TEXTS[kind, name]
    assert [value for value in good if not takes(parameter, value)] == []
    assert [value for value in bad if takes(parameter, value)] == []


@pytest.mark.parametrize(("least", "most"), [(0, 0), (0, 9), (7, 7), (8, 12), (99, 101), (1, 1000), (5, 2345)])
def test_the_pattern_of_a_range_is_that_range(least: int, most: int) -> None:
    pattern = re.compile(whole_numbers(least, most))
    assert [n for n in range(most + 50) if pattern.fullmatch(str(n))] == list(range(least, most + 1))
