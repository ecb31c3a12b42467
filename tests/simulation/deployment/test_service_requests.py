from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tests.simulation.api import ACCOUNT, IMPORTER, REGION, ApiError, Caller
from tests.simulation.deployment import service_requests
from tests.simulation.deployment.apps import acting_as, app, function, intake, machine, roles
from tests.simulation.deployment.roles import Roles
from tests.simulation.deployment.stack import Machine
from tests.simulation.deployment.synthesis import IMPORTING

HERE = f"arn:aws:comprehend:{REGION}:{ACCOUNT}"
FLYWHEEL = app()["news-flywheel"].flywheels[0].arn
INVOKE = "arn:aws:states:::lambda:invoke"
SYNC = "arn:aws:states:::states:startExecution.sync:2"
SDK = "arn:aws:states:::aws-sdk"


def role_of(found: Machine) -> Caller:
    return Caller(account=ACCOUNT, role=found.role)


@pytest.mark.parametrize(
    ("prefix", "resource", "arguments", "wrong"),
    [
        ("Turn", INVOKE, {"FunctionName": function("begin_turn").arn}, {"FunctionName": function("check_model").arn}),
        (
            "Promote",
            f"{INVOKE}.waitForTaskToken",
            {"FunctionName": function("ask_for_approval").arn},
            {"FunctionName": function("begin_turn").arn},
        ),
        ("Promote", SYNC, {"StateMachineArn": machine("Serve").arn}, {"StateMachineArn": machine("Turn").arn}),
        (
            "Turn",
            f"{SDK}:comprehend:describeDataset",
            {"DatasetArn": f"{FLYWHEEL}/dataset/d"},
            {"DatasetArn": f"{HERE}:flywheel/other/dataset/d"},
        ),
        (
            "Serve",
            f"{SDK}:comprehend:describeEndpoint",
            {"EndpointArn": f"{HERE}:document-classifier-endpoint/news"},
            {"EndpointArn": f"{HERE}:document-classifier-endpoint/other"},
        ),
        (
            "Promote",
            f"{SDK}:ssm:getParameter",
            {"Name": "/comprehend-flywheel/news/serving"},
            {"Name": "/comprehend-flywheel/news/other"},
        ),
        (
            "Promote",
            "arn:aws:states:::events:putEvents",
            {"Entries": [{"Source": "comprehend.flywheel", "DetailType": "Model Promoted", "Detail": "{}"}]},
            {"Entries": [{"Source": "comprehend.flywheel", "DetailType": "Model Shared", "Detail": "{}"}]},
        ),
        (
            "Turn",
            "arn:aws:states:::s3:getObject",
            {"Bucket": intake(), "Key": "turns/1/uploads.json"},
            {"Bucket": intake(), "Key": "train/a.csv"},
        ),
    ],
)
def test_a_task_is_held_to_the_role_of_its_machine(
    prefix: str, resource: str, arguments: dict[str, Any], wrong: dict[str, Any]
) -> None:
    at, caller = roles(), role_of(machine(prefix))
    service_requests.require_task(at, caller, resource, arguments)
    assert at.used
    with pytest.raises(ApiError):
        service_requests.require_task(at, caller, resource, wrong)


def test_a_task_that_waits_for_an_execution_may_stop_it_and_be_told_of_its_end() -> None:
    at = roles()
    service_requests.require_task(at, role_of(machine("Promote")), SYNC, {"StateMachineArn": machine("Serve").arn})
    actions = {text.split()[1] for text in at.used}
    assert actions == {
        "states:StartExecution",
        "states:DescribeExecution",
        "states:StopExecution",
        "events:PutTargets",
        "events:PutRule",
        "events:DescribeRule",
    }


def test_a_distributed_map_starts_executions_of_its_own_machine() -> None:
    at, turn = roles(), machine("Turn")
    service_requests.require_distributed_map(at, role_of(turn), turn, label="Uploads", redriven=True)
    assert {text.split()[1] for text in at.used} == {
        "states:StartExecution",
        "states:DescribeExecution",
        "states:StopExecution",
        "states:RedriveExecution",
    }
    with pytest.raises(ApiError):
        service_requests.require_distributed_map(at, role_of(turn), machine("Promote"), label="Uploads")


def test_step_functions_takes_on_the_role_of_a_machine_and_lambda_that_of_a_function() -> None:
    at = roles()
    for stack in app().values():
        for each in stack.machines:
            assert service_requests.machine_role(at, each, account=ACCOUNT).role == each.role
        for found in stack.functions:
            assert service_requests.function_role(at, found, account=ACCOUNT).role == found.role
    assert any("logs:PutLogEvents" in text for text in at.used)
    with pytest.raises(ApiError, match=r"lambda\.amazonaws\.com is not authorized to perform: sts:AssumeRole"):
        at.require_trust(machine("Turn").role, service_requests.LAMBDA, account=ACCOUNT)


