"""EventBridge and Scheduler: a target is reached only if its policy, or the role of the rule, allows it.

MiniStack delivers to any target. It also leaves the version out of S3's events and Scheduler's keywords unreplaced,
and takes what its background threads send for plain HTTP, which queues and topics that ask for TLS refuse.
"""

from __future__ import annotations

import contextvars
import datetime
import json
import logging
import uuid
from typing import Any

from local.cloud.emulator import service_roles
from local.cloud.emulator.messages import bus_access, message_keys
from local.cloud.emulator.ministack import eventbridge, iam_evaluator, responses, s3, scheduler, sqs

_logger = logging.getLogger("events")

_ACTIONS = {
    "events": bus_access.PUT_EVENTS,
    "lambda": "lambda:InvokeFunction",
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
    "states": "states:StartExecution",
}

_version: contextvars.ContextVar[str | None] = contextvars.ContextVar("version", default=None)


def teach() -> None:
    iam_evaluator._request_origin = contextvars.ContextVar("origin", default=("127.0.0.1", True))
    _name_versions_in_s3_events()
    # MiniStack looks for due schedules every ten seconds.
    eventbridge._SCHEDULER_TICK_INTERVAL = scheduler._SCHEDULE_TICK_INTERVAL = 1.0
    invoke = eventbridge._invoke_target

    def invoke_allowed(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> Any:
        if event.get("Source") == "aws.scheduler" and target.get("Input"):
            target = {**target, "Input": _replaced_keywords(target["Input"], rule)}
        try:
            _check(target, event, rule)
        except service_roles.AccessDenied as error:
            _logger.warning("Not delivered from %s to %s: %s", rule.get("Arn"), target.get("Arn"), error)
            return _give_up(target, event, rule, error)
        return invoke(target, event, rule, view)

    eventbridge._invoke_target = invoke_allowed


def put_event(source: str, kind: str, detail: dict[str, Any], *, resource: str) -> None:
    """Put an event of a service of AWS on the default bus."""
    entry = {"Source": source, "DetailType": kind, "Detail": json.dumps(detail), "Resources": [resource]}
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def _name_versions_in_s3_events() -> None:
    fire, dispatch = s3._fire_s3_event, eventbridge._dispatch_event

    def fire_with_version(*arguments: Any, version_id: str | None = None, **options: Any) -> Any:
        token = _version.set(version_id)
        try:
            return fire(*arguments, version_id=version_id, **options)
        finally:
            _version.reset(token)

    def dispatch_with_version(event: dict[str, Any], *rest: Any) -> Any:
        version = _version.get()
        if event.get("Source") == "aws.s3" and version:
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event = {**event, "Detail": json.dumps(detail)}
        return dispatch(event, *rest)

    s3._fire_s3_event = fire_with_version
    eventbridge._dispatch_event = dispatch_with_version


def _check(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any]) -> None:
    """Raise AccessDenied unless EventBridge (or Scheduler) may reach the target for this rule."""
    arn = str(target.get("Arn", ""))
    service = arn.split(":")[2] if arn.count(":") >= 5 else ""
    action = _ACTIONS.get(service)
    if action is None:
        return
    principal = "scheduler.amazonaws.com" if event.get("Source") == "aws.scheduler" else "events.amazonaws.com"
    conditions = {"aws:SourceArn": str(rule.get("Arn", "")), "aws:SourceAccount": responses.get_account_id()}
    role = target.get("RoleArn")
    if role:
        if not service_roles.role_trusts(role_arn=role, service=principal, conditions=conditions):
            raise service_roles.AccessDenied(
                f"{principal} is not authorized to perform: sts:AssumeRole on resource: {role}"
            )
        # A bus that is a target may ask for both (EventBridge User Guide, "Using IAM policy conditions").
        keys = {**conditions, **bus_access.keys_of(event), "events:eventBusInvocation": "true"}
        service_roles.check_role(
            role_arn=role,
            session_name="events",
            action=action,
            resource=arn,
            conditions=keys if action == bus_access.PUT_EVENTS else None,
        )
    elif service in ("lambda", "sns", "sqs"):
        service_roles.check_service(service=principal, action=action, resource=arn, conditions=conditions)
        for key_action, key in message_keys.needed_with(action, arn):
            service_roles.check_service(service=principal, action=key_action, resource=key, conditions=conditions)
    elif service == "states":
        raise service_roles.AccessDenied(f"{principal} needs a role to perform: {action} on resource: {arn}")


def _give_up(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], error: Exception) -> None:
    """Put what could not be delivered into the target's dead-letter queue, if that queue lets EventBridge."""
    arn = (target.get("DeadLetterConfig") or {}).get("Arn")
    queue = sqs._queue_by_arn(arn) if arn else None
    if queue is None:
        return
    conditions = {"aws:SourceArn": str(rule.get("Arn", "")), "aws:SourceAccount": responses.get_account_id()}
    try:
        service_roles.check_service(
            service="events.amazonaws.com", action="sqs:SendMessage", resource=str(arn), conditions=conditions
        )
    except service_roles.AccessDenied as refused:
        _logger.warning("Lost for good, the dead-letter queue refuses it: %s", refused)
        return
    view = eventbridge._pattern_event_view(event)
    body = target.get("Input") or json.dumps(view.event_with_detail())
    attributes = {
        "ERROR_CODE": "NO_PERMISSIONS",
        "ERROR_MESSAGE": str(error),
        "RULE_ARN": str(rule.get("Arn", "")),
        "TARGET_ARN": str(target.get("Arn", "")),
    }
    url = next(url for url, candidate in sqs._queues.items() if candidate is queue)
    sqs._act_send_message(
        {
            "MessageBody": body,
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value
            },
        },
        url,
    )


def _replaced_keywords(text: str, schedule: dict[str, Any]) -> str:
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    keywords = {
        "schedule-arn": str(schedule.get("Arn", "")),
        "scheduled-time": now,
        "execution-id": str(uuid.uuid4()),
        "attempt-number": "1",
    }
    for keyword, value in keywords.items():
        text = text.replace(f"<aws.scheduler.{keyword}>", value)
    return text
