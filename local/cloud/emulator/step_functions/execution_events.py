"""What an execution tells about itself: its history, its log group, the status event on the bus, and its metrics."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any

from local.cloud.emulator.cloudformation.resource_types import adjust
from local.cloud.emulator.cloudwatch import logs
from local.cloud.emulator.messages import events
from local.cloud.emulator.ministack import cloudwatch, stepfunctions

AddEvent = Callable[[dict[str, Any], str, dict[str, Any] | None], Any]

_END_EVENTS = {
    "SUCCEEDED": "ExecutionSucceeded",
    "FAILED": "ExecutionFailed",
    "ABORTED": "ExecutionAborted",
    "TIMED_OUT": "ExecutionTimedOut",
}
_METRICS = {
    "RUNNING": "ExecutionsStarted",
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "ABORTED": "ExecutionsAborted",
    "TIMED_OUT": "ExecutionsTimedOut",
}
_DATA = ("input", "output", "cause", "error")
_PROBLEM = ("Failed", "TimedOut", "Aborted")
# EventBridge's limit leaves this much of an event for one payload.
_STATUS_PAYLOAD_LIMIT = 248 * 1024


def teach() -> None:
    stepfunctions._emit_execution_status_event = emit_status
    adjust("AWS::StepFunctions::StateMachine", before=_with_logging)


def _with_logging(properties: dict[str, Any]) -> dict[str, Any]:
    """CloudFormation writes the logging configuration with capitals, which DescribeStateMachine would give back."""
    if "LoggingConfiguration" not in properties:
        return properties
    return {**properties, "LoggingConfiguration": _lower_camel(properties["LoggingConfiguration"])}


def add(add_event: AddEvent, execution: dict[str, Any], kind: str, details: dict[str, Any] | None) -> Any:
    """Add an event to the history and to the machine's log group. AWS tells that a task started, MiniStack does not."""
    event = add_event(execution, kind, details)
    _log(execution, event)
    if kind == "TaskScheduled":
        _log(execution, add_event(execution, "TaskStarted", {"taskStartedEventDetails": details_of(event)}))
    return event


def log_start(execution: dict[str, Any]) -> None:
    """Write the first event, which MiniStack adds by itself, to the machine's log group."""
    _log(execution, execution["events"][0])


def add_end(add_event: AddEvent, execution: dict[str, Any]) -> None:
    """Add the event that closes the history."""
    kind = _END_EVENTS[execution["status"]]
    if execution["status"] == "SUCCEEDED":
        details = {"output": execution["output"]}
    else:
        details = {name: execution[name] for name in ("error", "cause") if execution.get(name)}
    add_event(execution, kind, {f"{kind[0].lower()}{kind[1:]}EventDetails": details})


def details_of(event: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next((value for name, value in event.items() if name.endswith("EventDetails")), {})
    return dict(found)


def redrive_facts(execution: dict[str, Any]) -> dict[str, Any]:
    """The members about redriving in DescribeExecution."""
    status = execution["status"]
    facts: dict[str, Any] = {"redriveCount": execution.get("redriveCount", 0)}
    if execution.get("redriveDate"):
        facts["redriveDate"] = execution["redriveDate"]
    if status in ("FAILED", "ABORTED", "TIMED_OUT"):
        return {**facts, "redriveStatus": "REDRIVABLE"}
    reason = f"Execution is {status} and cannot be redriven"
    return {**facts, "redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}


def emit_status(execution: dict[str, Any]) -> None:
    """Put "Step Functions Execution Status Change" on the default bus, and count the change in AWS/States."""
    if execution.get("sync"):
        return
    status = execution["status"]
    dimensions = {"StateMachineArn": execution["stateMachineArn"]}
    if status == "RUNNING" and execution.get("redriveCount"):
        cloudwatch.record_metric("AWS/States", "ExecutionsRedriven", 1, "Count", dimensions)
    else:
        cloudwatch.record_metric("AWS/States", _METRICS[status], 1, "Count", dimensions)
    redrive = redrive_facts(execution)
    detail = {
        "executionArn": execution["executionArn"],
        "stateMachineArn": execution["stateMachineArn"],
        "name": execution["name"],
        "status": status,
        "startDate": _epoch_ms(execution.get("startDate")),
        "stopDate": _epoch_ms(execution.get("stopDate")),
        **_payload("input", execution.get("input")),
        **_payload("output", execution.get("output") if status == "SUCCEEDED" else None),
        "stateMachineVersionArn": None,
        "stateMachineAliasArn": None,
        "redriveCount": redrive["redriveCount"],
        "redriveDate": _epoch_ms(execution.get("redriveDate")),
        "redriveStatus": redrive["redriveStatus"],
        "redriveStatusReason": redrive.get("redriveStatusReason"),
        "error": execution.get("error"),
        "cause": execution.get("cause"),
    }
    events.put_event("aws.states", "Step Functions Execution Status Change", detail, resource=execution["executionArn"])


def _payload(name: str, text: str | None) -> dict[str, Any]:
    if text is None:
        return {name: None, f"{name}Details": None}
    included = len(text) <= _STATUS_PAYLOAD_LIMIT
    return {name: text if included else None, f"{name}Details": {"included": included}}


def _epoch_ms(moment: str | None) -> int | None:
    return None if moment is None else int(datetime.datetime.fromisoformat(moment).timestamp() * 1000)


def _log(execution: dict[str, Any], event: dict[str, Any]) -> None:
    """Write the event to the log groups that the machine's logging configuration names."""
    machine_arn = execution["stateMachineArn"].partition("/")[0]
    machine = stepfunctions._state_machines.get(machine_arn) or {}
    configuration = machine.get("loggingConfiguration") or {}
    level = configuration.get("level", "OFF")
    if level == "OFF" or (level in ("ERROR", "FATAL") and not any(part in event["type"] for part in _PROBLEM)):
        return
    details = details_of(event)
    if not configuration.get("includeExecutionData"):
        details = {name: value for name, value in details.items() if name not in _DATA}
    message = {
        "id": str(event["id"]),
        "type": event["type"],
        "details": details,
        "execution_arn": execution["executionArn"],
        "event_timestamp": str(_epoch_ms(event["timestamp"])),
    }
    for destination in configuration.get("destinations") or []:
        arn = destination.get("cloudWatchLogsLogGroup", {}).get("logGroupArn", "")
        logs.write(arn, f"states/{machine['name']}/{execution['name']}", json.dumps(message))


def _lower_camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: _lower_camel(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_lower_camel(item) for item in value]
    return value
