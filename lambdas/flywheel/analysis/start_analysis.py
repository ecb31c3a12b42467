"""Decides whether a job's input is complete, and starts its execution. All facts are read from the bucket."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flywheel.analysis.inputs import JobInput, find_input
from flywheel.records.analyses import BEGUN, INPUT, execution_name, job_of

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from flywheel.store.bucket import IntakeBucket


@dataclass(frozen=True, kw_only=True)
class AnalysisStart:
    start: bool
    reason: str
    run: str | None = None
    again_in: timedelta | None = None
    """Look again after this time: files may still be coming."""


def decide(job: str, *, intake: IntakeBucket, quiet_period: timedelta, now: datetime) -> AnalysisStart:
    """A job's input is complete when it has job.json, or when no file has come for the quiet period."""
    return _decide(find_input(intake, job), quiet_period=quiet_period, now=now)


def _decide(found: JobInput, *, quiet_period: timedelta, now: datetime) -> AnalysisStart:
    if found.newest is None:
        return AnalysisStart(start=False, reason="there is nothing")
    if found.options is not None:
        return AnalysisStart(start=True, reason="job.json is there", run=found.run)
    rested = now - found.newest
    if rested < quiet_period:
        return AnalysisStart(start=False, reason="the last file is too new", again_in=quiet_period - rested)
    return AnalysisStart(start=True, reason="nothing came for the quiet period", run=found.run)


def jobs_to_look_at(intake: IntakeBucket) -> list[str]:
    """Jobs whose input is newer than their last run, because an event got lost. Only lists objects."""
    begun = {found["Key"].removeprefix(BEGUN): found["LastModified"] for found in intake.list(BEGUN)}
    newest: dict[str, datetime] = {}
    for found in intake.list(INPUT):
        job = job_of(found["Key"])
        if job is not None:
            newest[job] = max(newest.get(job, found["LastModified"]), found["LastModified"])
    # S3's times are in full seconds.
    return sorted(job for job, came in newest.items() if job not in begun or came >= begun[job])


def start(job: str, run: str, *, stepfunctions: SFNClient, machine_arn: str) -> str:
    """Start the execution. If there is one of the same input, running or ended, nothing happens. Returns its name."""
    name = execution_name(job, run)
    with contextlib.suppress(stepfunctions.exceptions.ExecutionAlreadyExists):
        stepfunctions.start_execution(stateMachineArn=machine_arn, name=name, input=execution_input(job))
    return name


def execution_input(job: str) -> str:
    """Constant for a job, because StartExecution returns a running execution only for the same input."""
    return json.dumps({"job": job})
