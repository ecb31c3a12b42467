"""The definition of the turn machine: its paths, its waits, its failures, and its role against what its states do."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from flywheel.faults.fault_names import LAMBDA_FAULTS, of_sdk_integration
from stacks.settings import LONGEST_NAME
from tests.infrastructure.state_machines import States, check, evaluate, expressions, scopes, successors, tasks
from tests.infrastructure.synthesised import DEPLOYMENT, Synthesised, as_list, as_text, inline_statements
from tests.infrastructure.test_functions import grants

LONGEST_MACHINE_NAME = 80
EVENTS_A_ROUND = 9
"""Entering and leaving Wait, Choice and Task, and the task's scheduling, start and success."""
MOST_EVENTS = 25_000


@pytest.fixture(scope="session")
def definition(default: Synthesised) -> dict[str, Any]:
    return default.definition()


@pytest.fixture(scope="session")
def states(definition: dict[str, Any]) -> States:
    """Those of the turn itself, without those of its maps."""
    found: States = definition["States"]
    return found


def choose(state: dict[str, Any], **variables: Any) -> str:
    """The state that a Choice goes to."""
    for rule in state["Choices"]:
        if evaluate(rule["Condition"], **variables) is True:
            return str(rule["Next"])
    return str(state["Default"])


def patience(rule: dict[str, Any]) -> float:
    """Seconds from the first try to the last of a Retry, at the longest."""
    delays = (rule["IntervalSeconds"] * rule["BackoffRate"] ** attempt for attempt in range(rule["MaxAttempts"]))
    return float(sum(min(delay, rule["MaxDelaySeconds"]) for delay in delays))


class TestEveryState:
    def test_is_reached_ends_and_speaks_jsonata(self, definition: dict[str, Any]) -> None:
        check(definition)

    def test_has_a_name_that_step_functions_takes(self, definition: dict[str, Any]) -> None:
        for _, found in scopes(definition):
            assert all(re.fullmatch(r"[A-Za-z]{1,80}", name) for name in found)


