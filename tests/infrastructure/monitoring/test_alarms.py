"""Alarms: what they watch, when they call a person, and that the call comes through."""

from __future__ import annotations

from typing import Any

import pytest

from flywheel.measurement import NAMESPACE
from ops.verbs.status import DATASETS_A_FLYWHEEL
from stacks.monitoring.alarms import DATASETS_OF_A_FLYWHEEL
from tests.documents import rows
from tests.infrastructure.synthesised import Resource, Synthesised, as_list, as_text, statements
from tests.infrastructure.test_functions import spoken
from tests.infrastructure.turn.test_triggers import queue

ABOVE_ZERO = ("GreaterThanThreshold", 0)
OPTIONAL = {
    "Drift": ("DriftFloor", "0"),
    "NoTurn": ("MaximumDaysWithoutTurn", "0"),
    "SharingBehind": ("TrustedAccounts", "none"),
}
"""The parameter, and the value of it that leaves the alarm out."""
ONCE_A_TURN = {
    "WaitingForAPerson",
    "ApprovalWaiting",
    "SharingBehind",
    "UploadsNotPrepared",
    "TrainDatasetQuota",
    "TestDatasetQuota",
    "Drift",
}


def alarms(stack: Synthesised) -> dict[str, Resource]:
    """By the construct's name."""
    return {found.logical_id.removeprefix("Alarms")[:-8]: found for found in stack.of_type("AWS::CloudWatch::Alarm")}


@pytest.fixture
def watched(default: Synthesised) -> dict[str, dict[str, Any]]:
    return {name: found.properties for name, found in alarms(default).items()}


def test_watch_everything_that_needs_a_person(default: Synthesised, watched: dict[str, dict[str, Any]]) -> None:
    machine, promotions = (
        f"<{default.one(kind, 'AWS::StepFunctions::StateMachine').logical_id}>" for kind in ("Turn", "Promote")
    )
    dead_letters = "ApproximateNumberOfMessagesVisible"
    found = {
        name: (
            properties["Namespace"],
            properties["MetricName"],
            *((dimension["Name"], as_text(dimension["Value"])) for dimension in properties["Dimensions"]),
        )
        for name, properties in watched.items()
    }
    flywheel = ("Flywheel", "news")
    assert found == {
        "TurnDeadLetters": (
            "AWS/SQS",
            dead_letters,
            ("QueueName", f"<{queue(default, 'QueuesTurnDeadLetters').logical_id}.QueueName>"),
        ),
        "PromotionDeadLetters": (
            "AWS/SQS",
            dead_letters,
            ("QueueName", f"<{queue(default, 'QueuesPromotionDeadLetters').logical_id}.QueueName>"),
        ),
        "UndeliveredEvents": (
            "AWS/SQS",
            dead_letters,
            ("QueueName", f"<{queue(default, 'QueuesUndelivered').logical_id}.QueueName>"),
        ),
        "TurnFailed": ("AWS/States", "ExecutionsFailed", ("StateMachineArn", machine)),
        "TurnTimedOut": ("AWS/States", "ExecutionsTimedOut", ("StateMachineArn", machine)),
        "TurnAborted": ("AWS/States", "ExecutionsAborted", ("StateMachineArn", machine)),
        "NoTurn": ("AWS/States", "ExecutionsStarted", ("StateMachineArn", machine)),
        "PromotionFailed": ("AWS/States", "ExecutionsFailed", ("StateMachineArn", promotions)),
        "PromotionTimedOut": ("AWS/States", "ExecutionsTimedOut", ("StateMachineArn", promotions)),
        "PromotionAborted": ("AWS/States", "ExecutionsAborted", ("StateMachineArn", promotions)),
        "StartPromotionErrors": (
            "AWS/Lambda",
            "Errors",
            ("FunctionName", f"<{default.functions()['start_promotion'].logical_id}>"),
        ),
        "ApprovalWaiting": (NAMESPACE, "PromotionsWaiting", flywheel),
        "StartTurnErrors": (
            "AWS/Lambda",
            "Errors",
            ("FunctionName", f"<{default.functions()['start_turn'].logical_id}>"),
        ),
        "WaitingForAPerson": (NAMESPACE, "WaitingForAPerson", flywheel),
        "UploadsNotPrepared": (NAMESPACE, "UploadsNotPrepared", flywheel),
        "TrainDatasetQuota": (NAMESPACE, "TrainDatasetsUsed", flywheel),
        "TestDatasetQuota": (NAMESPACE, "TestDatasetsUsed", flywheel),
        "SharingBehind": (NAMESPACE, "SharingBehind", flywheel),
        "Drift": (NAMESPACE, "ActiveModelScoreOnNewTestData", flywheel),
    }


