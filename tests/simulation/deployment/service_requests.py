"""What services do for a deployment, and under which role: machines, rules, event source mappings, invocations.

Sources: Step Functions Developer Guide, "IAM policies for integrated services" (of each service, and of distributed
maps); EventBridge User Guide, "Using resource-based policies"; Lambda Developer Guide, "Execution role permissions";
API Gateway Developer Guide, "Control access for invoking an API".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.simulation.api import REGION, Caller
from tests.simulation.deployment.roles import Roles
from tests.simulation.deployment.s3_requests import Check
from tests.simulation.deployment.stack import EventSourceMapping, Function, Machine, Rule, Stack, Target

LAMBDA = "lambda.amazonaws.com"
EVENTS = "events.amazonaws.com"
STATES = "states.amazonaws.com"
COMPREHEND = "comprehend.amazonaws.com"
API = "apigateway.amazonaws.com"
_INTEGRATION = "arn:aws:states:::"
_WAITING_RULE = "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
_LOGGING = (
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
)
_TRACING = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
_SAMPLING = ("xray:GetSamplingRules", "xray:GetSamplingTargets")


def machine_role(roles: Roles, machine: Machine, *, account: str) -> Caller:
    """As Step Functions takes it on for an execution, which it logs and traces. Raises ApiError if it may not."""
    caller = roles.require_trust(machine.role, STATES, account=account, source=machine.arn)
    roles.require_all(caller, _anywhere(*_LOGGING, *_TRACING, *_SAMPLING))
    return caller


def require_task(roles: Roles, caller: Caller, resource: str, arguments: Mapping[str, Any]) -> None:
    """A task of this Resource, or an ItemReader or ResultWriter, with its evaluated Arguments. Raises ApiError."""
    if not resource.startswith(_INTEGRATION):
        roles.require(caller, "lambda", "Invoke", {"FunctionName": resource})
        return
    service, _, action = resource.removeprefix(_INTEGRATION).removeprefix("aws-sdk:").partition(":")
    action, _, pattern = action.partition(".")
    roles.require(caller, service, action[:1].upper() + action[1:], arguments)
    if service == "states" and pattern.startswith("sync"):
        machine = str(arguments["StateMachineArn"])
        roles.require_all(caller, _of_child(machine, name=str(arguments.get("Name", "*")), account=caller.account))


def require_distributed_map(
    roles: Roles, caller: Caller, machine: Machine, *, label: str, execution: str = "*", redriven: bool = False
) -> None:
    """A run of the map with this Label, which starts executions of its own machine."""
    executions = machine.arn.replace(":stateMachine:", ":execution:")
    roles.require(caller, "states", "StartExecution", {"stateMachineArn": machine.arn})
    for operation in ("DescribeExecution", "StopExecution"):
        roles.require_all(caller, [(f"states:{operation}", f"{executions}:{execution}", ())])
    if redriven:
        roles.require_all(caller, [("states:RedriveExecution", f"{executions}/{label}:{execution}", ())])


def function_role(roles: Roles, function: Function, *, account: str) -> Caller:
    """As Lambda takes it on for an invocation, which it logs and traces. Raises ApiError if it may not."""
    caller = roles.require_trust(function.role, LAMBDA, account=account)
    checks = _anywhere(*_TRACING)
    if function.log_group is not None:
        group = f"arn:aws:logs:{REGION}:{account}:log-group:{function.log_group}:log-stream:{function.name}"
        checks += [("logs:CreateLogStream", group, ()), ("logs:PutLogEvents", group, ())]
    roles.require_all(caller, checks)
    return caller


def require_dead_letter(roles: Roles, caller: Caller, function: Function) -> None:
    """An event goes to the queue that the function names for what it could not handle."""
    if function.dead_letters is not None:
        roles.require_all(caller, [("sqs:SendMessage", function.dead_letters, ())])


def require_polling(roles: Roles, caller: Caller, mapping: EventSourceMapping) -> None:
    """Lambda takes messages from a queue in the name of the function that gets them."""
    actions = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    roles.require_all(caller, [(action, mapping.queue, ()) for action in actions])


def require_target(roles: Roles, rule: Rule, target: Target, *, account: str) -> None:
    """An event goes from a rule to a target: with the target's role, else by the policy of what it goes to."""
    if target.role is not None:
        caller = roles.require_trust(target.role, EVENTS, account=account, source=rule.arn)
        if ":stateMachine:" not in target.arn:
            raise NotImplementedError(f"No rule of the project has a role for {target.arn}.")
        roles.require(caller, "states", "StartExecution", {"stateMachineArn": target.arn})
        return
    action = "lambda:InvokeFunction" if ":function:" in target.arn else "sqs:SendMessage"
    roles.require_service(EVENTS, action, target.arn, source=rule.arn, account=account)


def require_target_dead_letter(roles: Roles, rule: Rule, target: Target, *, account: str) -> None:
    """An event that could not be delivered goes to the target's queue."""
    if target.dead_letters is not None:
        roles.require_service(EVENTS, "sqs:SendMessage", target.dead_letters, source=rule.arn, account=account)


def require_api(roles: Roles, caller: Caller, stack: Stack, *, method: str, path: str) -> str:
    """A request to the API of a stack, as POST to /classify: the ARN of the function that answers it.

    Raises ApiError, with IAM's words, unless the caller may send it and the function lets the API call it.
    """
    of_type = {each.type: each for each in stack.resources.values()}
    api, stage = of_type["AWS::ApiGateway::RestApi"].ref, of_type["AWS::ApiGateway::Stage"].ref
    place = f"{stack.region}:{stack.account}"
    arn = f"arn:aws:execute-api:{place}:{api}/{stage}/{method}{path}"
    roles.require_all(caller, [("execute-api:Invoke", arn, ())])
    parts = {each.ref: each.properties.get("PathPart") for each in stack.resources.values()}
    (uri,) = (
        each.properties["Integration"]["Uri"]
        for each in stack.resources.values()
        if each.type == "AWS::ApiGateway::Method"
        and (each.properties["HttpMethod"], f"/{parts[each.properties['ResourceId']]}") == (method, path)
    )
    called = str(uri).partition("/functions/")[2].removesuffix("/invocations")
    roles.require_service(API, "lambda:InvokeFunction", called, source=arn, account=stack.account)
    return called


def _of_child(machine: str, *, name: str, account: str) -> list[Check]:
    """A task that waits for an execution looks at it, stops it when it is stopped, and has a rule told of its end."""
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
    rule = f"arn:aws:events:{REGION}:{account}:{_WAITING_RULE}"
    return [
        ("states:DescribeExecution", execution, ()),
        ("states:StopExecution", execution, ()),
        *((f"events:{action}", rule, ()) for action in ("PutTargets", "PutRule", "DescribeRule")),
    ]


def _anywhere(*actions: str) -> list[Check]:
    return [(action, "*", ()) for action in actions]
