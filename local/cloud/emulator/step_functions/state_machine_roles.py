"""A state machine may do what its role may do: MiniStack calls other services without asking IAM.

Every call a machine makes is checked against its role's policies, permissions boundary, and the policy of what is
called. A refusal has the error name that AWS gives it, so `Retry` and `Catch` see the same.
"""

from __future__ import annotations

import json
import re
from typing import Any

from local.cloud.emulator import service_roles
from local.cloud.emulator.auto_scaling import permissions
from local.cloud.emulator.comprehend.comprehend_service import resource_of, used_by
from local.cloud.emulator.messages import bus_access, message_keys
from local.cloud.emulator.ministack import iam_actions, responses, stepfunctions
from local.cloud.emulator.step_functions import attempts, nested_executions

_PATTERN_SUFFIX = re.compile(r"\.(waitForTaskToken|sync(:2)?)$")
# Where the name of a service in an SDK integration is not its prefix in IAM.
_NAMESPACES = {"sfn": "states", "cloudwatchlogs": "logs", "eventbridge": "events"}
# Where the operation of S3 is not the action in IAM.
_S3_ACTIONS = {
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "CopyObject": "PutObject",
    "DeleteObjects": "DeleteObject",
}


def teach() -> None:
    invoke = stepfunctions._invoke_resource

    def invoke_as_role(resource: str, arguments: Any) -> Any:
        authorise(resource, arguments)
        return invoke(resource, arguments)

    stepfunctions._invoke_resource = invoke_as_role


def authorise(resource: str, arguments: Any) -> None:
    """Raise the state's error unless the running machine's role may make this call."""
    role = attempts.current_role()
    if role is None:
        return
    given = arguments if isinstance(arguments, dict) else {}
    service_calls = _of_auto_scaling(resource, given) or _of_event_buses(resource, given)
    calls = [] if service_calls else _needed(_PATTERN_SUFFIX.sub("", resource), given)
    calls += nested_executions.needed_to_wait(
        resource=resource,
        machine=str(given.get("StateMachineArn")),
        region=responses.get_region(),
        account=responses.get_account_id(),
    )
    checks = [*((action, target, {}) for action, target in calls), *service_calls]
    checks += [
        (*with_key, message_keys.through(call[0])) for call in calls for with_key in message_keys.needed_with(*call)
    ]
    for action, target, conditions in checks:
        try:
            service_roles.check_role(
                role_arn=role,
                session_name=service_roles.STATE_MACHINES_SESSION,
                action=action,
                resource=target,
                conditions=conditions,
            )
        except service_roles.AccessDenied as error:
            raise stepfunctions._ExecutionError(_error_name(resource), str(error)) from error


def _of_auto_scaling(resource: str, given: dict[str, Any]) -> list[permissions.Check]:
    """What a call of Application Auto Scaling needs, empty for any other call."""
    if ":::aws-sdk:applicationautoscaling:" not in resource:
        return []
    operation = resource.rpartition(":")[2]
    return permissions.needed(operation=operation[0].upper() + operation[1:], request=given)


def _of_event_buses(resource: str, given: dict[str, Any]) -> list[bus_access.Check]:
    """What PutEvents needs, in the optimised integration and in that of the SDK; empty for any other call."""
    if not _PATTERN_SUFFIX.sub("", resource).endswith((":events:putEvents", ":eventbridge:putEvents")):
        return []
    return bus_access.needed_to_put(given.get("Entries") or [{}])


def _needed(resource: str, given: dict[str, Any]) -> list[tuple[str, str]]:
    """The actions, each with the resource, that a task needs to be allowed."""
    account, region = responses.get_account_id(), responses.get_region()
    if ":::lambda:invoke" in resource or ":function:" in resource:
        function = str(given.get("FunctionName", "")) if ":::lambda:invoke" in resource else resource
        if not function.startswith("arn:"):
            function = f"arn:aws:lambda:{region}:{account}:function:{function}"
        return [("lambda:InvokeFunction", function)]
    if ":::sqs:sendMessage" in resource:
        queue = str(given.get("QueueUrl", "")).rsplit("/", 1)[-1]
        return [("sqs:SendMessage", f"arn:aws:sqs:{region}:{account}:{queue}")]
    if ":::sns:publish" in resource:
        return [("sns:Publish", given.get("TopicArn") or given.get("TargetArn") or "*")]
    if ":::states:startExecution" in resource:
        return [("states:StartExecution", str(given.get("StateMachineArn")))]
    if ":::aws-sdk:" in resource:
        return _needed_by_sdk(resource, given, region, account)
    return []


def _needed_by_sdk(resource: str, given: dict[str, Any], region: str, account: str) -> list[tuple[str, str]]:
    service, operation = resource.split(":")[-2:]
    operation = operation[0].upper() + operation[1:]
    namespace = _NAMESPACES.get(service.lower(), service.lower())
    if namespace == "comprehend":
        about = resource_of(operation=operation, request=given, region=region, account=account)
        used = used_by(operation=operation, request=given)
        return [(f"comprehend:{operation}", target) for target in (about, *used)]
    if namespace == "s3":
        target = f"arn:aws:s3:::{given.get('Bucket', '')}" + (f"/{given['Key']}" if given.get("Key") else "")
        needed = [(f"s3:{_S3_ACTIONS.get(operation, operation)}", target)]
        if operation == "CopyObject":
            source = str(given.get("CopySource", "")).lstrip("/").partition("?")[0]
            needed.append(("s3:GetObject", f"arn:aws:s3:::{source}"))
        return needed
    if namespace == "lambda":
        return (
            _needed("arn:aws:states:::lambda:invoke", given)
            if operation == "Invoke"
            else [(f"lambda:{operation}", "*")]
        )
    body = json.dumps({**given, **_lower_first(given)}).encode()
    target = iam_actions.extract_resource_arn(namespace, "POST", "/", {}, body, {}, region, account)
    return [(f"{namespace}:{operation}", target)]


def _lower_first(given: dict[str, Any]) -> dict[str, Any]:
    """Step Functions takes every member with a capital; some services' own requests have none."""
    return {name[0].lower() + name[1:]: value for name, value in given.items()}


def _error_name(resource: str) -> str:
    """The error name of a refusal, such as `Comprehend.ComprehendException`: no SDK models a name of its own for it."""
    parts = _PATTERN_SUFFIX.sub("", resource).split(":")
    service = parts[6].lower() if len(parts) > 6 and parts[5] == "aws-sdk" else parts[5] if len(parts) > 5 else ""
    if service == "lambda" or ":function:" in resource:
        return "Lambda.AWSLambdaException"
    if service == "states":
        return "StepFunctions.AWSStepFunctionsException"
    prefix = {"events": "EventBridge"}.get(service) or stepfunctions._AWS_SDK_ERROR_PREFIX.get(
        service, service.capitalize()
    )
    return f"{prefix}.{prefix}Exception"
