"""Parses the messages in the queue of start_analysis."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from flywheel.records.analyses import OPTIONS, job_of

AT_ONCE = timedelta(0)


@dataclass(frozen=True, kw_only=True)
class Look:
    """Look whether a job can start, after a while."""

    job: str
    after: timedelta = AT_ONCE


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Look for jobs whose event got lost."""


@dataclass(frozen=True, kw_only=True)
class LooseFile:
    """A file was uploaded outside a job's folder, so it belongs to no job. A notification says so."""

    key: str


def read_poke(body: str, *, quiet_period: timedelta, now: datetime) -> Look | Sweep | LooseFile | None:
    """None if the message is invalid.

    After the event of a file the job is looked at when the quiet period is over. Before that it cannot be complete, and
    a job of a million files would cause a million listings. After the event of job.json it is looked at immediately.
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
