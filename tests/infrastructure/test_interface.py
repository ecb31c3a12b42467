"""What others rely on: parameters, outputs and Parameter Store."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.infrastructure.synthesised import Synthesised, as_text, run_app

PARAMETERS: dict[str, dict[str, Any]] = {
    "SelectionMetric": {"AllowedValues": ["F1Score", "Precision", "Recall", "Accuracy"], "Default": "F1Score"},
    "MinimumScore": {"MinValue": 0, "MaxValue": 1, "Default": 0.5},
    "MinimumImprovement": {"MinValue": 0, "MaxValue": 1, "Default": 0.005},
    "MaximumRegression": {"MinValue": 0, "MaxValue": 1, "Default": 0.1},
    "Evidence": {"AllowedValues": ["ITERATION", "HOLDOUT"], "Default": "ITERATION"},
    "HoldoutDocuments": {"MinValue": 50, "MaxValue": 50_000, "Default": 2000},
    "ConfidenceLevel": {"MinValue": 0.5, "MaxValue": 0.999, "Default": 0.95},
    "PromotionMode": {"AllowedValues": ["AUTOMATIC", "APPROVAL", "NEVER"], "Default": "AUTOMATIC"},
    "ApprovalHours": {"MinValue": 0, "MaxValue": 720, "Default": 72},
    "ModelsToKeep": {"MinValue": 1, "MaxValue": 1000, "Default": 5},
    "MinimumDocumentsPerLabel": {"MinValue": 1, "Default": 50},
    "MaximumBadLinesPercent": {"MinValue": 0, "MaxValue": 100, "Default": 5},
    "ConflictingLabels": {"AllowedValues": ["KEEP", "REFUSE"], "Default": "KEEP"},
    "TriggerOnUpload": {"AllowedValues": ["true", "false"], "Default": "true"},
    "QuietPeriodMinutes": {"MinValue": 0, "Default": 5},
    "MinimumHoursBetweenIterations": {"MinValue": 0, "Default": 0},
    "TurnSchedule": {"Default": "rate(1 hour)"},
    "PollSeconds": {"MinValue": 30, "Default": 60},
    "DriftFloor": {"MinValue": 0, "MaxValue": 1, "Default": 0},
    "MaximumDaysWithoutTurn": {"AllowedValues": ["0", "1", "2", "3", "4", "5", "6", "7"], "Default": "0"},
    "NotificationEmail": {"Default": "none"},
    "LogRetentionDays": {"Default": "90"},
}
NOT_TUNABLE = {"PowertoolsLayer", "BootstrapVersion"}


def parameter(stack: Synthesised, name: str) -> dict[str, Any]:
    found: dict[str, Any] = stack.template["Parameters"][name]
    return found


def resource_parameter(stack: Synthesised, name: str) -> dict[str, Any]:
    (found,) = [
        resource.properties
        for resource in stack.of_type("AWS::SSM::Parameter")
        if resource.properties["Name"].rsplit("/", 1)[1] == name
    ]
    return found


def deployment(stack: Synthesised) -> dict[str, Any]:
    published: dict[str, Any] = json.loads(as_text(resource_parameter(stack, "deployment")["Value"]))
    return published


class TestParameters:
    def test_are_these(self, any_variant: Synthesised) -> None:
        assert set(any_variant.template["Parameters"]) - NOT_TUNABLE == set(PARAMETERS)

    @pytest.mark.parametrize("name", PARAMETERS)
    def test_have_these_limits_and_say_so(self, default: Synthesised, name: str) -> None:
        found = parameter(default, name)
        assert found.items() >= PARAMETERS[name].items()
        assert {"AllowedValues", "AllowedPattern", "MaxValue"} & set(found)
        assert len(found["Description"]) > 20
        assert found["ConstraintDescription"].startswith(f"{name} must be ")

    @pytest.mark.parametrize("name", PARAMETERS)
    def test_have_a_default_that_is_allowed(self, default: Synthesised, name: str) -> None:
        found = parameter(default, name)
        value = found["Default"]
        assert re.search(found.get("AllowedPattern", ""), str(value))
        assert value in found.get("AllowedValues", [value])
        assert float(found.get("MinValue", 0)) <= float(value if "MinValue" in found else 0)

    @pytest.mark.parametrize(
        ("value", "allowed"),
        [
            ("rate(1 minute)", True),
            ("rate(1 hour)", True),
            ("rate(12 hours)", True),
            ("rate(7 days)", True),
            ("cron(0 6 * * ? *)", True),
            ("cron(0/15 8-17 ? * MON-FRI *)", True),
            ("rate(1 hours)", False),
            ("rate(2 hour)", False),
            ("rate(0 hours)", False),
            ("rate(1 week)", False),
            ("hourly", False),
            ("rate(1 hour) ", False),
            ('cron(0 6 * * ? *"', False),
        ],
    )
    def test_a_schedule_is_one_of_event_bridge(self, default: Synthesised, value: str, allowed: bool) -> None:
        pattern = parameter(default, "TurnSchedule")["AllowedPattern"]
        assert (re.fullmatch(pattern, value) is not None) is allowed

    @pytest.mark.parametrize(
        ("value", "allowed"),
        [
            ("", True),
            ("none", True),
            ("a@b.org", True),
            ("first.last+tag@mail.example.com", True),
            ("a@b", False),
            ('"a"@b.org', False),
        ],
    )
    def test_an_address_or_nothing(self, default: Synthesised, value: str, allowed: bool) -> None:
        pattern = parameter(default, "NotificationEmail")["AllowedPattern"]
        assert (re.fullmatch(pattern, value) is not None) is allowed


def test_the_outputs_are_these(any_variant: Synthesised) -> None:
    assert set(any_variant.template["Outputs"]) == {
        "IntakeBucketName",
        "LakeBucketName",
        "FlywheelArn",
        "TurnMachineArn",
        "TurnQueueUrl",
        "PromotionMachineArn",
        "PromotionQueueUrl",
        "TopicArn",
        "TrainingUploadersPolicyArn",
        "TestUploadersPolicyArn",
        "RejectedReviewersPolicyArn",
        "OperatorsPolicyArn",
        "ApproversPolicyArn",
        "DataAccessRoleArn",
        "DashboardName",
    }
    assert not [output for output in any_variant.template["Outputs"].values() if "Export" in output]


class TestParameterStore:
    def test_holds_the_flywheels_arn_once_it_is_there(self, default: Synthesised) -> None:
        flywheel = default.one("Flywheel", "AWS::Comprehend::Flywheel")
        (resource,) = [
            found
            for found in default.of_type("AWS::SSM::Parameter")
            if found.properties["Name"] == "/comprehend-flywheel/news/flywheel-arn"
        ]
        assert as_text(resource.properties["Value"]).endswith(f":flywheel/{flywheel.properties['FlywheelName']}")
        assert resource.body["DependsOn"] == [flywheel.logical_id]

    def test_says_where_the_parts_are(self, default: Synthesised) -> None:
        outputs = {name: as_text(output["Value"]) for name, output in default.template["Outputs"].items()}
        published = deployment(default)
        assert published["intake_bucket"] == outputs["IntakeBucketName"]
        assert published["lake_bucket"] == outputs["LakeBucketName"]
        assert published["turn_machine_arn"] == outputs["TurnMachineArn"]
        assert published["turn_queue_url"] == outputs["TurnQueueUrl"]
        assert published["promotion_machine_arn"] == outputs["PromotionMachineArn"]
        assert published["promotion_queue_url"] == outputs["PromotionQueueUrl"]
        assert published["topic_arn"] == outputs["TopicArn"]

    def test_says_what_the_settings_are(self, new_key: Synthesised) -> None:
        published = deployment(new_key)
        assert published["mode"] == "MULTI_LABEL"
        assert published["labels"] == ["COMEDY", "DRAMA"]
        assert published["label_delimiter"] == "|"
        assert published["language"] == "en"

    def test_says_how_every_parameter_is_tuned(self, default: Synthesised) -> None:
        assert deployment(default)["parameters"] == {name: f"<{name}>" for name in PARAMETERS}

    def test_never_holds_what_belongs_to_run_time(self, any_variant: Synthesised) -> None:
        names = {found.properties["Name"].rsplit("/", 1)[1] for found in any_variant.of_type("AWS::SSM::Parameter")}
        assert names - {"key-arn"} == {"flywheel-arn", "deployment", "intake-bucket", "topic-arn"}

    def test_takes_a_thousand_labels(self, tmp_path: Path) -> None:
        labels = [f"LABEL {number:04d} {'x' * 30}" for number in range(1000)]
        finished = run_app(context={"labels": labels}, outdir=tmp_path)
        assert finished.returncode == 0, finished.stderr
        stack = Synthesised(folder=tmp_path, stack="news-flywheel")
        value = resource_parameter(stack, "deployment")
        assert value["Tier"] == "Intelligent-Tiering"
        assert len(as_text(value["Value"])) < 8 * 1024
        assert deployment(stack)["labels"] is None
        config = stack.one("Flywheel", "AWS::Comprehend::Flywheel").properties["TaskConfig"]
        assert config["DocumentClassificationConfig"]["Labels"] == labels
