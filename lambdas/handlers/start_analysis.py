"""Answers pokes (a file of a job, the schedule): starts the analysis jobs whose drop is complete."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flywheel.analysis import starting
from flywheel.analysis.jobs import INPUT, OPTIONS, job_of
from flywheel.environment import Flywheel, Intake, Quiet
from handlers.clients import client, intake_bucket
from handlers.clock import now
from handlers.observability import logger, observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_LONGEST_DELAY = timedelta(minutes=15)
"""SQS's limit of a message's delay; a longer wait is a chain of them."""
_AT_ONCE = timedelta(0)


class Environment(Flywheel, Intake, Quiet):
    analysis_machine_arn: str
    analysis_queue_url: str
    topic_arn: str

    @property
    def quiet_period(self) -> timedelta:
        return timedelta(minutes=self.quiet_period_minutes)


environment = Environment.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The messages of a batch say which jobs to look at, and no more: the rest is looked up."""
    found = {record["messageId"]: _jobs(record["body"]) for record in event["Records"]}
    unknown = [message for message, jobs in found.items() if jobs is None]
    if unknown:
        logger.error("these messages are no pokes", messages=unknown)
    waits: dict[str, list[timedelta]] = {}
    for jobs in found.values():
        for job, wait in (jobs or {}).items():
            waits.setdefault(job, []).append(wait)
    for job, asked in sorted(waits.items()):
        if _AT_ONCE in asked:
            _look(job)
        else:
            _look_again(job, max(asked))
    return {"batchItemFailures": [{"itemIdentifier": message} for message in unknown]}


def _jobs(body: str) -> dict[str, timedelta] | None:
    """The jobs that a message wants to be looked at, and after how long; None if it is no poke."""
    try:
        message = json.loads(body)
    except ValueError:
        return None
    match message:
        case {"poke": "schedule"}:
            return dict.fromkeys(starting.jobs_to_look_at(intake_bucket(environment)), _AT_ONCE)
        case {"poke": "delayed", "job": str(job)}:
            return {job: _AT_ONCE}
        case {"source": "aws.s3", "detail": {"object": {"key": str(key)}}}:
            return _of_file(key, message.get("time"))
    return None


def _of_file(key: str, time: str | None) -> dict[str, timedelta]:
    job = job_of(key)
    if job is None:
        _tell_of_loose_file(key)
        return {}
    if time is None or key.endswith(f"/{OPTIONS}"):
        return {job: _AT_ONCE}
    # A drop of a million files is a million events, and each look lists all of them: none before it can be complete.
    return {job: max(_AT_ONCE, environment.quiet_period - (now() - datetime.fromisoformat(time)))}


def _look(job: str) -> None:
    verdict = starting.judge(job, intake=intake_bucket(environment), quiet_period=environment.quiet_period, now=now())
    logger.info("poked", job=job, start=verdict.start, reason=verdict.reason, run=verdict.run)
    if verdict.run is not None:
        execution = starting.start(
            job, verdict.run, stepfunctions=client("stepfunctions"), machine_arn=environment.analysis_machine_arn
        )
        logger.info("analysis runs or has run", job=job, execution=execution)
    elif verdict.again_in is not None:
        _look_again(job, verdict.again_in)


def _look_again(job: str, wait: timedelta) -> None:
    delay = min(wait, _LONGEST_DELAY)
    client("sqs").send_message(
        QueueUrl=environment.analysis_queue_url,
        MessageBody=json.dumps({"poke": "delayed", "job": job}),
        DelaySeconds=max(1, int(delay.total_seconds()) + 1) if delay < _LONGEST_DELAY else 900,
    )


def _tell_of_loose_file(key: str) -> None:
    """A file that is in no folder belongs to no job; nobody would ever hear of it."""
    client("sns").publish(
        TopicArn=environment.topic_arn,
        Subject=f"{environment.flywheel_name} analysis: a file without a job"[:100],
        Message=(
            f"s3://{environment.intake_bucket}/{key} lies in no folder, so it belongs to no analysis job: "
            f"move it to {INPUT}<job>/ under a name of your choice."
        ),
    )