@pytest.mark.parametrize("kind", ["flywheel", "serving", "analysis"])
def test_operators_read_what_to_do_at_each(default: Synthesised, kind: str) -> None:
    assert set(rows("docs/operating.md", f"Alarms of the {kind.title()} stack")) == set(alarms(default.beside(kind)))


def test_when_they_call(watched: dict[str, dict[str, Any]]) -> None:
    limits = {name: (properties["ComparisonOperator"], properties["Threshold"]) for name, properties in watched.items()}
    others = {
        "TrainDatasetQuota": ("GreaterThanOrEqualToThreshold", 40),
        "TestDatasetQuota": ("GreaterThanOrEqualToThreshold", 40),
        "Drift": ("LessThanThreshold", {"Ref": "DriftFloor"}),
        "NoTurn": ("LessThanThreshold", 1),
    }
    assert limits == dict.fromkeys(set(watched) - set(others), ABOVE_ZERO) | others


def test_silence_is_health_where_something_bad_is_counted_and_alarming_where_turns_are(
    watched: dict[str, dict[str, Any]],
) -> None:
    """A number that only a turn or a promotion gives holds until the next one."""
    treated = {name: properties["TreatMissingData"] for name, properties in watched.items()}
    expected = dict.fromkeys(watched, "notBreaching") | dict.fromkeys(ONCE_A_TURN, "ignore") | {"NoTurn": "breaching"}
    assert treated == expected


def test_the_quota_is_the_one_that_operators_see() -> None:
    assert DATASETS_OF_A_FLYWHEEL == DATASETS_A_FLYWHEEL


@pytest.mark.parametrize(("name", "parameter"), OPTIONAL.items())
def test_a_value_of_a_parameter_leaves_an_alarm_out(
    default: Synthesised, name: str, parameter: tuple[str, str]
) -> None:
    condition = default.template["Conditions"][alarms(default)[name].body["Condition"]]
    assert condition == {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter[0]}, parameter[1]]}]}


def test_the_others_are_always_there(default: Synthesised) -> None:
    assert {name for name, found in alarms(default).items() if "Condition" in found.body} == set(OPTIONAL)


@pytest.mark.parametrize("days", range(1, 8))
def test_so_many_days_are_so_many_periods_and_never_more_than_a_week(default: Synthesised, days: int) -> None:
    """PutMetricAlarm refuses more than seven days of periods of an hour or longer."""
    properties = alarms(default)["NoTurn"].properties
    table, chosen, member = properties["EvaluationPeriods"]["Fn::FindInMap"]
    assert chosen == {"Ref": "MaximumDaysWithoutTurn"}
    assert str(days) in default.template["Parameters"]["MaximumDaysWithoutTurn"]["AllowedValues"]
    periods = default.template["Mappings"][table][str(days)][member]
    assert periods * properties["Period"] == days * 24 * 3600 <= 7 * 24 * 3600


def test_say_what_happened_and_tell_the_topic(any_variant: Synthesised) -> None:
    for found in alarms(any_variant).values():
        assert [spoken(action) for action in as_list(found.properties["AlarmActions"])] == ["topic"]
        assert len(found.properties["AlarmDescription"]) > 20
        assert "Metrics" not in found.properties


def test_the_topic_lets_all_of_them_publish(any_variant: Synthesised) -> None:
    (policy,) = any_variant.of_type("AWS::SNS::TopicPolicy")
    allowed = [s for s in statements(policy.properties["PolicyDocument"]) if s["Effect"] == "Allow"]
    (statement,) = [s for s in allowed if s["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    assert statement["Action"] == "sns:Publish"
    assert spoken(statement["Resource"]) == "topic"
    only_alarms_of_this_account(statement)


def test_a_key_of_the_stack_lets_alarms_encrypt_what_they_publish(new_key: Synthesised) -> None:
    (key,) = new_key.of_type("AWS::KMS::Key")
    (statement,) = [
        s
        for s in statements(key.properties["KeyPolicy"])
        if s.get("Principal") == {"Service": "cloudwatch.amazonaws.com"}
    ]
    assert statement["Effect"] == "Allow"
    assert set(statement["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    only_alarms_of_this_account(statement)


def only_alarms_of_this_account(statement: dict[str, Any]) -> None:
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
        "ArnLike": {"aws:SourceArn": statement["Condition"]["ArnLike"]["aws:SourceArn"]},
    }
    sources = as_text(statement["Condition"]["ArnLike"]["aws:SourceArn"])
    assert sources == "arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:*"
