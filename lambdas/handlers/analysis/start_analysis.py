"""Starts analysis jobs whose input is complete, after an upload or on schedule."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flywheel.analysis import start_analysis
from flywheel.analysis.pokes import AT_ONCE, LooseFile, Sweep, delayed_poke, read_poke
from flywheel.environment import AnalysisReport, Quiet
from flywheel.records.analyses import INPUT, AnalysisOutcome, execution_name
from flywheel.text import notification
from handlers.analysis.ends import report_end
from handlers.analysis.events import AnalysisEnd
from handlers.clients import client, intake_bucket
from handlers.clock import now
from handlers.observability import logger, observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_LONGEST_DELAY = timedelta(minutes=15)
"""SQS's limit for the delay of a message. A longer wait takes several messages."""


class Environment(AnalysisReport, Quiet):
    analysis_machine_arn: str
    analysis_queue_url: str


environment = Environment.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Messages only say which jobs to look at; all facts are read from the bucket."""
    quiet_period = timedelta(minutes=environment.quiet_period_minutes)
    waits: dict[str, list[timedelta]] = {}
    unknown = []
    for record in event["Records"]:
        poke = read_poke(record["body"], quiet_period=quiet_period, now=now())
        if poke is None:
            unknown.append(record["messageId"])
        elif isinstance(poke, LooseFile):
            _tell_of_loose_file(poke.key)
        elif isinstance(poke, Sweep):
            for job in start_analysis.jobs_to_look_at(intake_bucket(environment)):
                waits.setdefault(job, []).append(AT_ONCE)
            for job, run in start_analysis.unreported_runs(intake_bucket(environment), now()):
                _start(job, run)
        else:
            waits.setdefault(poke.job, []).append(poke.after)
    if unknown:
        # Reported as failed, so that only these messages end in the dead-letter queue.
        logger.error("these messages are no pokes", messages=unknown)
    for job, delays in sorted(waits.items()):
        if AT_ONCE in delays:
            _look(job, quiet_period)
        else:
            _look_again(job, max(delays))
    return {"batchItemFailures": [{"itemIdentifier": message} for message in unknown]}


def _look(job: str, quiet_period: timedelta) -> None:
    found = start_analysis.decide(job, intake=intake_bucket(environment), quiet_period=quiet_period, now=now())
    logger.info("poked", job=job, start=found.start, reason=found.reason, run=found.run)
    if found.run is not None:
        _start(job, found.run)
    elif found.again_in is not None:
        _look_again(job, found.again_in)


def _start(job: str, run: str) -> None:
    """If its execution is closed and nobody has reported how it ended, then the event that says so got lost."""
    runs = start_analysis.start(
        job, run, stepfunctions=client("stepfunctions"), machine_arn=environment.analysis_machine_arn
    )
    logger.info("analysis runs" if runs else "analysis has run", job=job, execution=execution_name(job, run))
    outcome = None if runs else start_analysis.lost_end(job, run, intake=intake_bucket(environment))
    if outcome is not None:
        report_end(AnalysisEnd(job=job, run=run, outcome=outcome, cause=_lost(job, run, outcome)), environment)


def _lost(job: str, run: str, outcome: AnalysisOutcome) -> str | None:
    if outcome is AnalysisOutcome.SUCCEEDED:
        return None
    return f"Its execution {execution_name(job, run)} was stopped or failed, and the event that says why got lost."


def _look_again(job: str, wait: timedelta) -> None:
    delay = min(wait, _LONGEST_DELAY)
    client("sqs").send_message(
        QueueUrl=environment.analysis_queue_url,
        MessageBody=delayed_poke(job),
        DelaySeconds=max(1, int(delay.total_seconds()) + 1) if delay < _LONGEST_DELAY else 900,
    )


def _tell_of_loose_file(key: str) -> None:
    client("sns").publish(
        TopicArn=environment.topic_arn,
        Subject=notification.subject(f"{environment.flywheel_name} analysis: a file without a job"),
        Message=notification.message(
            [f"s3://{environment.intake_bucket}/{key} lies in no folder, so it belongs to no analysis job."],
            closing=[f"Move it to {INPUT}<job>/ under a name of your choice."],
        ),
    )