class TestFailures:
    def test_every_task_is_retried_within_bounds(self, definition: dict[str, Any]) -> None:
        for name, state in tasks(definition):
            assert state["Retry"], name
            for rule in state["Retry"]:
                assert 1 <= rule["MaxAttempts"] <= 12, name
                assert rule["BackoffRate"] > 1, name
                assert "States.ALL" not in rule["ErrorEquals"], name

    def test_a_throttle_is_retried_under_each_of_its_names(self, definition: dict[str, Any]) -> None:
        polls = [state for _, state in tasks(definition) if "comprehend" in state["Resource"]]
        assert len(polls) == 3
        for state in polls:
            errors = {error for rule in state["Retry"] for error in rule["ErrorEquals"]}
            assert errors >= set(of_sdk_integration("Comprehend"))
            assert errors >= {
                "Comprehend.TooManyRequestsException",
                "Comprehend.ThrottlingException",
                "Comprehend.ComprehendException",
                "Comprehend.InternalServerException",
            }

    def test_what_was_created_a_moment_ago_may_take_minutes_to_show(self, definition: dict[str, Any]) -> None:
        polls = [state for _, state in tasks(definition) if "comprehend" in state["Resource"]]
        for state in polls:
            (late,) = [rule for rule in state["Retry"] if "Comprehend.JobNotFoundException" in rule["ErrorEquals"]]
            assert "Comprehend.ResourceNotFoundException" in late["ErrorEquals"]
            assert 300 <= patience(late) <= 600, "then it is an error"

    def test_a_killed_function_and_a_busy_service_are_retried(self, definition: dict[str, Any]) -> None:
        for name, state in tasks(definition):
            if "lambda" not in state["Resource"]:
                continue
            errors = {error for rule in state["Retry"] for error in rule["ErrorEquals"]}
            assert errors >= {"Runtime.ExitError", "Sandbox.Timedout", "ServiceFault"}, name
            assert errors >= {f"Lambda.{fault}" for fault in LAMBDA_FAULTS}, name
            (full,) = [rule for rule in state["Retry"] if "Lambda.TooManyRequestsException" in rule["ErrorEquals"]]
            assert patience(full) >= 3600, "until others of the account's few executions have ended"
            for busy in [rule for rule in state["Retry"] if rule["ErrorEquals"] == ["ServiceBusy"]]:
                assert (busy["IntervalSeconds"], busy["BackoffRate"], busy["MaxAttempts"]) == (60, 1.5, 12), name

    def test_every_failure_of_the_turn_is_reported(self, states: States) -> None:
        for name, state in states.items():
            if state["Type"] in {"Task", "Map"} and name != "ReportFailure":
                (catch,) = state["Catch"]
                assert (catch["ErrorEquals"], catch["Next"]) == (["States.ALL"], "ReportFailure"), name

    def test_every_failure_within_a_map_ends_its_item(self, definition: dict[str, Any]) -> None:
        for _, found in list(scopes(definition))[1:]:
            for name, state in found.items():
                if state["Type"] == "Task":
                    (catch,) = state["Catch"]
                    assert catch["ErrorEquals"] == ["States.ALL"], name
                    assert found[catch["Next"]]["Type"] == "Fail", name

    def test_the_turn_fails_with_the_error_that_was_reported(self, states: States) -> None:
        report = states["ReportFailure"]
        assert report["Arguments"]["Payload"] == {
            "turn": "{% $states.context.Execution.Name %}",
            "outcome": "FAILED",
            "error": "{% $states.input.Error %}",
            "cause": "{% $states.input.Cause %}",
        }
        assert report["Next"] == report["Catch"][0]["Next"] == "TurnFailed"
        assert report["Output"] == report["Catch"][0]["Output"] == "{% $states.input %}"
        assert states["TurnFailed"] == {
            "Type": "Fail",
            "Error": "{% $states.input.Error %}",
            "Cause": "{% $states.input.Cause %}",
        }

    def test_an_error_without_a_cause_is_no_error_of_its_own(self, states: States) -> None:
        output = states["BeginTurn"]["Catch"][0]["Output"]
        assert evaluate(output["Cause"], states={"errorOutput": {"Error": "States.Timeout"}}) == ""
        assert evaluate(output["Cause"], states={"errorOutput": {"Error": "E", "Cause": "why"}}) == "why"

    @pytest.mark.parametrize(
        ("poll", "member", "error"),
        [
            ("AwaitDataset", "DatasetProperties", "DatasetFailed"),
            ("AwaitIteration", "FlywheelIterationProperties", "IterationFailed"),
        ],
    )
    def test_the_services_message_becomes_the_cause(
        self, definition: dict[str, Any], poll: str, member: str, error: str
    ) -> None:
        found = next(found for _, found in scopes(definition) if f"{poll}Ask" in found)
        answer = {"result": {member: {"Status": "FAILED", "Message": "Too few documents."}}}
        message = evaluate(found[f"{poll}Ask"]["Output"]["Message"], states=answer)
        failed = found[f"{poll}Failed"]
        assert failed["Output"]["Error"] == error
        assert evaluate(failed["Output"]["Cause"], states={"input": {"Message": message}}) == "Too few documents."


