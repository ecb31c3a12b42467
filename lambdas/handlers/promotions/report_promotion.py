"""Reports the end of a promotion: as its last step, or for a status event of an execution that did not reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.environment import ModelsOfDeployment
from flywheel.promotions import metrics, report_promotion
from flywheel.records.promotions import Promotion, PromotionBeginning, PromotionStatus, begin_key, number_of, record_key
from flywheel.records.serving import STATE_KEY, ServingState, sentence, smoke_test_of
from flywheel.records.turns import TurnOutcome
from flywheel.text.failure_cause import readable_cause
from handlers.clients import active_model_service, client, intake_bucket
from handlers.clock import now
from handlers.measuring import emit
from handlers.observability import logger
from handlers.promotions.events import PromotionEnd
from handlers.status_event import StatusEvent, handles_end

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket


class Environment(ModelsOfDeployment):
    topic_arn: str


def _from_status_event(execution: StatusEvent, environment: Environment) -> PromotionEnd | None:
    """None if the promotion reported its own end, or the execution is no promotion."""
    promotion, outcome = execution.name, TurnOutcome(execution.status)
    if number_of(promotion) is None:
        return None
    record = intake_bucket(environment).read(record_key(promotion), Promotion)
    if record is not None and record.at >= execution.began and outcome is TurnOutcome.FAILED:
        return None
    status = PromotionStatus.STOPPED if outcome is TurnOutcome.ABORTED else PromotionStatus.FAILED
    return PromotionEnd(promotion=promotion, status=status, error=execution.error, cause=execution.cause)


@handles_end(PromotionEnd, Environment, from_status_event=_from_status_event)
def handler(end: PromotionEnd, environment: Environment) -> None:
    intake = intake_bucket(environment)
    ended = report_promotion.report_promotion(
        promotion=end.promotion,
        status=end.status,
        reason=" ".join([_reason(end, intake=intake), *_sharing(end)]),
        intake=intake,
        service=active_model_service(environment),
        now=now(),
        answered_by=end.answered_by,
        answer_reason=end.answer_reason,
        warning=end.warning,
        serving=_serving(end, intake=intake),
        put_back=end.put_back,
    )
    emit(metrics.of_promotion(ended), flywheel_name=environment.flywheel_name)
    if ended:
        client("sns").publish(
            TopicArn=environment.topic_arn,
            Subject=report_promotion.subject(ended[0], flywheel_name=environment.flywheel_name),
            Message=report_promotion.message(
                ended, flywheel_name=environment.flywheel_name, intake_bucket=environment.intake_bucket
            ),
        )
    logger.info("promotion ended", promotion=end.promotion, status=ended[0].status if ended else None)


def _reason(end: PromotionEnd, *, intake: IntakeBucket) -> str:
    if end.status is not PromotionStatus.SMOKE_TEST_FAILED:
        return report_promotion.reason_of(end.status, error=end.error, cause=readable_cause(end.cause))
    beginning = intake.require(begin_key(end.promotion), PromotionBeginning)
    request = beginning.request
    tested = smoke_test_of(request.model_arn, intake=intake) if request else None
    return report_promotion.reason_of_smoke_test_failure(
        tested, put_back=end.put_back, why_none=end.cause, former=beginning.former_model_arn
    )


def _sharing(end: PromotionEnd) -> list[str]:
    if end.sharing_behind:
        return [f"It could not be shared, and the schedule tries again: {readable_cause(end.sharing)}"]
    return [end.sharing] if end.sharing else []


def _serving(end: PromotionEnd, *, intake: IntakeBucket) -> str | None:
    if end.serving_behind:
        return f"It is behind. {sentence(intake.read(STATE_KEY, ServingState))} The schedule tries again."
    return end.serving
