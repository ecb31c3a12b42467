"""The definition of the promote machine: its paths, its ends, the wait for a person, and its role."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flywheel.faults.errors import PromotionRefused
from flywheel.promotions.ask_for_approval import DECLINED
from flywheel.promotions.start_promotion import SUPERSEDED
from flywheel.records.promotions import PromotionStatus
from tests.infrastructure.state_machines import States, check, evaluate, follows
from tests.infrastructure.synthesised import Synthesised, as_list, as_text, inline_statements
from tests.infrastructure.test_functions import grants, spoken

NAME = "{% $states.context.Execution.Name %}"
REPORTS = {
    "ReportRefusal": "REFUSED",
    "ReportDeclined": "DECLINED",
    "ReportSuperseded": "SUPERSEDED",
    "ReportTimeout": "NOT_ANSWERED",
    "ReportPromotion": "{% $status %}",
    "ReportSmokeTest": "SMOKE_TEST_FAILED",
    "ReportFailure": "FAILED",
}
CALLS = {
    "BeginPromotion": "begin_promotion",
    "CheckModel": "check_model",
    "AskForApproval": "ask_for_approval",
    "UpdateActiveModel": "update_active_model",
    "PublishModel": "publish_model",
    "PutBackFormerModel": "update_active_model",
    "ShareModel": "share_model",
    **dict.fromkeys(REPORTS, "report_promotion"),
}
MAY_BE_REFUSED = {"CheckModel", "AskForApproval", "UpdateActiveModel", "PublishModel", "PutBackFormerModel"}
HARMLESS = {"ShareModel": "SharingIsBehind"}
SERVING = {"FindServing": "ServingIsBehind", "ServeModel": "ServingIsBehind", "ServeFormerModel": "FormerModelIsBehind"}
"""What goes wrong there fails no promotion."""


@pytest.fixture(scope="session")
def definition(default: Synthesised) -> dict[str, Any]:
    return default.definition("Promote")


@pytest.fixture(scope="session")
def states(definition: dict[str, Any]) -> States:
    found: States = definition["States"]
    return found


def tasks(states: States) -> States:
    return {name: state for name, state in states.items() if state["Type"] == "Task"}


def caught(state: dict[str, Any], error: str) -> str:
    """Where an error of the state goes: the first rule that names it, or all."""
    return next(str(rule["Next"]) for rule in state["Catch"] if {error, "States.ALL"} & set(rule["ErrorEquals"]))


class TestEveryState:
    def test_is_reached_ends_and_speaks_jsonata(self, definition: dict[str, Any]) -> None:
        check(definition)

    def test_is_known(self, states: States) -> None:
        assert set(tasks(states)) == {*CALLS, *SERVING, "TellTheBus"}

    @pytest.mark.parametrize(("name", "function"), CALLS.items())
    def test_calls_its_function(self, default: Synthesised, states: States, name: str, function: str) -> None:
        called = as_text(states[name]["Arguments"]["FunctionName"])
        assert called == f"<{default.functions()[function].logical_id}.Arn>"
        assert states[name]["Arguments"]["Payload"]["promotion"] == NAME


class TestFailures:
    def test_every_task_is_retried_within_bounds(self, states: States) -> None:
        for name, state in tasks(states).items():
            if "startExecution" in state["Resource"]:
                # Only that it could not be started. Another run may be what a person has just stopped: the schedule
                # starts the next.
                (rule,) = state["Retry"]
                assert all(error.startswith("StepFunctions.") for error in rule["ErrorEquals"])
            assert state["Retry"], name
            for rule in state["Retry"]:
                assert 1 <= rule["MaxAttempts"] <= 12, name
                assert rule["BackoffRate"] > 1, name
                assert not {"States.ALL", "States.Timeout", "PromotionRefused"} & set(rule["ErrorEquals"]), name

    def test_every_failure_is_reported(self, states: States) -> None:
        for name, state in tasks(states).items():
            if name != "ReportFailure":
                assert caught(state, "Anything") == (SERVING | HARMLESS).get(name, "ReportFailure"), name
                assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name

    def test_the_promotion_fails_with_the_error_that_was_reported(self, states: States) -> None:
        report = states["ReportFailure"]
        assert report["Next"] == report["Catch"][0]["Next"] == "PromotionFailed"
        assert report["Output"] == report["Catch"][0]["Output"] == "{% $states.input %}"
        assert states["PromotionFailed"] == {
            "Type": "Fail",
            "Error": "{% $states.input.Error %}",
            "Cause": "{% $states.input.Cause %}",
        }

    def test_a_refusal_is_no_failure(self, states: States) -> None:
        for name in tasks(states):
            refused = "ReportRefusal" if name in MAY_BE_REFUSED else (SERVING | HARMLESS).get(name, "ReportFailure")
            if name != "ReportFailure":
                assert caught(states[name], PromotionRefused.__name__) == refused, name

    @pytest.mark.parametrize(("name", "status"), REPORTS.items())
    def test_each_report_tells_how_it_ended(self, states: States, name: str, status: str) -> None:
        payload = states[name]["Arguments"]["Payload"]
        assert payload["status"] == status
        if not status.startswith("{%"):
            assert PromotionStatus[status]
        if not status.startswith("{%") and name != "ReportSmokeTest":
            assert payload["error"] == "{% $states.input.Error %}"
            assert payload["cause"] == "{% $states.input.Cause %}"
        if name != "ReportFailure":
            assert states[name]["Next"] == "PromotionEnded"

    def test_it_ends_well_or_fails_nothing_else(self, states: States) -> None:
        ends = {name: state["Type"] for name, state in states.items() if state["Type"] in {"Succeed", "Fail"}}
        assert ends == {"PromotionEnded": "Succeed", "PromotionFailed": "Fail"}


class TestApproval:
    def test_waits_for_whoever_has_the_token(self, states: States) -> None:
        ask = states["AskForApproval"]
        assert ask["Resource"].endswith(":lambda:invoke.waitForTaskToken")
        assert ask["Arguments"]["Payload"]["task_token"] == "{% $states.context.Task.Token %}"
        others = [name for name, state in tasks(states).items() if "waitForTaskToken" in state["Resource"]]
        assert others == ["AskForApproval"]

    @pytest.mark.parametrize(("hours", "seconds"), [("72", 259_200), ("0.5", 1800), ("0", 1), ("720", 2_592_000)])
    def test_waits_as_long_as_the_parameter_says(
        self, definition: dict[str, Any], states: States, hours: str, seconds: int
    ) -> None:
        assert "TimeoutSecondsPath" not in states["AskForApproval"]
        assert evaluate(states["AskForApproval"]["TimeoutSeconds"], parameters={"ApprovalHours": hours}) == seconds
        assert seconds < definition["TimeoutSeconds"]

    @pytest.mark.parametrize(
        ("error", "goes_to"),
        [
            (DECLINED, "ReportDeclined"),
            (SUPERSEDED, "ReportSuperseded"),
            ("States.Timeout", "ReportTimeout"),
            ("PromotionRefused", "ReportRefusal"),
            ("NotCurrentPromotion", "ReportFailure"),
        ],
    )
    def test_every_answer_but_yes_has_its_own_end(self, states: States, error: str, goes_to: str) -> None:
        assert caught(states["AskForApproval"], error) == goes_to
        assert states["AskForApproval"]["Next"] == "UpdateActiveModel"

    @pytest.mark.parametrize(
        ("result", "by"), [({"by": "Ada"}, "Ada"), ({}, "somebody"), ("yes", "somebody"), ({"by": 7}, "7")]
    )
    def test_who_approved_is_kept_whatever_the_answer_looks_like(self, states: States, result: Any, by: str) -> None:
        assert evaluate(states["AskForApproval"]["Assign"]["answeredBy"], states={"result": result}) == by

    @pytest.mark.parametrize(
        ("result", "reason"),
        [({"reason": "Good."}, "Good."), ({}, None), ("yes", None), ({"reason": "x" * 5000}, "x" * 1000)],
    )
    def test_why_it_was_approved_is_kept(self, states: States, result: Any, reason: str | None) -> None:
        assert evaluate(states["AskForApproval"]["Assign"]["answerReason"], states={"result": result}) == reason


class TestPaths:
    def test_a_model_is_checked_before_anybody_is_asked(self, states: States) -> None:
        assert states["BeginPromotion"]["Next"] == "RequestFound"
        (rule,) = states["RequestFound"]["Choices"]
        assert rule["Next"] == "PromotionEnded"
        assert evaluate(rule["Condition"], states={"input": {"model_arn": None}}) is True
        assert evaluate(rule["Condition"], states={"input": {"model_arn": "arn"}}) is False
        assert states["RequestFound"]["Default"] == "CheckModel"
        assert states["CheckModel"]["Next"] == "ApprovalWanted"

    def test_a_person_is_asked_only_if_one_has_to_agree(self, states: States) -> None:
        (rule,) = states["ApprovalWanted"]["Choices"]
        assert (rule["Next"], states["ApprovalWanted"]["Default"]) == ("AskForApproval", "UpdateActiveModel")
        assert evaluate(rule["Condition"], approval=True) is True
        assert evaluate(rule["Condition"], approval=False) is False

    def test_what_follows_an_update(self, states: States) -> None:
        assert evaluate(states["BeginPromotion"]["Assign"]["serving"]) == {"reason": None, "behind": False}
        assert follows(states, "UpdateActiveModel") == ["FindServing", "ServingWanted"]
        (wanted,) = states["ServingWanted"]["Choices"]
        assert (wanted["Next"], states["ServingWanted"]["Default"]) == ("ServeModel", "PublishModel")
        assert evaluate(wanted["Condition"], states={"input": {"inference_units": "1"}}) is True
        assert evaluate(wanted["Condition"], states={"input": {"inference_units": "0"}}) is False
        assert follows(states, "ServeModel") == ["ModelServesWell"]
        assert follows(states, "PublishModel") == ["TellTheBus", "ShareModel", "ReportPromotion", "PromotionEnded"]

    @pytest.mark.parametrize("error", ["Ssm.ParameterNotFoundException", "Ssm.ParameterNotFound"])
    def test_without_a_serving_stack_a_model_is_published_at_once(self, states: States, error: str) -> None:
        assert caught(states["FindServing"], error) == "PublishModel"

    def test_a_model_that_failed_its_smoke_test_is_taken_back_and_never_published(self, states: States) -> None:
        (failed,) = states["ModelServesWell"]["Choices"]
        assert (failed["Next"], states["ModelServesWell"]["Default"]) == ("PutBackFormerModel", "PublishModel")
        assert evaluate(failed["Condition"], states={"input": {"smoke_test_failed": True}}) is True
        assert evaluate(failed["Condition"], states={"input": {"smoke_test_failed": False}}) is False
        assert states["PutBackFormerModel"]["Arguments"]["Payload"]["put_back"] is True
        assert follows(states, "PutBackFormerModel") == ["ServeFormerModel", "ReportSmokeTest", "PromotionEnded"]

    def test_a_test_that_failed_in_another_run_takes_the_model_back_as_well(self, states: States) -> None:
        for name in ("CheckModel", "PublishModel"):
            assert caught(states[name], "SmokeTestFailed") == "PutBackFormerModel"
        assert caught(states["PublishModel"], "PromotionRefused") == "ReportRefusal"

    def test_a_promotion_stands_though_serving_is_behind(self, states: States) -> None:
        assert follows(states, "ServingIsBehind")[0] == "PublishModel"
        assert follows(states, "FormerModelIsBehind") == ["ReportSmokeTest", "PromotionEnded"]
        for name in ("ServingIsBehind", "FormerModelIsBehind"):
            assert states[name]["Assign"] == {"serving": {"reason": "{% $states.input.Cause %}", "behind": True}}
        for name in ("ReportPromotion", "ReportSmokeTest"):
            payload = states[name]["Arguments"]["Payload"]
            assert (payload["serving"], payload["serving_behind"]) == ("{% $serving.reason %}", "{% $serving.behind %}")

    def test_a_promotion_stands_though_it_could_not_be_shared(self, states: States) -> None:
        assert evaluate(states["BeginPromotion"]["Assign"]["sharing"]) == {"reason": None, "behind": False}
        shared = {"reason": "{% $states.result.Payload.reason %}", "behind": False}
        assert states["ShareModel"]["Assign"] == {"sharing": shared}
        assert follows(states, "SharingIsBehind") == ["ReportPromotion", "PromotionEnded"]
        assert states["SharingIsBehind"]["Assign"] == {
            "sharing": {"reason": "{% $states.input.Cause %}", "behind": True}
        }
        # Another run keeps it busy for minutes at most.
        (busy,) = [rule for rule in states["ShareModel"]["Retry"] if rule["ErrorEquals"] == ["ServiceBusy"]]
        assert busy["MaxAttempts"] == 3
        for name in ("ReportPromotion", "ReportSmokeTest"):
            payload = states[name]["Arguments"]["Payload"]
            assert (payload["sharing"], payload["sharing_behind"]) == ("{% $sharing.reason %}", "{% $sharing.behind %}")

    def test_the_bus_is_told_what_publish_model_found(self, states: States) -> None:
        (entry,) = states["TellTheBus"]["Arguments"]["Entries"]
        assert (entry["Source"], entry["DetailType"]) == ("comprehend.flywheel", "Model Promoted")
        assert entry["Detail"] == "{% $states.input.event %}"


class TestRole:
    def test_may_do_what_the_states_do_and_no_more(self, default: Synthesised, states: States) -> None:
        role = default.role_of(default.one("Promote", "AWS::StepFunctions::StateMachine").properties["RoleArn"])
        found = grants(inline_statements(role))
        for action in [action for action in found if action.split(":")[0] in {"logs", "xray"}]:
            assert found.pop(action) == {"*"}
        calls = {
            as_text(state["Arguments"]["FunctionName"])
            for state in tasks(states).values()
            if ":lambda:invoke" in state["Resource"]
        }
        place = "<AWS::Region>:<AWS::AccountId>"
        rule = f"arn:<AWS::Partition>:events:{place}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
        executions = {f"arn:<AWS::Partition>:states:{place}:execution:news-serving-serve:*"}
        assert found == {
            "lambda:InvokeFunction": calls,
            "ssm:GetParameter": {"parameter/serving"},
            "states:StartExecution": {"serve machine"},
            "states:DescribeExecution": executions,
            "states:StopExecution": executions,
            "events:PutTargets": {rule},
            "events:PutRule": {rule},
            "events:DescribeRule": {rule},
            "events:PutEvents": {"arn:<AWS::Partition>:events:<AWS::Region>:<AWS::AccountId>:event-bus/default"},
        }

    def test_may_tell_the_bus_of_nothing_else(self, default: Synthesised, states: States) -> None:
        role = default.role_of(default.one("Promote", "AWS::StepFunctions::StateMachine").properties["RoleArn"])
        (telling,) = [s for s in inline_statements(role) if s["Action"] == "events:PutEvents"]
        (entry,) = states["TellTheBus"]["Arguments"]["Entries"]
        assert telling["Condition"] == {
            "StringEquals": {"events:source": entry["Source"], "events:detail-type": entry["DetailType"]}
        }

    def test_is_taken_on_by_this_accounts_machines_only(self, default: Synthesised) -> None:
        role = default.role_of(default.one("Promote", "AWS::StepFunctions::StateMachine").properties["RoleArn"])
        (trust,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "states.amazonaws.com"}
        assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}

    def test_does_not_turn_to_a_new_flywheel_before_it_is_there(self, default: Synthesised) -> None:
        role = default.role_of(default.one("Promote", "AWS::StepFunctions::StateMachine").properties["RoleArn"])
        assert as_list(role.body["DependsOn"]) == [default.one("Flywheel", "AWS::Comprehend::Flywheel").logical_id]


def test_no_other_state_can_change_the_model(default: Synthesised, states: States) -> None:
    function = f"<{default.functions()['update_active_model'].logical_id}.Arn>"
    turn = json.dumps(default.definition())
    assert function not in turn
    calling = {name for name, state in states.items() if function in json.dumps(state)}
    assert calling == {"UpdateActiveModel", "PutBackFormerModel"}
    assert "comprehend" not in " ".join(state["Resource"].lower() for state in tasks(states).values())


def test_everything_is_logged_and_traced(default: Synthesised) -> None:
    properties = default.one("Promote", "AWS::StepFunctions::StateMachine").properties
    assert properties["TracingConfiguration"] == {"Enabled": True}
    assert properties["LoggingConfiguration"]["Level"] == "ALL"
    assert spoken({"Ref": default.one("Promote", "AWS::StepFunctions::StateMachine").logical_id}) == "promote machine"
