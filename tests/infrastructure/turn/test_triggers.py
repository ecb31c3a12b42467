"""Rules, queues and topic: who may send where, and what happens to what does not arrive."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.infrastructure.conftest import KEY
from tests.infrastructure.synthesised import Resource, Synthesised, as_text, statements
from tests.infrastructure.test_functions import spoken

RULES_TO_TURNS = ("TriggersUploads", "TriggersSchedule", "TriggersTurnEnded")
RULES_TO_PROMOTIONS = (
    "PromotionTriggersDesiredModel",
    "PromotionTriggersSchedule",
    "PromotionTriggersPromotionEnded",
)
SHARING = "SharingSchedule"
REVIEW = ("ReviewAnswers", "ReviewSchedule")
STOPPED = {"TriggersTurnStopped": "report_turn", "PromotionTriggersPromotionStopped": "report_promotion"}
"""Rules that have the end of an execution reported, by their functions."""
QUEUES = (
    "QueuesTurns",
    "QueuesTurnDeadLetters",
    "QueuesPromotions",
    "QueuesPromotionDeadLetters",
    "QueuesUndelivered",
)
STARTERS = {
    "start_turn": ("QueuesTurns", "QueuesTurnDeadLetters", "turn queue"),
    "start_promotion": ("QueuesPromotions", "QueuesPromotionDeadLetters", "promotion queue"),
}
"""Each with its queue, that of its dead letters, and the queue's name in words."""


def queue(stack: Synthesised, name: str) -> Resource:
    (found,) = [
        resource
        for resource in stack.of_type("AWS::SQS::Queue")
        if resource.logical_id.startswith(name)
        and not resource.logical_id.removeprefix(name)[:1].islower()
        and len(resource.logical_id) == len(name) + 8
    ]
    return found


def rule(stack: Synthesised, name: str) -> Resource:
    return stack.one(name, "AWS::Events::Rule")


def mapping_of(stack: Synthesised, function: str) -> Resource:
    logical_id = stack.functions()[function].logical_id
    (found,) = [
        mapping
        for mapping in stack.of_type("AWS::Lambda::EventSourceMapping")
        if mapping.properties["FunctionName"] == {"Ref": logical_id}
    ]
    return found


def queue_policy(stack: Synthesised, name: str) -> list[dict[str, Any]]:
    found = queue(stack, name)
    (policy,) = [
        resource
        for resource in stack.of_type("AWS::SQS::QueuePolicy")
        if resource.properties["Queues"] == [{"Ref": found.logical_id}]
    ]
    for statement in statements(policy.properties["PolicyDocument"]):
        assert statement["Resource"] == {"Fn::GetAtt": [found.logical_id, "Arn"]}
    return statements(policy.properties["PolicyDocument"])