def test_comprehend_takes_on_the_data_access_role_for_what_is_in_the_account() -> None:
    at = roles()
    role = app()["news-flywheel"].flywheels[0].properties["DataAccessRoleArn"].rpartition("/")[2]
    caller = at.require_trust(role, service_requests.COMPREHEND, account=ACCOUNT, source=FLYWHEEL)
    lake = next(each.name for each in app()["news-flywheel"].buckets if "lake" in each.name)
    at.require(caller, "s3", "PutObject", {"Bucket": lake, "Key": "flywheels/a"})
    with pytest.raises(ApiError):
        at.require_trust(role, service_requests.COMPREHEND, account=ACCOUNT, source=FLYWHEEL.replace(ACCOUNT, IMPORTER))


@pytest.mark.parametrize("kind", ["classifier", "recognizer", IMPORTING])
def test_every_rule_reaches_its_targets_and_their_dead_letter_queues(kind: str) -> None:
    at = Roles(app(kind).values())
    account = IMPORTER if kind == IMPORTING else ACCOUNT
    for stack in app(kind).values():
        for rule in stack.rules:
            for target in rule.targets:
                service_requests.require_target(at, rule, target, account=account)
                service_requests.require_target_dead_letter(at, rule, target, account=account)


def test_a_rule_reaches_no_other_target() -> None:
    at = roles()
    first, other = (
        next(each for each in app()["news-flywheel"].rules if each.logical_id.startswith(prefix))
        for prefix in ("TriggersUploads", "SharingSchedule")
    )
    for rule, target in ((first, other.targets[0]), (other, first.targets[0])):
        with pytest.raises(ApiError, match=r"events\.amazonaws\.com is not authorized"):
            service_requests.require_target(at, rule, target, account=ACCOUNT)
    wish = next(each for each in app()["news-serving"].rules if each.logical_id.startswith("TriggersWish"))
    (target,) = wish.targets
    elsewhere = dataclasses.replace(target, arn=machine("Turn").arn)
    with pytest.raises(ApiError, match="states:StartExecution"):
        service_requests.require_target(at, wish, elsewhere, account=ACCOUNT)


@pytest.mark.parametrize("kind", ["classifier", IMPORTING])
def test_lambda_takes_messages_in_the_name_of_the_function_that_gets_them(kind: str) -> None:
    at = roles()
    account = IMPORTER if kind == IMPORTING else ACCOUNT
    found = [each for stack in app(kind).values() for each in stack.event_source_mappings]
    functions = {each.name: each for stack in app(kind).values() for each in stack.functions}
    for mapping in found:
        caller = Caller(account=account, role=functions[mapping.function].role)
        service_requests.require_polling(at, caller, mapping)
    assert found
    with pytest.raises(ApiError, match="sqs:ReceiveMessage"):
        service_requests.require_polling(at, acting_as("begin_turn"), found[0])


def test_a_function_sends_what_it_could_not_handle_to_its_queue() -> None:
    at = roles()
    service_requests.require_dead_letter(at, acting_as("report_turn"), function("report_turn"))
    assert any("sqs:SendMessage" in text for text in at.used)
    with pytest.raises(ApiError, match="sqs:SendMessage"):
        service_requests.require_dead_letter(at, acting_as("begin_turn"), function("report_turn"))
    service_requests.require_dead_letter(at, acting_as("begin_turn"), function("begin_turn"))


def test_who_may_call_the_api_reaches_the_function_behind_it() -> None:
    at = roles()
    stack = app()["news-serving"]
    policies = [each for each in stack.managed_policies if each.logical_id.startswith("ApiCallers")]
    caller = at.add_person("ann", account=ACCOUNT, policies=policies)
    api = service_requests.require_api
    assert api(at, caller, stack, method="POST", path="/classify") == function("classify_api").arn
    assert api(at, caller, stack, method="GET", path="/model") == function("classify_api").arn
    with pytest.raises(ApiError, match="execute-api:Invoke"):
        api(at, caller, stack, method="POST", path="/feedback")
    assert api(at, Caller(account=ACCOUNT), stack, method="POST", path="/feedback") == function("take_feedback").arn


def test_an_alarm_may_tell_its_topic() -> None:
    at = roles()
    stack = app()["news-flywheel"]
    alarm = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:a"
    topic = stack.topics[0].arn
    at.require_service("cloudwatch.amazonaws.com", "sns:Publish", topic, source=alarm, account=ACCOUNT)
    with pytest.raises(ApiError):
        at.require_service("cloudwatch.amazonaws.com", "sns:Publish", topic, source=alarm, account=IMPORTER)
    with pytest.raises(ApiError):
        at.require_service("events.amazonaws.com", "sns:Publish", topic, source=alarm, account=ACCOUNT)
