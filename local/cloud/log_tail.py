"""Shows the log groups of the local cloud, and the emulator's own log, in the order of time."""

from __future__ import annotations

import datetime
import threading
from typing import Any

from rich.console import Console
from rich.text import Text

from local.cloud.local_cloud import CloudAccount

_POLL = 1.0
_MARGIN_MS = 2000


def follow_logs(account: CloudAccount, *, console: Console, group: str, follow: bool, stop: threading.Event) -> None:
    """Print all events of the log groups whose name contains `group`; with `follow`, new ones until `stop` is set."""
    logs = account.client("logs")
    shown: set[tuple[str, str, int, str]] = set()
    since = 0
    while True:
        events = [event for name in _groups(logs, group) for event in _events(logs, name, since)]
        for event in sorted(events, key=lambda event: event["timestamp"]):
            identity = (event["group"], event["logStreamName"], event["timestamp"], event["message"])
            if identity not in shown:
                shown.add(identity)
                since = max(since, event["timestamp"] - _MARGIN_MS)
                _show(console, event)
        if not follow or stop.wait(_POLL):
            break
    if not follow:
        console.print(f"The emulator's own log is {account.places.emulator_log}.")


def _groups(logs: Any, part: str) -> list[str]:
    pages = logs.get_paginator("describe_log_groups").paginate()
    return [group["logGroupName"] for page in pages for group in page["logGroups"] if part in group["logGroupName"]]


def _events(logs: Any, group: str, since: int) -> list[dict[str, Any]]:
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since)
    return [{**event, "group": group} for page in pages for event in page["events"]]


def _show(console: Console, event: dict[str, Any]) -> None:
    moment = (
        datetime.datetime.fromtimestamp(event["timestamp"] / 1000, tz=datetime.UTC)
        .astimezone()
        .strftime("%H:%M:%S.%f")[:-3]
    )
    line = Text.assemble(
        (moment, "dim"), " ", (event["group"].rsplit("/", 1)[-1], "cyan"), " ", event["message"].rstrip()
    )
    console.print(line)