class TestRules:
    def test_an_upload_is_a_poke_if_the_operator_wants(self, default: Synthesised) -> None:
        properties = rule(default, "TriggersUploads").properties
        assert properties["EventPattern"] == {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": [{"Ref": default.one("BucketsIntake", "AWS::S3::Bucket").logical_id}]},
                "object": {"key": [{"prefix": "train/"}, {"prefix": "test/"}]},
            },
        }
        condition, enabled, disabled = properties["State"]["Fn::If"]
        assert (enabled, disabled) == ("ENABLED", "DISABLED")
        assert default.template["Conditions"][condition] == {"Fn::Equals": [{"Ref": "TriggerOnUpload"}, "true"]}

    @pytest.mark.parametrize("name", ["TriggersSchedule", "PromotionTriggersSchedule"])
    def test_the_schedule_says_that_it_is_the_schedule(self, default: Synthesised, name: str) -> None:
        properties = rule(default, name).properties
        assert properties["ScheduleExpression"] == {"Ref": "TurnSchedule"}
        assert json.loads(properties["Targets"][0]["Input"]) == {"poke": "schedule"}

    def test_an_edit_of_the_desired_model_is_a_poke(self, any_variant: Synthesised) -> None:
        """Of this flywheel's own parameter alone; a deletion asks for nothing."""
        name = any_variant.name
        assert rule(any_variant, "PromotionTriggersDesiredModel").properties["EventPattern"] == {
            "source": ["aws.ssm"],
            "detail-type": ["Parameter Store Change"],
            "detail": {
                "name": [f"/comprehend-flywheel/{name}/desired-model-arn"],
                "operation": ["Create", "Update"],
            },
        }

    @pytest.mark.parametrize(
        ("name", "machine"),
        [("TriggersTurnEnded", "turn machine"), ("PromotionTriggersPromotionEnded", "promote machine")],
    )
    def test_the_end_of_an_execution_is_a_poke_however_it_ended(
        self, default: Synthesised, name: str, machine: str
    ) -> None:
        pattern = rule(default, name).properties["EventPattern"]
        assert set(pattern["detail"]["status"]) == {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}
        assert [spoken(arn) for arn in pattern["detail"]["stateMachineArn"]] == [machine]

    @pytest.mark.parametrize("name", STOPPED)
    def test_an_execution_that_could_not_report_is_reported(self, default: Synthesised, name: str) -> None:
        stopped = rule(default, name)
        pattern = stopped.properties["EventPattern"]
        assert set(pattern["detail"]["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}
        machine = "turn machine" if STOPPED[name] == "report_turn" else "promote machine"
        assert [spoken(arn) for arn in pattern["detail"]["stateMachineArn"]] == [machine]
        report = default.functions()[STOPPED[name]]
        assert as_text(stopped.properties["Targets"][0]["Arn"]) == f"<{report.logical_id}.Arn>"
        permissions = default.of_type("AWS::Lambda::Permission")
        # And those for the schedule of sharing, and for review.
        assert len(permissions) == len(STOPPED) + len([SHARING, *REVIEW])
        (permission,) = [
            found for found in permissions if as_text(found.properties["FunctionName"]) == f"<{report.logical_id}.Arn>"
        ]
        assert permission.properties["Principal"] == "events.amazonaws.com"
        assert as_text(permission.properties["SourceArn"]) == f"<{stopped.logical_id}.Arn>"

    def test_what_cannot_be_delivered_is_kept(self, default: Synthesised) -> None:
        rules = default.of_type("AWS::Events::Rule")
        assert len(rules) == len(RULES_TO_TURNS) + len(RULES_TO_PROMOTIONS) + len(STOPPED) + len([SHARING, *REVIEW])
        for found in rules:
            (target,) = found.properties["Targets"]
            assert spoken(target["DeadLetterConfig"]["Arn"]) == "undelivered"
            assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0

    def test_all_pokes_of_a_machine_go_through_one_queue(self, default: Synthesised) -> None:
        for rules, words in ((RULES_TO_TURNS, "turn queue"), (RULES_TO_PROMOTIONS, "promotion queue")):
            for name in rules:
                assert spoken(rule(default, name).properties["Targets"][0]["Arn"]) == words


class TestQueues:
    @pytest.mark.parametrize("name", QUEUES)
    def test_refuse_plain_http(self, default: Synthesised, name: str) -> None:
        (denied,) = [s for s in queue_policy(default, name) if s["Effect"] == "Deny"]
        assert denied["Principal"] == {"AWS": "*"}
        assert denied["Action"] == "sqs:*"
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}

    @pytest.mark.parametrize(
        ("name", "rules"),
        [
            ("QueuesTurns", RULES_TO_TURNS),
            ("QueuesPromotions", RULES_TO_PROMOTIONS),
            (
                "QueuesUndelivered",
                (
                    *RULES_TO_TURNS,
                    "TriggersTurnStopped",
                    *RULES_TO_PROMOTIONS,
                    "PromotionTriggersPromotionStopped",
                    SHARING,
                    *REVIEW,
                ),
            ),
            ("QueuesTurnDeadLetters", ()),
            ("QueuesPromotionDeadLetters", ()),
        ],
    )
    def test_let_the_rules_of_this_stack_send_and_nobody_else(
        self, default: Synthesised, name: str, rules: tuple[str, ...]
    ) -> None:
        allowed = [s for s in queue_policy(default, name) if s["Effect"] == "Allow"]
        if not rules:
            assert allowed == []
            return
        (statement,) = allowed
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        assert statement["Action"] == "sqs:SendMessage"
        assert [as_text(arn) for arn in statement["Condition"]["ArnEquals"]["aws:SourceArn"]] == [
            f"<{rule(default, name).logical_id}.Arn>" for name in rules
        ]

    @pytest.mark.parametrize("name", QUEUES)
    def test_are_encrypted(
        self, default: Synthesised, new_key: Synthesised, organisation: Synthesised, name: str
    ) -> None:
        assert queue(default, name).properties["SqsManagedSseEnabled"] is True
        assert spoken(queue(new_key, name).properties["KmsMasterKeyId"]) == "key"
        assert queue(organisation, name).properties["KmsMasterKeyId"] == KEY

    @pytest.mark.parametrize("starter", STARTERS)
    def test_a_poke_is_not_seen_twice_while_it_is_handled(self, default: Synthesised, starter: str) -> None:
        mapping, function = mapping_of(default, starter), default.functions()[starter]
        window = mapping.properties["MaximumBatchingWindowInSeconds"]
        visibility = queue(default, STARTERS[starter][0]).properties["VisibilityTimeout"]
        assert visibility >= 6 * function.properties["Timeout"] + window

    @pytest.mark.parametrize("starter", STARTERS)
    def test_two_thousand_pokes_are_few_invocations(self, default: Synthesised, starter: str) -> None:
        assert len(default.of_type("AWS::Lambda::EventSourceMapping")) == len(STARTERS)
        mapping = mapping_of(default, starter)
        assert spoken(mapping.properties["EventSourceArn"]) == STARTERS[starter][2]
        assert mapping.properties["BatchSize"] == 1000
        assert mapping.properties["MaximumBatchingWindowInSeconds"] == 5
        assert mapping.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping.properties["ScalingConfig"] == {"MaximumConcurrency": 2}

    @pytest.mark.parametrize("starter", STARTERS)
    def test_a_poke_that_cannot_be_handled_is_put_aside(self, default: Synthesised, starter: str) -> None:
        pokes, dead_letters, _ = STARTERS[starter]
        redrive = queue(default, pokes).properties["RedrivePolicy"]
        assert as_text(redrive["deadLetterTargetArn"]) == f"<{queue(default, dead_letters).logical_id}.Arn>"
        assert redrive["maxReceiveCount"] > 1

    @pytest.mark.parametrize("function", STOPPED.values())
    def test_a_status_event_that_could_not_be_handled_is_put_aside(self, default: Synthesised, function: str) -> None:
        config = default.functions()[function].properties["DeadLetterConfig"]
        assert spoken(config["TargetArn"]) == "undelivered"


class TestTopic:
    @pytest.fixture
    def policy(self, default: Synthesised) -> dict[str, dict[str, Any]]:
        (found,) = default.of_type("AWS::SNS::TopicPolicy")
        assert [spoken(topic) for topic in found.properties["Topics"]] == ["topic"]
        return {statement["Sid"]: statement for statement in statements(found.properties["PolicyDocument"])}

    def test_refuses_plain_http(self, policy: dict[str, dict[str, Any]]) -> None:
        denied = policy["NoPlainHttp"]
        assert (denied["Effect"], denied["Principal"], denied["Action"]) == ("Deny", {"AWS": "*"}, "sns:Publish")
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}

    def test_lets_alarms_of_this_account_publish(self, policy: dict[str, dict[str, Any]]) -> None:
        allowed = policy["Alarms"]
        assert (allowed["Effect"], allowed["Action"]) == ("Allow", "sns:Publish")
        assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        assert (
            as_text(allowed["Condition"]["ArnLike"]["aws:SourceArn"])
            == "arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:*"
        )

    def test_is_encrypted_with_the_key(self, new_key: Synthesised, organisation: Synthesised) -> None:
        assert spoken(new_key.one("Notifications", "AWS::SNS::Topic").properties["KmsMasterKeyId"]) == "key"
        assert organisation.one("Notifications", "AWS::SNS::Topic").properties["KmsMasterKeyId"] == KEY

    def test_writes_to_an_address_only_if_there_is_one(self, default: Synthesised) -> None:
        (subscription,) = default.of_type("AWS::SNS::Subscription")
        assert subscription.properties["Endpoint"] == {"Ref": "NotificationEmail"}
        condition = default.template["Conditions"][subscription.body["Condition"]]
        given = {"Ref": "NotificationEmail"}
        nothing = [{"Fn::Equals": [given, "none"]}, {"Fn::Equals": [given, ""]}]
        assert condition == {"Fn::Not": [{"Fn::Or": nothing}]}
