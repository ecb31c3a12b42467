"""Roles, functions, queues and machines for tests, made through the API of the emulator as a user would make them."""

from __future__ import annotations

import io
import json
import textwrap
import time
import uuid
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from local.cloud import CloudAccount

T = TypeVar("T")

Aws = Callable[..., Any]
Shell = Callable[[CloudAccount, str], int]
Synthesise = Callable[..., Path]

PATIENCE = 60.0
STACK_PATIENCE = 300.0
"""Of stacks whose own resources wait for something."""


def until(find: Callable[[], T | None], *, patience: float = PATIENCE) -> T:
    """What `find` returns once it is true or filled; fails the test when that takes longer than `patience`."""
    began = time.monotonic()
    while True:
        found = find()
        if found:
            return found
        waited = time.monotonic() - began
        if waited > patience:
            raise AssertionError(f"Nothing came within {patience:.0f} s; the last answer was {found!r}.")
        # What takes long is asked about less often: each question takes processor time from what it waits for.
        time.sleep(max(0.05, min(0.5, waited / 10)))


def allow(*actions: str, on: str | Sequence[str] = "*", when: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An IAM statement."""
    statement: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": on}
    return {**statement, "Condition": when} if when else statement


def create_role(
    account: CloudAccount,
    *statements: Mapping[str, Any],
    trusted: str | Mapping[str, Any] = "lambda.amazonaws.com",
    when: Mapping[str, Any] | None = None,
) -> str:
    """The ARN of a new role with these statements, for a service principal (or any principal element)."""
    iam = account.client("iam")
    name = f"role-{uuid.uuid4().hex[:12]}"
    principal = {"Service": trusted} if isinstance(trusted, str) else trusted
    trust = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "sts:AssumeRole",
        **({"Condition": when} if when else {}),
    }
    created = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document([trust]))
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=_document(statements))
    return str(created["Role"]["Arn"])


def create_function(account: CloudAccount, source: str, *, role: str | None = None, **settings: Any) -> str:
    """The ARN of a new Python function whose module `probe` is `source`, with a `handle` in it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("probe.py", textwrap.dedent(source))
    created = account.client("lambda").create_function(
        FunctionName=f"function-{uuid.uuid4().hex[:12]}",
        Runtime="python3.13",
        Handler="probe.handle",
        Role=role or create_role(account),
        Code={"ZipFile": archive.getvalue()},
        **{"Timeout": 20, **settings},
    )
    return str(created["FunctionArn"])


def create_queue(
    account: CloudAccount, *, lets_in: Sequence[Mapping[str, Any]] = (), **attributes: str
) -> tuple[str, str]:
    """URL and ARN of a new queue; `lets_in` are statements of its policy, whose Resource is filled in."""
    sqs = account.client("sqs")
    url = sqs.create_queue(QueueName=f"queue-{uuid.uuid4().hex[:12]}", Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    if lets_in:
        policy = _document([{**statement, "Resource": arn} for statement in lets_in])
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn


def lets_send(service: str, *, source: str | None = None) -> dict[str, Any]:
    """A queue policy's statement that lets a service principal send, for one source if named."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage"}
    return {**statement, "Condition": {"ArnEquals": {"aws:SourceArn": source}}} if source else statement


def messages(account: CloudAccount, url: str) -> list[Any]:
    """The JSON bodies of what lies in a queue now; taken out of it."""
    sqs = account.client("sqs")
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get(
        "Messages", []
    )
    for message in received:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in received]


def create_bucket(account: CloudAccount, *, versioned: bool = False, events: bool = False) -> str:
    s3 = account.client("s3")
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    if events:
        s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    return name


def create_machine(
    account: CloudAccount,
    states: Mapping[str, Any],
    *,
    role: str | None = None,
    permissions: Sequence[Mapping[str, Any]] = (),
    **machine: Any,
) -> str:
    """The ARN of a new JSONata machine that starts at its first state; `machine`: further members of the definition."""
    definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **machine}
    created = account.client("stepfunctions").create_state_machine(
        name=f"machine-{uuid.uuid4().hex[:12]}",
        definition=json.dumps(definition),
        roleArn=role or create_role(account, *permissions, trusted="states.amazonaws.com"),
    )
    return str(created["stateMachineArn"])


def start(account: CloudAccount, machine: str, value: Any = None, *, name: str | None = None) -> str:
    """The ARN of a started execution."""
    named = {"name": name} if name else {}
    text = json.dumps({} if value is None else value)
    started = account.client("stepfunctions").start_execution(stateMachineArn=machine, input=text, **named)
    return str(started["executionArn"])


def ended(account: CloudAccount, execution: str) -> dict[str, Any]:
    """The description of an execution once it has ended, with its output decoded."""
    stepfunctions = account.client("stepfunctions")

    def find() -> dict[str, Any] | None:
        described: dict[str, Any] = stepfunctions.describe_execution(executionArn=execution)
        return described if described["status"] != "RUNNING" else None

    described = until(find)
    return {**described, "output": json.loads(described["output"]) if described.get("output") else None}


def run(account: CloudAccount, machine: str, value: Any = None) -> dict[str, Any]:
    return ended(account, start(account, machine, value))


def invoke(function: str, payload: Any = None, **state: Any) -> dict[str, Any]:
    """A Task state that invokes a function."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": {} if payload is None else payload},
        "Output": "{% $states.result.Payload %}",
        **state,
    }


