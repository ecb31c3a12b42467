"""Starts a promotion if there is a request, after a new one, an edit of `desired-model-arn`, the end of a promotion, or
on schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flywheel.environment import Pipeline
from flywheel.promotions import metrics, report_promotion
from flywheel.promotions.start_promotion import SUPERSEDED, Poke, decide
from flywheel.records.promotions import end_key, promotion_starter
from flywheel.text.byte_limits import LONGEST_SENTENCE, within
from handlers.clients import client, intake_bucket, pipeline
from handlers.clock import now
from handlers.measuring import emit
from handlers.observability import logger, observed
from handlers.pokes import read_pokes

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Environment(Pipeline):
    promotion_machine_arn: str
    topic_arn: str


environment = Environment.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Messages only make the function look; all facts are read from the records."""
    pokes, response = read_pokes(event, kind=Poke, by_source={"aws.ssm": Poke.DESIRED, "aws.states": Poke.ENDED})
    if pokes:
        _answer(pokes)
    return response


def _answer(pokes: frozenset[Poke]) -> None:
    intake, stepfunctions = intake_bucket(environment), client("stepfunctions")
    found = decide(pipeline=pipeline(environment), pokes=pokes, now=now())
    logger.info("poked", pokes=sorted(pokes), start=found.start, reason=found.reason)
    emit([metrics.of_approvals(waiting=found.waiting)], flywheel_name=environment.flywheel_name)
    for end in found.refused:
        client("sns").publish(
            TopicArn=environment.topic_arn,
            Subject=report_promotion.subject(end, flywheel_name=environment.flywheel_name),
            Message=report_promotion.message(
                (end,), flywheel_name=environment.flywheel_name, intake_bucket=environment.intake_bucket
            ),
        )
        # After the notification, so that people are told twice rather than never.
        intake.write_once(end_key(end.request_id), end)
    start = found.start
    if found.supersede is not None:
        try:
            stepfunctions.send_task_failure(
                taskToken=found.supersede.task_token,
                error=SUPERSEDED,
                # Step Functions takes 32,768 characters.
                cause=within(found.because, LONGEST_SENTENCE),
            )
        except (stepfunctions.exceptions.TaskTimedOut, stepfunctions.exceptions.TaskDoesNotExist) as error:
            # Somebody answered a moment ago, or the time was up: to start what runs changes nothing. Or its execution
            # was stopped, and the report of that is still to come, or lost.
            logger.info("the promotion does not wait any more", error=str(error))
            start = True
    if start:
        starter = promotion_starter(
            intake=intake, stepfunctions=stepfunctions, machine_arn=environment.promotion_machine_arn
        )
        logger.info("promotion runs", promotion=starter.start(now()))
