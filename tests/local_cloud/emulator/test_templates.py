"""Templates that MiniStack would refuse or read otherwise than AWS."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest

from local.cloud import CloudAccount
from local.cloud.emulator.cloudformation import stack_polling
from local.cloud.emulator.ministack import cloudformation
from tests.local_cloud.resources import (
    allow,
    create_function,
    create_machine,
    create_queue,
    create_role,
    create_stack,
    ended,
    failure_of,
    invoke,
    messages,
    stack_status,
    until,
)


def test_parameter_without_a_name_is_called_without_a_slash(account: CloudAccount) -> None:
    resource = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "v"}}
    stack = create_stack(account, {"Parameter": resource}, Name={"Ref": "Parameter"})
    assert stack["Name"].startswith("CFN-")
    assert account.client("ssm").get_parameter(Name=stack["Name"])["Parameter"]["Value"] == "v"


def test_metric_math_and_composite_alarms_and_saved_queries_deploy(account: CloudAccount) -> None:
    metric = {"Namespace": "Probe", "MetricName": "m"}
    single = {"MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "Id": "m", "ReturnData": False}
    math = {
        "Metrics": [single, {"Expression": "m * 2", "Id": "e"}],
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 1,
        "EvaluationPeriods": 1,
    }
    create_stack(
        account,
        {
            "Math": {"Type": "AWS::CloudWatch::Alarm", "Properties": math},
            "Composite": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": 'ALARM("x")'}},
            "Query": {
                "Type": "AWS::Logs::QueryDefinition",
                "Properties": {"Name": "q", "QueryString": "fields @message"},
            },
        },
    )


def test_custom_resource_in_python_answers_and_fails_with_its_reason(account: CloudAccount) -> None:
    source = """
        import json, urllib.request
        def handle(event, context):
            status = "FAILED" if event["ResourceProperties"].get("Fail") else "SUCCESS"
            body = {**{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
                    "Status": status, "Reason": "It was asked to.", "PhysicalResourceId": "probe",
                    "Data": {"Answer": "42"}}
            request = urllib.request.Request(event["ResponseURL"], json.dumps(body).encode(), method="PUT",
                                             headers={"Content-Type": ""})
            urllib.request.urlopen(request)
    """
    function = create_function(account, source, role=create_role(account))
    custom = {"Type": "Custom::Probe", "Properties": {"ServiceToken": function}}
    assert create_stack(account, {"Custom": custom}, Answer={"Fn::GetAtt": ["Custom", "Answer"]})["Answer"] == "42"
    failing = {"Type": "Custom::Probe", "Properties": {"ServiceToken": function, "Fail": "yes"}}
    assert "It was asked to." in failure_of(account, {"Custom": failing})


def test_what_a_custom_resource_could_not_create_is_deleted_by_the_id_that_it_gave(account: CloudAccount) -> None:
    url, arn = create_queue(account)
    source = """
        import json, os, urllib.request
        import boto3
        def handle(event, context):
            asked = [event["RequestType"], event.get("PhysicalResourceId")]
            boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(asked))
            body = {**{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
                    "Status": "FAILED" if event["RequestType"] == "Create" else "SUCCESS",
                    "Reason": "Half of it is there.", "PhysicalResourceId": "half"}
            request = urllib.request.Request(event["ResponseURL"], json.dumps(body).encode(), method="PUT",
                                             headers={"Content-Type": ""})
            urllib.request.urlopen(request)
    """
    role = create_role(account, allow("sqs:SendMessage", on=arn))
    function = create_function(account, source, role=role, Environment={"Variables": {"QUEUE": url}})
    custom = {"Type": "Custom::Probe", "Properties": {"ServiceToken": function}}
    assert "Half of it is there." in failure_of(account, {"Custom": custom})
    assert sorted(messages(account, url)) == [["Create", None], ["Delete", "half"]]


def test_custom_resource_is_answered_later_by_a_machine_that_its_function_started(account: CloudAccount) -> None:
    answers = create_function(
        account,
        """
        import json, os, urllib.request
        def handle(event, context):
            body = {**{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
                    "Status": os.environ.get(event["RequestType"], "SUCCESS"),
                    "Reason": "The machine says so.", "PhysicalResourceId": "probe"}
            request = urllib.request.Request(event["ResponseURL"], json.dumps(body).encode(), method="PUT",
                                             headers={"Content-Type": ""})
            urllib.request.urlopen(request)
        """,
    )
    states = {
        # Longer than its function lives, at the scale of the tests.
        "Wait": {"Type": "Wait", "Seconds": 300, "Next": "Answer"},
        "Answer": invoke(answers, "{% $states.input %}", End=True),
    }
    machine = create_machine(account, states, permissions=[allow("lambda:InvokeFunction", on=answers)])
    starts = create_function(
        account,
        """
        import json, os
        import boto3
        def handle(event, context):
            boto3.client("stepfunctions").start_execution(
                stateMachineArn=os.environ["MACHINE"], name=event["RequestType"] + event["RequestId"],
                input=json.dumps(event))
        """,
        role=create_role(account, allow("states:StartExecution", on=machine)),
        Environment={"Variables": {"MACHINE": machine}},
    )

    def resources(**properties: str) -> dict[str, Any]:
        return {"Custom": {"Type": "Custom::Probe", "Properties": {"ServiceToken": starts, **properties}}}

    cloudformation, stepfunctions = account.client("cloudformation"), account.client("stepfunctions")
    stack = create_stack(account, resources())["StackName"]
    cloudformation.update_stack(StackName=stack, TemplateBody=json.dumps({"Resources": resources(Value="2")}))
    until(lambda: stack_status(account, stack) == "UPDATE_COMPLETE")
    for answer, status in (("FAILED", "DELETE_FAILED"), ("SUCCESS", "DELETE_COMPLETE")):
        account.client("lambda").update_function_configuration(
            FunctionName=answers, Environment={"Variables": {"Delete": answer}}
        )
        cloudformation.delete_stack(StackName=stack)
        until(lambda: not stack_status(account, stack).endswith("IN_PROGRESS"))
        assert stack_status(account, stack) == status
    executions = stepfunctions.list_executions(stateMachineArn=machine)["executions"]
    asked = [json.loads(ended(account, each["executionArn"])["input"]) for each in reversed(executions)]
    assert [each["RequestType"] for each in asked] == ["Create", "Update", "Delete", "Delete"]
    assert [each.get("PhysicalResourceId") for each in asked] == [None, *["probe"] * 3]


def test_a_stack_reads_a_parameter_that_an_earlier_stack_made(account: CloudAccount) -> None:
    name = f"/stacks/{uuid.uuid4().hex[:8]}"
    cloudformation, ssm = account.client("cloudformation"), account.client("ssm")

    def first(value: str) -> dict[str, Any]:
        properties = {"Name": name, "Type": "String", "Value": value}
        return {"Parameter": {"Type": "AWS::SSM::Parameter", "Properties": properties}}

    copied = f"{name}-copied"
    properties = {"Name": copied, "Type": "String", "Value": {"Ref": "Given"}}
    later = json.dumps(
        {
            "Parameters": {"Given": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": name}},
            "Resources": {"Copy": {"Type": "AWS::SSM::Parameter", "Properties": properties}},
        }
    )
    with pytest.raises(cloudformation.exceptions.ClientError, match=name):
        cloudformation.create_stack(StackName=f"stack-{uuid.uuid4().hex[:12]}", TemplateBody=later)
    earlier = create_stack(account, first("1"))["StackName"]
    stack = f"stack-{uuid.uuid4().hex[:12]}"
    cloudformation.create_stack(StackName=stack, TemplateBody=later)
    until(lambda: stack_status(account, stack) == "CREATE_COMPLETE")
    assert ssm.get_parameter(Name=copied)["Parameter"]["Value"] == "1"
    cloudformation.update_stack(StackName=earlier, TemplateBody=json.dumps({"Resources": first("2")}))
    until(lambda: stack_status(account, earlier) == "UPDATE_COMPLETE")
    # The same template is not "no change" then: AWS reads the parameter at each update.
    given = [{"ParameterKey": "Given", "UsePreviousValue": True}]
    cloudformation.update_stack(StackName=stack, TemplateBody=later, Parameters=given)
    until(lambda: stack_status(account, stack) == "UPDATE_COMPLETE")
    assert ssm.get_parameter(Name=copied)["Parameter"]["Value"] == "2"


ARN = "arn%3Aaws%3Acloudformation%3Aus-east-1%3A111122223333%3Astack%2F{name}%2F00000000"


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("Action=DescribeStacks&StackName={name}", "CREATE_COMPLETE"),
        (f"StackName={ARN}&Action=DescribeStacks", "CREATE_COMPLETE"),
        ("Action=DescribeStacks", "CREATE_IN_PROGRESS"),
        ("Action=DescribeStackEvents&StackName={name}", "CREATE_IN_PROGRESS"),
    ],
)
def test_who_asks_for_a_stack_that_is_changing_hears_of_its_end(asked: str, answered: str) -> None:
    name, stacks = f"stack-{uuid.uuid4().hex}", cloudformation._stacks

    async def status(*_: object) -> str:
        return str(stacks[name]["StackStatus"])

    async def asking() -> str:
        stacks[name] = {"StackStatus": "CREATE_IN_PROGRESS"}
        body = asked.format(name=name).encode()
        answer = asyncio.ensure_future(stack_polling.answering_late(status)("POST", "/", {}, body, {}))
        await asyncio.sleep(0)
        stacks[name]["StackStatus"] = "CREATE_COMPLETE"
        return str(await answer)

    assert asyncio.run(asking()) == answered
