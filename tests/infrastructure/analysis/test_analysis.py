"""The Analysis stack: its machine, what starts it, who may do what, and what it publishes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from cfnlint.api import lint_file
from cfnlint.config import ManualArgs

from flywheel.analysis.errors import Superseded
from flywheel.records.analyses import INPUT, WORK, AnalysisOutcome
from tests.infrastructure.state_machines import check, scopes, tasks
from tests.infrastructure.synthesised import DEPLOYMENT, Synthesised, as_list, as_text, inline_statements, statements
from tests.infrastructure.test_functions import grants, spoken
from tests.infrastructure.turn.test_triggers import mapping_of, queue, rule

CALLS = {
    "BeginAnalysis": "begin_analysis",
    "SplitAnalysis": "split_analysis",
    "PlanAnalysis": "plan_analysis",
    "ClassifyPart": "classify_part",
    "CollectPart": "collect_part",
    "JoinAnalysis": "join_analysis",
    "ReportAnalysis": "report_analysis",
    "ReportFailure": "report_analysis",
}
RULES = {"TriggersFiles": "job queue", "TriggersSchedule": "job queue"}


@pytest.fixture(scope="session")
def stack(default: Synthesised) -> Synthesised:
    return default.beside("analysis")


@pytest.fixture(scope="session")
def any_stack(any_variant: Synthesised) -> Synthesised:
    return any_variant.beside("analysis")


@pytest.fixture(scope="session")
def definition(stack: Synthesised) -> dict[str, Any]:
    return stack.definition("Analyze")


def test_cfn_lint_finds_nothing(any_stack: Synthesised) -> None:
    assert lint_file(any_stack.template_path, config=ManualArgs(regions=["us-east-1"])) == []


def test_nothing_is_exported_or_imported(any_stack: Synthesised) -> None:
    assert "Fn::ImportValue" not in json.dumps(any_stack.template)
    assert not any("Export" in output for output in any_stack.template["Outputs"].values())


def test_each_wildcard_has_a_reason_at_its_own_resource(any_stack: Synthesised) -> None:
    metadata = json.loads((any_stack.folder / f"{any_stack.stack}.metadata.json").read_text())
    acknowledged = {
        re.sub(r".*\[Resource::(.*)\]$", r"\1", finding)
        for entries in metadata.values()
        for entry in entries
        if entry["type"] == "aws:cdk:acknowledged-rules"
        for finding in entry["data"]
        if "IAM5" in finding
    }
    granted = [statement for role in any_stack.of_type("AWS::IAM::Role") for statement in inline_statements(role)]
    used = {as_text(resource) for statement in granted for resource in as_list(statement["Resource"])}
    assert acknowledged == {resource for resource in used if "*" in resource}


class TestMachine:
    def test_every_state_is_reached_ends_and_speaks_jsonata(self, definition: dict[str, Any]) -> None:
        check(definition)

    def test_calls_these_functions(self, definition: dict[str, Any], stack: Synthesised) -> None:
        functions = {function.logical_id: name for name, function in stack.functions().items()}
        called = {
            name: functions[re.sub(r"<(\w+)\.Arn>", r"\1", state["Arguments"]["FunctionName"])]
            for name, state in tasks(definition)
            if "FunctionName" in state["Arguments"]
        }
        assert called == CALLS

    def test_the_order_of_the_steps(self, definition: dict[str, Any]) -> None:
        states, order = definition["States"], [definition["StartAt"]]
        while "Next" in states[order[-1]]:
            order.append(states[order[-1]]["Next"])
        assert order == [
            "Job",
            "BeginAnalysis",
            "SplitUnits",
            "PlanAnalysis",
            "ClassifyParts",
            "JoinAnalysis",
            "ReportAnalysis",
            "AnalysisSucceeded",
        ]

    def test_no_failure_goes_unreported(self, definition: dict[str, Any]) -> None:
        states = definition["States"]
        for name, state in states.items():
            if state["Type"] in {"Task", "Map"} and name != "ReportFailure":
                assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
                assert state["Catch"][-1]["Next"] == "ReportFailure", name
        assert states["ReportFailure"]["Next"] == "AnalysisFailed"
        assert states["AnalysisFailed"]["Type"] == "Fail"
        payload = states["ReportFailure"]["Arguments"]["Payload"]
        assert payload["outcome"] == AnalysisOutcome.FAILED.value
        assert set(payload) == {"job", "run", "outcome", "error", "cause"}

    def test_a_run_that_newer_files_replace_is_no_failure(self, definition: dict[str, Any]) -> None:
        first = definition["States"]["JoinAnalysis"]["Catch"][0]
        assert first["ErrorEquals"] == [Superseded.__name__]
        assert definition["States"][first["Next"]]["Type"] == "Succeed"

    @pytest.mark.parametrize("name", ["SplitUnits", "ClassifyParts"])
    def test_the_pieces_are_done_by_distributed_maps(self, definition: dict[str, Any], name: str) -> None:
        state = definition["States"][name]
        assert state["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
        assert state["ItemReader"]["ReaderConfig"] == {"InputType": "JSON"}
        assert state["ToleratedFailurePercentage"] == 100, "the step after it says what is missing"
        # The results of a million parts would be too large for the state.
        assert state["Output"] == {}
        for _, found in scopes(state["ItemProcessor"]):
            for last in [found for found in found.values() if found.get("End")]:
                assert last["Output"] == {}

    def test_a_part_waits_a_day_for_its_turn(self, definition: dict[str, Any]) -> None:
        part = definition["States"]["ClassifyParts"]["ItemProcessor"]["States"]["ClassifyPart"]
        (busy,) = [retry for retry in part["Retry"] if retry["ErrorEquals"] == ["ServiceBusy"]]
        assert busy["MaxAttempts"] * busy["MaxDelaySeconds"] >= 24 * 3600

    def test_parts_leave_comprehend_room_for_hold_outs(self, definition: dict[str, Any]) -> None:
        assert 0 < definition["States"]["ClassifyParts"]["MaxConcurrency"] < 10

    def test_units_leave_the_account_room_for_other_functions(self, definition: dict[str, Any]) -> None:
        assert definition["States"]["SplitUnits"]["MaxConcurrency"] == "<MapConcurrency>"

    def test_its_role_may_do_this_and_no_more(self, stack: Synthesised) -> None:
        machine = stack.one("Analyze", "AWS::StepFunctions::StateMachine")
        name = f"news-analysis-analyze-{DEPLOYMENT}"
        assert as_text(machine.properties["StateMachineName"]) == name
        states = "arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>"
        found = grants(inline_statements(stack.role_of(machine.properties["RoleArn"])))
        functions = {f"<{stack.functions()[called].logical_id}.Arn>" for called in CALLS.values()}
        assert found.pop("lambda:InvokeFunction") == functions
        assert {
            action: found.pop(action) for action in list(found) if action.startswith(("states:", "s3:", "comp"))
        } == {
            "comprehend:DescribeDocumentClassificationJob": {"jobs"},
            "s3:GetObject": {f"{WORK}*"},
            "states:StartExecution": {f"{states}:stateMachine:{name}"},
            "states:DescribeExecution": {f"{states}:execution:{name}:*"},
            "states:StopExecution": {f"{states}:execution:{name}:*"},
            "states:RedriveExecution": {f"{states}:execution:{name}/*"},
        }
        assert {action.partition(":")[0] for action in found} == {"logs", "xray"}


class TestWhatStartsIt:
    def test_files_below_the_input_do(self, stack: Synthesised) -> None:
        pattern = rule(stack, "TriggersFiles").properties["EventPattern"]
        assert pattern == {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": [{"Ref": "IntakeBucket"}]}, "object": {"key": [{"prefix": INPUT}]}},
        }

    def test_a_lost_event_is_found_within_the_hour(self, stack: Synthesised) -> None:
        properties = rule(stack, "TriggersSchedule").properties
        assert properties["ScheduleExpression"] == "rate(1 hour)"
        assert json.loads(properties["Targets"][0]["Input"]) == {"poke": "schedule"}

    def test_the_function_works_the_queue_off(self, stack: Synthesised) -> None:
        jobs = queue(stack, "QueuesJobs")
        mapping = mapping_of(stack, "start_analysis").properties
        assert spoken(mapping["EventSourceArn"]) == "job queue"
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        timeout = stack.functions()["start_analysis"].properties["Timeout"]
        assert jobs.properties["VisibilityTimeout"] >= 6 * timeout
        assert jobs.properties["RedrivePolicy"]["deadLetterTargetArn"] == {
            "Fn::GetAtt": [queue(stack, "QueuesJobDeadLetters").logical_id, "Arn"]
        }

    def test_an_execution_that_is_stopped_is_reported(self, stack: Synthesised) -> None:
        stopped = rule(stack, "TriggersAnalysisStopped")
        report = stack.functions()["report_analysis"]
        assert as_text(stopped.properties["Targets"][0]["Arn"]) == f"<{report.logical_id}.Arn>"
        assert stopped.properties["EventPattern"]["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
        (permission,) = stack.of_type("AWS::Lambda::Permission")
        assert permission.properties["SourceArn"] == {"Fn::GetAtt": [stopped.logical_id, "Arn"]}

    @pytest.mark.parametrize(
        ("name", "rules"),
        [
            ("QueuesJobs", {"TriggersFiles", "TriggersSchedule"}),
            ("QueuesUndelivered", {"TriggersFiles", "TriggersSchedule", "TriggersAnalysisStopped"}),
            ("QueuesJobDeadLetters", set()),
        ],
    )
    def test_only_these_rules_send_to_a_queue(self, stack: Synthesised, name: str, rules: set[str]) -> None:
        found = queue(stack, name)
        (policy,) = [
            policy
            for policy in stack.of_type("AWS::SQS::QueuePolicy")
            if policy.properties["Queues"] == [{"Ref": found.logical_id}]
        ]
        deny, *allow = statements(policy.properties["PolicyDocument"])
        assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        senders = {
            as_text(source)
            for statement in allow
            for source in as_list(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
        }
        assert senders == {f"<{rule(stack, sender).logical_id}.Arn>" for sender in rules}

    def test_what_does_not_arrive_is_kept(self, stack: Synthesised) -> None:
        for found in stack.of_type("AWS::Events::Rule"):
            (target,) = found.properties["Targets"]
            assert spoken(target["DeadLetterConfig"]["Arn"]) == "undelivered"


def test_alarms_call_people_through_the_topic(stack: Synthesised) -> None:
    alarms = stack.of_type("AWS::CloudWatch::Alarm")
    watched = {(found.properties["Namespace"], found.properties["MetricName"]) for found in alarms}
    assert watched == {
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("AWS/States", "ExecutionsFailed"),
        ("AWS/States", "ExecutionsTimedOut"),
        ("AWS/States", "ExecutionsAborted"),
        ("AWS/Lambda", "Errors"),
    }
    for found in alarms:
        assert found.properties["AlarmActions"] == [{"Ref": "TopicArn"}]
    queues = {
        as_text(found.properties["Dimensions"][0]["Value"])
        for found in alarms
        if found.properties["Namespace"] == "AWS/SQS"
    }
    assert queues == {
        f"<{queue(stack, name).logical_id}.QueueName>" for name in ("QueuesJobDeadLetters", "QueuesUndelivered")
    }


class TestDataAccessRole:
    def test_comprehend_sees_what_the_functions_made_and_no_raw_input(self, stack: Synthesised) -> None:
        role = stack.one("DataAccess", "AWS::IAM::Role")
        assert grants(inline_statements(role)) == {
            "s3:ListBucket": {"intake"},
            "s3:GetObject": {f"{WORK}*"},
            "s3:PutObject": {f"{WORK}*"},
        }

    def test_with_a_key_it_may_use_it(self, new_key: Synthesised) -> None:
        found = grants(inline_statements(new_key.beside("analysis").one("DataAccess", "AWS::IAM::Role")))
        assert {action for action in found if action.startswith("kms:")} == {
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:GenerateDataKey",
        }

    def test_in_a_network_of_ones_own_it_may_make_interfaces(self, organisation: Synthesised) -> None:
        found = grants(inline_statements(organisation.beside("analysis").one("DataAccess", "AWS::IAM::Role")))
        assert "ec2:CreateNetworkInterface" in found

    def test_only_one_function_passes_it_and_only_to_comprehend(self, stack: Synthesised) -> None:
        passing = [
            (role.logical_id, statement)
            for role in stack.of_type("AWS::IAM::Role")
            for statement in inline_statements(role)
            if "iam:PassRole" in as_list(statement["Action"])
        ]
        ((holder, statement),) = passing
        assert holder == stack.role_of(stack.functions()["classify_part"].properties["Role"]).logical_id
        assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "comprehend.amazonaws.com"}}


PARAMETERS: dict[str, dict[str, Any]] = {
    "QuietPeriodMinutes": {"Default": "5"},
    "LowConfidence": {"Default": "0.7"},
    "ReviewPerAnalysis": {"Default": "1000"},
    "AuditPercent": {"Default": "1"},
    "DocumentsPerPart": {"Default": "1000000"},
    "MegabytesPerPart": {"Default": "1000"},
    "PollSeconds": {"Default": "60"},
    "MapConcurrency": {"Default": "4"},
    "LogRetentionDays": {"Default": "90"},
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_have_these_defaults(stack: Synthesised, name: str) -> None:
    found = stack.template["Parameters"][name]
    assert found.items() >= PARAMETERS[name].items()


def test_parameters_are_these(stack: Synthesised) -> None:
    read = {"IntakeBucket", "TopicArn", "BootstrapVersion"}
    assert set(stack.template["Parameters"]) - read == set(PARAMETERS)


def test_what_the_command_line_finds_it_by(stack: Synthesised) -> None:
    (published,) = stack.of_type("AWS::SSM::Parameter")
    assert published.properties["Name"] == "/comprehend-flywheel/news/analysis"
    value = json.loads(as_text(published.properties["Value"]))
    assert value["machine_arn"] == f"<{stack.one('Analyze', 'AWS::StepFunctions::StateMachine').logical_id}>"
    assert set(value["parameters"]) == set(PARAMETERS)


def test_what_a_job_makes_on_the_way_expires_and_nothing_else_of_it(default: Synthesised) -> None:
    rules = default.one("BucketsIntake", "AWS::S3::Bucket").properties["LifecycleConfiguration"]["Rules"]
    expiring = {found.get("Prefix"): found["ExpirationInDays"] for found in rules if "ExpirationInDays" in found}
    assert {prefix: days for prefix, days in expiring.items() if prefix.startswith("analysis/")} == {WORK: 30}