class TestWaits:
    @pytest.fixture(params=["AwaitDataset", "AwaitIteration", "AwaitPrediction"])
    def poll(self, request: pytest.FixtureRequest, definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """A poll's states by what they do."""
        found = next(found for _, found in scopes(definition) if f"{request.param}Ask" in found)
        return {
            name.removeprefix(request.param): state for name, state in found.items() if name.startswith(request.param)
        }

    def test_every_wait_is_part_of_a_poll(self, definition: dict[str, Any]) -> None:
        waits = {name for _, found in scopes(definition) for name, s in found.items() if s["Type"] == "Wait"}
        assert waits == {"AwaitDatasetPause", "AwaitIterationPause", "AwaitPredictionPause"}

    def test_a_wait_ends_before_the_history_is_full(
        self, poll: dict[str, dict[str, Any]], definition: dict[str, Any]
    ) -> None:
        (variable,) = poll["Begin"]["Assign"]
        waited: float = poll["Begin"]["Assign"][variable]
        rounds = 0
        while True:
            rounds += 1
            bindings: dict[str, Any] = {variable: waited, "states": {"input": {"Status": "TRAINING"}}}
            if choose(poll["Look"], **bindings).endswith("TimedOut"):
                break
            pause = evaluate(poll["Pause"]["Seconds"], **bindings)
            assert pause >= 30
            assert evaluate(poll["Pause"]["Assign"][variable], **bindings) == waited + pause
            waited += pause
        assert rounds * EVENTS_A_ROUND < MOST_EVENTS / 3
        assert waited < definition["TimeoutSeconds"]

    def test_the_longest_turn_ends_by_itself(self, definition: dict[str, Any]) -> None:
        budgets = [int(match) for match in re.findall(r"Seconds >= (\d+)", " ".join(expressions(definition)))]
        assert len(budgets) == 3
        assert sum(budgets) < definition["TimeoutSeconds"]

    @pytest.mark.parametrize(
        ("name", "status", "goes_to"),
        [
            ("AwaitDataset", "CREATING", "Pause"),
            ("AwaitDataset", "COMPLETED", "Done"),
            ("AwaitDataset", "FAILED", "Failed"),
            ("AwaitIteration", "TRAINING", "Pause"),
            ("AwaitIteration", "EVALUATING", "Pause"),
            ("AwaitIteration", "STOP_REQUESTED", "Pause"),
            ("AwaitIteration", "A_STATUS_OF_LATER", "Pause"),
            ("AwaitIteration", "COMPLETED", "Done"),
            ("AwaitIteration", "FAILED", "Failed"),
            ("AwaitIteration", "STOPPED", "Failed"),
            ("AwaitPrediction", "SUBMITTED", "Pause"),
            ("AwaitPrediction", "IN_PROGRESS", "Pause"),
            ("AwaitPrediction", "COMPLETED", "Done"),
            # One model that cannot be asked is a reason to keep the other: the decision finds out which it is.
            ("AwaitPrediction", "FAILED", "Done"),
            ("AwaitPrediction", "STOPPED", "Done"),
        ],
    )
    def test_what_a_status_means(self, definition: dict[str, Any], name: str, status: str, goes_to: str) -> None:
        found = next(found for _, found in scopes(definition) if f"{name}Look" in found)
        bindings = {f"{name[0].lower()}{name[1:]}Seconds": 0, "states": {"input": {"Status": status}}}
        assert choose(found[f"{name}Look"], **bindings) == f"{name}{goes_to}"

    def test_a_timed_out_wait_says_what_it_waited_for(self, poll: dict[str, dict[str, Any]]) -> None:
        output = poll["TimedOut"]["Output"]
        assert output["Error"] == "WaitTimedOut"
        assert "TRAINING" in evaluate(output["Cause"], states={"input": {"Status": "TRAINING"}})

    def test_no_function_is_waited_for_without_end(self, definition: dict[str, Any]) -> None:
        for name, state in tasks(definition):
            if "lambda" in state["Resource"]:
                assert 60 < state["TimeoutSeconds"] <= 1000, name


class TestPaths:
    def test_an_unfinished_iteration_comes_before_anything_new(self, states: States) -> None:
        assert states["BeginTurn"]["Next"] == "UnfinishedIteration"
        assert choose(states["UnfinishedIteration"], iterationId="20260101T000000Z") == "AwaitIterationBegin"
        assert choose(states["UnfinishedIteration"], iterationId=None) == "TestUploadsWaiting"

    def test_test_data_are_prepared_before_training_data(self, states: States) -> None:
        assert choose(states["TestUploadsWaiting"], testBatches={"count": 1}) == "PrepareTestUploads"
        assert choose(states["TestUploadsWaiting"], testBatches={"count": 0}) == "TrainUploadsWaiting"
        assert states["PrepareTestUploads"]["Next"] == "TrainUploadsWaiting"
        assert choose(states["TrainUploadsWaiting"], trainBatches={"count": 2}) == "PrepareTrainUploads"
        assert choose(states["TrainUploadsWaiting"], trainBatches={"count": 0}) == "ComposeDatasets"
        assert states["PrepareTrainUploads"]["Next"] == "ComposeDatasets"

    def test_datasets_are_registered_then_an_iteration_runs(self, states: States) -> None:
        assert states["ComposeDatasets"]["Next"] == "RegisterDatasets"
        assert states["RegisterDatasets"]["Next"] == "RunIteration"
        assert states["RunIteration"]["Next"] == "IterationStarted"
        assert choose(states["IterationStarted"], iterationId=None) == "ReportTurn"
        assert choose(states["IterationStarted"], iterationId="20260101T000000Z") == "AwaitIterationBegin"

    @pytest.mark.parametrize(
        ("decision", "goes_to"),
        [
            ("promote", "RequestPromotion"),
            ("keep", "DeleteOldModels"),
            ("report", "DeleteOldModels"),
            ("nothing", "DeleteOldModels"),
        ],
    )
    def test_only_a_decision_to_promote_asks_for_a_promotion(self, states: States, decision: str, goes_to: str) -> None:
        assert states["CompareMetrics"]["Next"] == "Promote"
        assert choose(states["Promote"], states={"input": {"decision": decision}}) == goes_to
        assert [name for name, state in states.items() if "RequestPromotion" in successors(state)] == ["Promote"]

    def test_old_models_are_deleted_after_the_candidate_is_asked_for(self, states: States) -> None:
        """Else it could be one of them."""
        assert states["RequestPromotion"]["Next"] == "DeleteOldModels"
        assert {name for name, state in states.items() if "DeleteOldModels" in successors(state)} == {
            "Promote",
            "RequestPromotion",
        }

    @pytest.mark.parametrize(("evidence", "goes_to"), [("HOLDOUT", "PrepareHoldout"), ("ITERATION", "CompareMetrics")])
    def test_models_are_asked_only_where_a_holdout_decides(self, states: States, evidence: str, goes_to: str) -> None:
        assert states["AwaitIterationDone"]["Next"] == "EvidenceIsHoldout"
        choice = json.loads(json.dumps(states["EvidenceIsHoldout"]).replace("<Evidence>", evidence))
        assert choose(choice) == goes_to
        assert states["PrepareHoldout"]["Next"] == "PredictHoldouts"
        assert states["PredictHoldouts"]["Next"] == "CompareMetrics"

    @pytest.mark.parametrize("models", [[], [{"model_arn": "a"}], [{"model_arn": "a"}, {"model_arn": "b"}]])
    def test_each_model_that_has_not_answered_is_asked(self, states: States, models: list[dict[str, str]]) -> None:
        assert evaluate(states["PredictHoldouts"]["Items"], states={"input": {"models": models}}) == models
        found = states["PredictHoldouts"]["ItemProcessor"]["States"]
        payload = found["PredictHoldout"]["Arguments"]["Payload"]
        for model in models:
            assert evaluate(payload["model_arn"], states={"input": model}) == model["model_arn"]
        assert evaluate(payload["iteration_id"], iterationId="20260101T000000Z") == "20260101T000000Z"
        assert choose(found["PredictionStarted"], jobId="0123") == "AwaitPredictionBegin"
        assert choose(found["PredictionStarted"], jobId=None) == "NoPredictionNeeded"
        answer = {"result": {"DocumentClassificationJobProperties": {"JobStatus": "IN_PROGRESS"}}}
        assert evaluate(found["AwaitPredictionAsk"]["Output"]["Status"], states=answer) == "IN_PROGRESS"

    def test_a_turn_that_comes_to_its_end_is_reported(self, states: States) -> None:
        assert states["DeleteOldModels"]["Next"] == "ReportTurn"
        assert states["ReportTurn"]["Arguments"]["Payload"] == {
            "turn": "{% $states.context.Execution.Name %}",
            "outcome": "SUCCEEDED",
        }
        assert states["ReportTurn"]["Next"] == "TurnSucceeded"

    @pytest.mark.parametrize("datasets", [[], [{"name": "a"}], [{"name": "a"}, {"name": "b"}]])
    def test_each_dataset_is_registered(self, states: States, datasets: list[dict[str, str]]) -> None:
        items = evaluate(states["RegisterDatasets"]["Items"], states={"input": {"datasets": datasets}})
        assert items == datasets

    @pytest.mark.parametrize("split", ["test", "train"])
    def test_uploads_are_prepared_each_for_itself(self, states: States, split: str) -> None:
        uploads = states[f"Prepare{split.title()}Uploads"]
        assert uploads["ItemReader"]["ReaderConfig"] == {"InputType": "JSON"}
        assert evaluate(uploads["ItemReader"]["Arguments"]["Key"], **{f"{split}Batches": {"key": "k"}}) == "k"
        # An EXPRESS child ends after five minutes.
        assert uploads["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
        assert uploads["ToleratedFailurePercentage"] == 100
        assert uploads["MaxConcurrency"] == "<MapConcurrency>"
        # The results of thousands of uploads would not fit into the state.
        assert uploads["Output"] == {}
        context = {"Execution": {"Name": "turn-000007"}, "Map": {"Item": {"Value": {"uploads": [{"key": "a"}]}}}}
        item = {
            name: evaluate(value, states={"context": context}) if value.startswith("{%") else value
            for name, value in uploads["ItemSelector"].items()
        }
        assert item == {"turn": "turn-000007", "split": split, "uploads": [{"key": "a"}]}


class TestRole:
    def test_may_do_what_the_states_do_and_no_more(self, default: Synthesised, definition: dict[str, Any]) -> None:
        lambdas = [state for _, state in tasks(definition) if state["Resource"].endswith(":lambda:invoke")]
        others = [state for _, state in tasks(definition) if state not in lambdas]
        calls = {as_text(state["Arguments"]["FunctionName"]) for state in lambdas}
        assert {state["Resource"].split(":aws-sdk:comprehend:")[1] for state in others} == {
            "describeDataset",
            "describeFlywheelIteration",
            "describeDocumentClassificationJob",
        }
        machine = "arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>"
        name = as_text(default.one("Turn", "AWS::StepFunctions::StateMachine").properties["StateMachineName"])
        assert name == f"news-flywheel-turn-{DEPLOYMENT}"
        assert LONGEST_NAME + len("-flywheel-promote-01234567") <= LONGEST_MACHINE_NAME
        role = default.role_of(default.one("Turn", "AWS::StepFunctions::StateMachine").properties["RoleArn"])
        found = grants(inline_statements(role))
        for action in [action for action in found if action.split(":")[0] in {"logs", "xray"}]:
            assert found.pop(action) == {"*"}
        assert found == {
            "lambda:InvokeFunction": calls,
            "comprehend:DescribeDataset": {"flywheel/dataset/*"},
            "comprehend:DescribeFlywheelIteration": {"flywheel"},
            "comprehend:DescribeDocumentClassificationJob": {"jobs"},
            "s3:GetObject": {"turns/*"},
            "states:StartExecution": {f"{machine}:stateMachine:{name}"},
            "states:DescribeExecution": {"turns"},
            "states:StopExecution": {"turns"},
            "states:RedriveExecution": {f"{machine}:execution:{name}/*"},
        }

    def test_the_batches_are_read_from_where_it_may_read(self, default: Synthesised, states: States) -> None:
        intake = default.one("BucketsIntake", "AWS::S3::Bucket").logical_id
        for split in ("Test", "Train"):
            assert states[f"Prepare{split}Uploads"]["ItemReader"]["Arguments"]["Bucket"] == f"<{intake}>"

    def test_is_taken_on_by_this_accounts_machines_only(self, default: Synthesised) -> None:
        role = default.role_of(default.one("Turn", "AWS::StepFunctions::StateMachine").properties["RoleArn"])
        (trust,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "states.amazonaws.com"}
        assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}

    def test_does_not_turn_to_a_new_flywheel_before_it_is_there(self, default: Synthesised) -> None:
        role = default.role_of(default.one("Turn", "AWS::StepFunctions::StateMachine").properties["RoleArn"])
        assert as_list(role.body["DependsOn"]) == [default.one("Flywheel", "AWS::Comprehend::Flywheel").logical_id]

    def test_may_read_batches_that_are_encrypted(self, new_key: Synthesised) -> None:
        role = new_key.role_of(new_key.one("Turn", "AWS::StepFunctions::StateMachine").properties["RoleArn"])
        assert grants(inline_statements(role))["kms:Decrypt"] == {"key"}
        (using,) = [found for found in inline_statements(role) if "kms:Decrypt" in as_list(found["Action"])]
        assert [as_text(via) for via in using["Condition"]["StringEquals"]["kms:ViaService"]] == [
            "s3.<AWS::Region>.<AWS::URLSuffix>"
        ]


def test_everything_is_logged_and_traced(default: Synthesised) -> None:
    properties = default.one("Turn", "AWS::StepFunctions::StateMachine").properties
    assert properties["StateMachineType"] == "STANDARD"
    assert properties["TracingConfiguration"] == {"Enabled": True}
    assert properties["LoggingConfiguration"]["Level"] == "ALL"
    (destination,) = properties["LoggingConfiguration"]["Destinations"]
    group = default.resources[destination["CloudWatchLogsLogGroup"]["LogGroupArn"]["Fn::GetAtt"][0]]
    assert group.properties["LogGroupName"].startswith("/aws/vendedlogs/states/")
    assert group.properties["RetentionInDays"] == {"Ref": "LogRetentionDays"}
