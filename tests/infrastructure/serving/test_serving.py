"""The Serving stack's template: the serve machine, what starts it, the order of deletion, alarms, hours."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from flywheel.records.serving import ServingStatus
from flywheel.serving.hours import WeeklyTime
from flywheel.serving.smoke_test import Trial
from flywheel.serving.target import NONE, EndpointTarget
from stacks.constructs.stack_parameters import NONE as NONE_OF_PARAMETERS
from tests.infrastructure.state_machines import States, check, evaluate
from tests.infrastructure.synthesised import Synthesised, as_list, as_text, inline_statements
from tests.infrastructure.test_functions import grants, spoken

CALLS = {
    "BringEndpoint": "bring_endpoint",
    "SmokeTest": "smoke_test",
    "ReportServing": "report_serving",
    "ReportFailure": "report_serving",
}
ASK = "EndpointChangeAsk"


@pytest.fixture(scope="session")
def serving(default: Synthesised) -> Synthesised:
    return default.beside("serving")


@pytest.fixture(scope="session")
def definition(serving: Synthesised) -> dict[str, Any]:
    return serving.definition("Serve")


@pytest.fixture(scope="session")
def states(definition: dict[str, Any]) -> States:
    found: States = definition["States"]
    return found


class TestServeMachine:
    def test_every_state_is_reached_ends_and_speaks_jsonata(self, definition: dict[str, Any]) -> None:
        check(definition)

    def test_every_task_is_known_retried_and_its_failure_reported(self, serving: Synthesised, states: States) -> None:
        tasks = {name: state for name, state in states.items() if state["Type"] == "Task"}
        assert set(tasks) == {*CALLS, ASK}
        for name, state in tasks.items():
            assert state["Retry"], name
            if name in CALLS:
                function = serving.functions()[CALLS[name]].logical_id
                assert as_text(state["Arguments"]["FunctionName"]) == f"<{function}.Arn>"
            if name != "ReportFailure":
                assert state["Catch"][-1] == {
                    **state["Catch"][-1],
                    "ErrorEquals": ["States.ALL"],
                    "Next": "ReportFailure",
                }
        assert states["ReportFailure"]["Next"] == "ServingBehind"
        assert states["ReportFailure"]["Arguments"]["Payload"]["status"] == ServingStatus.BEHIND.name

    @pytest.mark.parametrize(
        ("settled", "trial", "changes", "expected"),
        [
            (True, Trial.DUE, 1, "SmokeTest"),
            (True, Trial.DONE, 1, "ReportServing"),
            (True, Trial.NOT_WANTED, 1, "ReportServing"),
            (False, Trial.NOT_WANTED, 1, "ChangeBegins"),
            (False, Trial.NOT_WANTED, 20, "NeverSettles"),
        ],
    )
    def test_what_follows_a_change(
        self, states: States, settled: bool, trial: Trial, changes: int, expected: str
    ) -> None:
        look = states["IsSettled"]
        known: dict[str, Any] = {"found": {"settled": settled}, "trial": trial.value, "changes": changes}
        chosen = (c["Next"] for c in look["Choices"] if evaluate(c["Condition"], **known))
        assert next(chosen, look["Default"]) == expected

    @pytest.mark.parametrize(
        ("status", "model", "target", "expected"),
        [
            ("IN_SERVICE", "new", "new", "IN_SERVICE"),
            ("IN_SERVICE", "old", "new", "FOLLOWING"),
            ("IN_SERVICE", "old", None, "IN_SERVICE"),
            ("UPDATING", "old", "new", "UPDATING"),
            ("FAILED", "old", "new", "FAILED"),
        ],
    )
    def test_an_endpoint_that_has_not_begun_to_follow_is_waited_for(
        self, states: States, status: str, model: str, target: str | None, expected: str
    ) -> None:
        answer = {"result": {"EndpointProperties": {"Status": status, "ModelArn": model}}}
        assert evaluate(states[ASK]["Output"]["Status"], states=answer, target=target) == expected
        final = evaluate(
            states["EndpointChangeLook"]["Choices"][0]["Condition"], states={"input": {"Status": expected}}
        )
        assert final is (expected in {"IN_SERVICE", "FAILED"})

    def test_an_endpoint_that_is_gone_is_no_failure(self, states: States) -> None:
        gone = states[ASK]["Catch"][0]
        assert gone["ErrorEquals"] == ["Comprehend.ResourceNotFoundException"]
        assert states[gone["Next"]]["Next"] == "EndpointChangeDone"
        assert states["EndpointChangeDone"]["Next"] == "BringEndpoint"

    def test_while_it_deletes_no_model_is_waited_for(self, states: States) -> None:
        target = states["BringEndpoint"]["Assign"]["target"]
        for status, expected in (("DELETING", None), ("CREATING", "new")):
            payload = {"status": status, "model_arn": "new"}
            assert evaluate(target, states={"result": {"Payload": payload}}) == expected

    def test_its_role_may_do_what_the_states_do_and_no_more(self, serving: Synthesised, states: States) -> None:
        machine = serving.one("Serve", "AWS::StepFunctions::StateMachine")
        found = grants(inline_statements(serving.role_of(machine.properties["RoleArn"])))
        for action in [action for action in found if action.split(":")[0] in {"logs", "xray"}]:
            assert found.pop(action) == {"*"}
        functions = {as_text(states[name]["Arguments"]["FunctionName"]) for name in CALLS}
        assert found == {"lambda:InvokeFunction": functions, "comprehend:DescribeEndpoint": {"endpoint"}}

    def test_the_promote_machine_starts_it_by_its_name(self, default: Synthesised, serving: Synthesised) -> None:
        name = serving.one("Serve", "AWS::StepFunctions::StateMachine").properties["StateMachineName"]
        started = default.definition("Promote")["States"]["ServeModel"]["Arguments"]["StateMachineArn"]
        assert as_text(started).endswith(f":stateMachine:{name}")


class TestStarts:
    def test_by_another_wish_and_by_the_schedule(self, serving: Synthesised) -> None:
        rules = {rule.logical_id.removeprefix("Triggers")[:-8]: rule.properties for rule in rules_of(serving)}
        assert set(rules) == {"Wish", "Schedule"}
        (target,) = [p for p in serving.of_type("AWS::SSM::Parameter") if p.properties["Name"].endswith("/serving")]
        detail = rules["Wish"]["EventPattern"]["detail"]
        assert detail == {"name": [target.properties["Name"]], "operation": ["Create", "Update"]}
        machine = serving.one("Serve", "AWS::StepFunctions::StateMachine").logical_id
        undelivered = serving.one("TriggersUndelivered", "AWS::SQS::Queue").logical_id
        for rule in rules.values():
            (target,) = rule["Targets"]
            assert target["Arn"] == {"Ref": machine}
            assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [undelivered, "Arn"]}}
            role = serving.role_of(target["RoleArn"])
            assert grants(inline_statements(role)) == {"states:StartExecution": {f"<{machine}>"}}
            assert role.properties["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {
                "Service": "events.amazonaws.com"
            }
        (policy,) = serving.of_type("AWS::SQS::QueuePolicy")
        (allowed,) = [s for s in policy.properties["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
        senders = {json.dumps(arn) for arn in allowed["Condition"]["ArnEquals"]["aws:SourceArn"]}
        every = serving.of_type("AWS::Events::Rule")
        assert senders == {json.dumps({"Fn::GetAtt": [rule.logical_id, "Arn"]}) for rule in every}


class TestDeletion:
    def test_goes_from_the_wish_to_the_endpoint_to_the_machine(self, serving: Synthesised) -> None:
        """CloudFormation deletes what depends on something before that."""
        (target,) = [p for p in serving.of_type("AWS::SSM::Parameter") if p.properties["Name"].endswith("/serving")]
        (removal,) = serving.of_type("Custom::EndpointRemoval")
        rules = {rule.logical_id for rule in rules_of(serving)}
        assert rules <= set(as_list(target.body["DependsOn"]))
        for rule in rules_of(serving):
            assert removal.logical_id in as_list(rule.body["DependsOn"])
        needed = set(as_list(removal.body["DependsOn"]))
        assert serving.one("Serve", "AWS::StepFunctions::StateMachine").logical_id in needed
        for name in ("bring_endpoint", "report_serving"):
            function = serving.functions()[name]
            assert {function.logical_id, function.properties["Role"]["Fn::GetAtt"][0]} <= needed

    def test_is_answered_for_where_the_machine_cannot_answer_and_till_the_endpoint_is_gone(
        self, serving: Synthesised
    ) -> None:
        stopped = serving.one("RemovalStops", "AWS::Events::Rule")
        machine = serving.one("Serve", "AWS::StepFunctions::StateMachine")
        detail = stopped.properties["EventPattern"]["detail"]
        assert detail["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
        assert as_text(detail["stateMachineArn"][0]).endswith(f":{machine.properties['StateMachineName']}")
        report = serving.functions()["report_serving"].logical_id
        assert [target["Arn"] for target in stopped.properties["Targets"]] == [{"Fn::GetAtt": [report, "Arn"]}]
        permission = serving.one("RemovalStops", "AWS::Lambda::Permission")
        assert permission.properties["SourceArn"] == {"Fn::GetAtt": [stopped.logical_id, "Arn"]}
        (removal,) = serving.of_type("Custom::EndpointRemoval")
        assert {stopped.logical_id, permission.logical_id} <= set(as_list(removal.body["DependsOn"]))

    def test_has_the_hour_that_cloudformation_gives(self, serving: Synthesised) -> None:
        (removal,) = serving.of_type("Custom::EndpointRemoval")
        assert int(removal.properties["ServiceTimeout"]) == 3600


class TestParameters:
    def test_without_any_nothing_is_billed(self, serving: Synthesised) -> None:
        defaults = {name: found.get("Default") for name, found in serving.template["Parameters"].items()}
        (parameter,) = [p for p in serving.of_type("AWS::SSM::Parameter") if p.properties["Name"].endswith("/serving")]
        text = as_text(parameter.properties["Value"])
        for name, value in defaults.items():
            text = text.replace(f"<{name}>", str(value))
        target = EndpointTarget.model_validate_json(text)
        assert (target.inference_units, target.most_units, target.smoke_test_key) == (0, 0, "")
        assert (target.hours_start, target.hours_end) == ("", "")

    def test_both_hours_or_none(self, serving: Synthesised) -> None:
        (assertion,) = serving.template["Rules"]["HoursComeInPairs"]["Assertions"]

        def holds(start: str, end: str) -> bool:
            return bool(intrinsic(assertion["Assert"], {"ServingHoursStart": start, "ServingHoursEnd": end}))

        time = "cron(0 7 ? * MON-FRI *)"
        assert holds(NONE, NONE)
        assert holds(time, time)
        assert not holds(time, NONE)
        assert not holds(NONE, time)

    def test_the_pattern_of_hours_lets_through_what_the_function_understands(self, serving: Synthesised) -> None:
        pattern = serving.template["Parameters"]["ServingHoursStart"]["AllowedPattern"]
        times = ["cron(0 7 ? * MON-FRI *)", "cron(30 18 ? * SAT,SUN *)", "cron(5 5 ? * * *)"]
        for time in times:
            assert WeeklyTime.of(time)
            assert matches(pattern, time)
        assert matches(pattern, NONE)
        for other in ("", "cron(0 7 * * ? *)", "rate(1 day)", "cron(0 7 ? * MONDAY *)"):
            assert not matches(pattern, other)
        assert NONE == NONE_OF_PARAMETERS


def test_alarms_call_people_through_the_flywheels_topic(serving: Synthesised) -> None:
    alarms = {a.logical_id.removeprefix("Alarms")[:-8]: a.properties for a in serving.of_type("AWS::CloudWatch::Alarm")}
    assert set(alarms) >= {"ServingBehind", "SmokeTestFailed", "ServingFailed", "ServingTimedOut", "UndeliveredEvents"}
    for alarm in alarms.values():
        assert [spoken(action) for action in alarm["AlarmActions"]] == ["topic"]


def test_only_with_a_key_the_endpoint_has_a_role_and_it_may_use_nothing_but_the_key(
    default: Synthesised, new_key: Synthesised
) -> None:
    def roles(stack: Synthesised) -> list[Any]:
        return [
            role
            for role in stack.beside("serving").of_type("AWS::IAM::Role")
            if "comprehend.amazonaws.com" in json.dumps(role.properties["AssumeRolePolicyDocument"])
        ]

    assert roles(default) == []
    (role,) = roles(new_key)
    assert grants(inline_statements(role)) == {
        "kms:CreateGrant": {"key"},
        "kms:Decrypt": {"key"},
        "kms:GenerateDataKey": {"key"},
    }
    function = new_key.beside("serving").functions()["bring_endpoint"]
    given = function.properties["Environment"]["Variables"]["ENDPOINT_ROLE_ARN"]
    assert given == {"Fn::GetAtt": [role.logical_id, "Arn"]}
    passing = [
        statement
        for statement in inline_statements(new_key.beside("serving").role_of(function.properties["Role"]))
        if statement["Action"] == "iam:PassRole"
    ]
    assert [statement["Resource"] for statement in passing] == [given]
    assert passing[0]["Condition"] == {"StringEquals": {"iam:PassedToService": "comprehend.amazonaws.com"}}


def rules_of(serving: Synthesised) -> list[Any]:
    return [rule for rule in serving.of_type("AWS::Events::Rule") if rule.logical_id.startswith("Triggers")]


def matches(pattern: str, value: str) -> bool:
    return re.search(pattern, value) is not None


def intrinsic(value: Any, parameters: dict[str, str]) -> Any:
    """The value of a condition."""
    match value:
        case {"Fn::Or": parts}:
            return any(intrinsic(part, parameters) for part in parts)
        case {"Fn::And": parts}:
            return all(intrinsic(part, parameters) for part in parts)
        case {"Fn::Not": [part]}:
            return not intrinsic(part, parameters)
        case {"Fn::Equals": [left, right]}:
            return intrinsic(left, parameters) == intrinsic(right, parameters)
        case {"Ref": name}:
            return parameters[name]
        case _:
            return value
