"""What others rely on: parameters, outputs and Parameter Store."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.infrastructure.synthesised import Synthesised, as_text

PARAMETERS: dict[str, dict[str, Any]] = {
    "SelectionMetric": {"AllowedValues": ["F1Score", "Precision", "Recall", "Accuracy"], "Default": "F1Score"},
    "MinimumScore": {"Default": "0.5"},
    "MinimumImprovement": {"Default": "0.005"},
    "MaximumRegression": {"Default": "0.1"},
    "Evidence": {"AllowedValues": ["ITERATION", "HOLDOUT"], "Default": "ITERATION"},
    "HoldoutDocuments": {"Default": "2000"},
    "ConfidenceLevel": {"Default": "0.95"},
    "PromotionMode": {"AllowedValues": ["AUTOMATIC", "APPROVAL", "NEVER"], "Default": "AUTOMATIC"},
    "ApprovalHours": {"Default": "72"},
    "ModelsToKeep": {"Default": "5"},
    "MinimumDocumentsPerLabel": {"Default": "50"},
    "MaximumBadLinesPercent": {"Default": "5"},
    "ConflictingLabels": {"AllowedValues": ["KEEP", "REFUSE"], "Default": "KEEP"},
    "TriggerOnUpload": {"AllowedValues": ["true", "false"], "Default": "true"},
    "QuietPeriodMinutes": {"Default": "5"},
    "MinimumHoursBetweenIterations": {"Default": "0"},
    "TurnSchedule": {"Default": "rate(1 hour)"},
    "PollSeconds": {"Default": "60"},
    "MapConcurrency": {"Default": "4"},
    "DriftFloor": {"Default": "0"},
    "MaximumDaysWithoutTurn": {"AllowedValues": ["0", "1", "2", "3", "4", "5", "6", "7"], "Default": "0"},
    "NotificationEmail": {"Default": "none"},
    "LogRetentionDays": {"Default": "90"},
}
NOT_TUNABLE = {"BootstrapVersion"}


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
    def test_have_these_defaults(self, default: Synthesised, name: str) -> None:
        found = parameter(default, name)
        assert found.items() >= PARAMETERS[name].items()
        assert len(found["Description"]) > 20


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

    def test_leaves_out_labels_for_which_it_has_no_room(self, organisation: Synthesised) -> None:
        assert deployment(organisation)["labels"] is None
        config = organisation.one("Flywheel", "AWS::Comprehend::Flywheel").properties["TaskConfig"]
        assert len(config["DocumentClassificationConfig"]["Labels"]) == 1000
