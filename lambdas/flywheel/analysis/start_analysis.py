"""Decides whether a job's input is complete, and starts its execution. All facts are read from the bucket."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flywheel.analysis.inputs import JobInput, find_input
from flywheel.records.analyses import (
    BEGUN,
    INPUT,
    OUTPUT,
    PREDICTIONS_JSONL,
    SUMMARY,
    AnalysisOutcome,
    AnalysisSummary,
    Begun,
    JoinedJob,
    RunFolder,
    execution_name,
    job_of,
    output_key,
)

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

    from flywheel.store.bucket import IntakeBucket

_LOST_WITHIN = timedelta(days=7)
"""For so long it is noticed that a run's end was never reported."""


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


def start(job: str, run: str, *, stepfunctions: SFNClient, machine_arn: str) -> bool:
    """Start the execution; one of the same input that runs is left alone. False if it is closed."""
    name = execution_name(job, run)
    try:
        stepfunctions.start_execution(stateMachineArn=machine_arn, name=name, input=execution_input(job))
    except stepfunctions.exceptions.ExecutionAlreadyExists:
        return False
    return True


def unreported_runs(intake: IntakeBucket, now: datetime) -> list[tuple[str, str]]:
    """(job, run) of the runs that began and have no summary: they are under way, or the event of their end got lost."""
    reported = {
        found["Key"].removeprefix(OUTPUT).removesuffix(f"/{SUMMARY}"): found["LastModified"]
        for found in intake.list(OUTPUT)
        if found["Key"].endswith(f"/{SUMMARY}")
    }
    runs = []
    for found in intake.list(BEGUN):
        job, began = found["Key"].removeprefix(BEGUN), found["LastModified"]
        if now - began < _LOST_WITHIN and (job not in reported or reported[job] < began):
            runs.append((job, intake.require(found["Key"], Begun).run))
    return runs


def lost_end(job: str, run: str, *, intake: IntakeBucket) -> AnalysisOutcome | None:
    """How a run ended whose execution is closed; None if that is reported, or if its output was deleted."""
    known = intake.read(output_key(job, SUMMARY), AnalysisSummary)
    if known is not None and known.run == run:
        return None
    if intake.read(RunFolder(job, run).joined, JoinedJob) is None:
        return AnalysisOutcome.FAILED
    return AnalysisOutcome.SUCCEEDED if intake.exists(output_key(job, PREDICTIONS_JSONL)) else None


def execution_input(job: str) -> str:
    """Constant for a job, because StartExecution returns a running execution only for the same input."""
    return json.dumps({"job": job})
