"""What a message in the queue of analysis jobs asks for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from flywheel.records.analyses import OPTIONS, job_of

AT_ONCE = timedelta(0)


@dataclass(frozen=True, kw_only=True)
class Look:
    """Look at a job, after a while."""

    job: str
    after: timedelta = AT_ONCE


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Look for jobs that nobody was told of."""


@dataclass(frozen=True, kw_only=True)
class LooseFile:
    """A file lies in no folder: it belongs to no job, and nobody would ever hear of it."""

    key: str


def read_poke(body: str, *, quiet_period: timedelta, now: datetime) -> Look | Sweep | LooseFile | None:
    """None if the message is no poke.

    The event of a file asks for no look before the quiet period after it is over: a drop of a million files is a
    million events, each look lists all of them, and none before can find the drop complete. job.json is the end of it.
    """
    try:
        message = json.loads(body)
    except ValueError:
        return None
    match message:
        case {"poke": "schedule"}:
            return Sweep()
        case {"poke": "delayed", "job": str(job)}:
            return Look(job=job)
        case {"source": "aws.s3", "detail": {"object": {"key": str(key)}}}:
            of = job_of(key)
            if of is None:
                return LooseFile(key=key)
            came = _time(message.get("time"))
            if came is None or key.endswith(f"/{of}/{OPTIONS}"):
                return Look(job=of)
            return Look(job=of, after=max(AT_ONCE, quiet_period - (now - came)))
    return None


def delayed_poke(job: str) -> str:
    return json.dumps({"poke": "delayed", "job": job})


def _time(given: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return time if time is not None and time.tzinfo is not None else None
