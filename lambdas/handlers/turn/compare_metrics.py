"""Decides once whether an iteration's candidate becomes the active model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flywheel.decisions.compare_metrics import compare_metrics
from flywheel.decisions.gate import Bar
from flywheel.environment import Deciding, Flywheel, Gate, Intake, Parameters
from handlers.clients import flywheel_service, intake_bucket, published_models
from handlers.clock import now
from handlers.observability import logger, observed
from handlers.turn.events import IterationStep

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Environment(Flywheel, Intake, Parameters, Gate, Deciding):
    pass


environment = Environment.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    step = IterationStep.model_validate(event)
    decision = compare_metrics(
        turn=step.turn,
        iteration_id=step.iteration_id,
        intake=intake_bucket(environment),
        service=flywheel_service(environment),
        published=published_models(environment),
        bar=Bar(
            selection_metric=environment.selection_metric,
            minimum_score=environment.minimum_score,
            minimum_improvement=environment.minimum_improvement,
            maximum_regression=environment.maximum_regression,
        ),
        now=now(),
        evidence=environment.evidence,
        confidence_level=environment.confidence_level,
    )
    logger.info("decided", turn=step.turn, decision=decision.decision, reasons=decision.reasons)
    return {"decision": decision.decision.value}