def create_stack(account: CloudAccount, resources: Mapping[str, Any], **outputs: Any) -> dict[str, str]:
    """Create a CloudFormation stack and return its outputs and its name as `StackName`."""
    cloudformation = account.client("cloudformation")
    name = f"stack-{uuid.uuid4().hex[:12]}"
    template = {"Resources": resources, "Outputs": {key: {"Value": value} for key, value in outputs.items()}}
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    until(lambda: not stack_status(account, name).endswith("IN_PROGRESS"))
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack.get("StackStatusReason")
    found = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    return {"StackName": name, **found}


def change_parameters(account: CloudAccount, stack: str, parameters: Mapping[str, str]) -> None:
    """Update a stack of which nothing but these parameters changes; the CDK CLI would do the same in seconds more."""
    cloudformation = account.client("cloudformation")
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    known = [each["ParameterKey"] for each in found["Parameters"]]
    assert not parameters.keys() - set(known)
    former = {"UsePreviousValue": True}
    try:
        cloudformation.update_stack(
            StackName=stack,
            UsePreviousTemplate=True,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
            Parameters=[
                {"ParameterKey": key, **({"ParameterValue": parameters[key]} if key in parameters else former)}
                for key in known
            ],
        )
    except cloudformation.exceptions.ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise
    until(lambda: not stack_status(account, stack).endswith("IN_PROGRESS"), patience=STACK_PATIENCE)
    assert stack_status(account, stack) in ("UPDATE_COMPLETE", "CREATE_COMPLETE")


def delete_stack(account: CloudAccount, stack: str) -> None:
    """Delete a stack and wait until it is gone, or has failed to go."""
    account.client("cloudformation").delete_stack(StackName=stack)
    until(lambda: not stack_status(account, stack).endswith("IN_PROGRESS"), patience=STACK_PATIENCE)


def stack_status(account: CloudAccount, name: str) -> str:
    """The status of a stack, `DELETE_COMPLETE` once it is gone."""
    stacks = account.client("cloudformation").describe_stacks()["Stacks"]
    return next((str(stack["StackStatus"]) for stack in stacks if stack["StackName"] == name), "DELETE_COMPLETE")


def failure_of(account: CloudAccount, resources: Mapping[str, Any]) -> str:
    """Create a stack that has to fail, and return the reason of its first failed resource."""
    cloudformation = account.client("cloudformation")
    name = f"stack-{uuid.uuid4().hex[:12]}"
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
    until(lambda: not stack_status(account, name).endswith("IN_PROGRESS"))
    assert stack_status(account, name) == "ROLLBACK_COMPLETE"
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in reversed(events) if event["ResourceStatus"] == "CREATE_FAILED"]
    return str(failed[0]["ResourceStatusReason"])


def _document(statements: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
