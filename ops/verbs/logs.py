"""What a turn or a promotion logged: the functions that its machine calls, and the machine itself, by time."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flywheel.records.promotions import Promotion, PromotionBeginning, begin_key, record_key
from flywheel.store.record import Record
from ops.deployment.errors import OperatorError
from ops.deployment.published import AnyDeployment, Deployment
from ops.verbs.promotions import promotion_name
from ops.verbs.turns import TurnState, TurnView, current_turn, show_turn

_LATE = timedelta(minutes=1)
"""The last lines may be written this long after the turn's end."""
_FUNCTION_ARN = re.compile(r"arn:[a-z-]+:lambda:[^\":]+:\d{12}:function:[\w-]+")
_LOOK_BACK = timedelta(seconds=30)
"""CloudWatch shows lines some seconds after they were written."""


class LogEvent(Record):
    at: datetime
    source: str
    """The function, or the state machine."""
    level: str | None = None
    """Where a line is one of the functions' structured ones."""
    message: str


@dataclass(frozen=True)
class _Source:
    name: str
    group: str
    execution: str = ""
    """Of a state machine's group: only lines of this execution."""


@dataclass(frozen=True)
class _Execution:
    """Of the turn machine, or of the promote machine where models are imported."""

    machine_arn: str
    arn: str
    began: datetime
    ended: Callable[[], datetime | None]
    """Until when it wrote lines, asked now; None while it runs."""


def events_of(
    deployment: AnyDeployment, asked: str | None = None, *, follow: bool = False, poll_seconds: float = 2.0
) -> Iterator[LogEvent]:
    """The lines of a turn (a name or a number; None: the last that began), oldest first. Where models are imported they
    are those of a promotion.

    With `follow` the iterator goes on until it has ended. There is one at a time, so what its functions wrote in that
    time is its own. Raises UnknownTurnError, OperatorError before the first one, and botocore's errors.
    """
    if isinstance(deployment, Deployment):
        execution = _of_turn(deployment, asked)
    else:
        execution = _of_promotion(deployment, promotion_name(deployment, asked))
    sources = _sources(deployment, execution)
    seen: set[str] = set()
    since = execution.began
    while True:
        ended = execution.ended()
        found = {
            identity: event
            for source in sources
            for identity, event in _events(deployment, source, since=since, until=ended)
        }
        fresh = [event for identity, event in found.items() if identity not in seen]
        seen |= found.keys()
        yield from sorted(fresh, key=lambda event: event.at)
        if not follow or ended is not None:
            return
        since = max(since, datetime.now(UTC) - _LOOK_BACK - timedelta(seconds=poll_seconds))
        time.sleep(poll_seconds)


def _of_turn(deployment: Deployment, turn: str | None) -> _Execution:
    if turn is None and current_turn(deployment) == 0:
        raise OperatorError("No turn has begun yet: `flywheel status` shows what happens.")
    view = show_turn(deployment, turn or str(current_turn(deployment)))
    return _Execution(
        machine_arn=deployment.published.turn_machine_arn,
        arn=deployment.turn_execution(view.turn),
        began=_began_at(view),
        ended=lambda: _ended_at(show_turn(deployment, view.turn)),
    )


def _of_promotion(deployment: AnyDeployment, promotion: str) -> _Execution:
    beginning = deployment.intake.read(begin_key(promotion), PromotionBeginning)

    def ended() -> datetime | None:
        record = deployment.intake.read(record_key(promotion), Promotion)
        return record.at + _LATE if record else None

    return _Execution(
        machine_arn=deployment.published.promotion_machine_arn,
        arn=deployment.promotion_execution(promotion),
        began=(beginning.began_at if beginning else datetime.now(UTC)) - _LATE,
        ended=ended,
    )


def _began_at(view: TurnView) -> datetime:
    began = view.record.began_at or view.record.ended_at if view.record else None
    if began is None and view.progress is not None:
        began = view.progress.began_at
    # The machine begins a moment before the turn's first step notes when.
    return (began or datetime.now(UTC)) - _LATE


def _ended_at(view: TurnView) -> datetime | None:
    if view.record is not None:
        return view.record.ended_at + _LATE
    ended_without = view.progress is not None and view.progress.state is TurnState.ENDED
    return datetime.now(UTC) if ended_without else None


def _sources(deployment: AnyDeployment, execution: _Execution) -> list[_Source]:
    stepfunctions, functions = deployment.clients.stepfunctions, deployment.clients.functions
    machine = stepfunctions.describe_state_machine(stateMachineArn=execution.machine_arn)
    sources = []
    for arn in sorted(set(_FUNCTION_ARN.findall(machine["definition"]))):
        configuration = functions.get_function_configuration(FunctionName=arn)
        group = configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{configuration['FunctionName']}"
        sources.append(_Source(name=group.rpartition("/")[2], group=group))
    for destination in machine.get("loggingConfiguration", {}).get("destinations", []):
        group = destination["cloudWatchLogsLogGroup"]["logGroupArn"].partition(":log-group:")[2].removesuffix(":*")
        sources.append(_Source(name=machine["name"], group=group, execution=execution.arn))
    return sources


def _events(
    deployment: AnyDeployment, source: _Source, *, since: datetime, until: datetime | None
) -> Iterator[tuple[str, LogEvent]]:
    wanted: dict[str, Any] = {"logGroupName": source.group, "startTime": _milliseconds(since)}
    if until is not None:
        wanted["endTime"] = _milliseconds(until)
    if source.execution:
        wanted["filterPattern"] = f'{{ $.execution_arn = "{source.execution}" }}'
    for page in deployment.clients.logs.get_paginator("filter_log_events").paginate(**wanted):
        for event in page["events"]:
            if source.execution and f'"{source.execution}"' not in event["message"]:
                continue
            stream, event_id = event.get("logStreamName"), event.get("eventId")
            identity = f"{source.group} {stream} {event_id} {event['timestamp']} {event['message']}"
            yield identity, _read(source.name, event)


def _read(source: str, event: Any) -> LogEvent:
    """Powertools' lines are JSON with a message and what belongs to it; Lambda's own are text."""
    at = datetime.fromtimestamp(event["timestamp"] / 1000, tz=UTC)
    text = event["message"].rstrip()
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        return LogEvent(at=at, source=source, message=text)
    if "execution_arn" in content and "type" in content:
        state = (content.get("details") or {}).get("name")
        return LogEvent(at=at, source=source, message=" ".join(filter(None, (content["type"], state))))
    rest = {name: value for name, value in content.items() if name not in _USUAL}
    words = str(content.get("message", "")) + (f" {json.dumps(rest, default=str)}" if rest else "")
    return LogEvent(at=at, source=source, level=content.get("level"), message=words.strip() or text)


_USUAL = {
    *("level", "location", "message", "timestamp", "service", "cold_start", "function_name", "function_memory_size"),
    *("function_arn", "function_request_id", "xray_trace_id", "correlation_id"),
}
"""Of every line, and the same in all of them."""


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
