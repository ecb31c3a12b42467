"""Decides whether an iteration's candidate becomes the active model; once for each iteration."""

from __future__ import annotations

from typing import Any

from flywheel.decisions.compare_metrics import compare_metrics
from flywheel.decisions.gate import Bar
from flywheel.environment import Deciding, FlywheelPipeline, Gate
from handlers.clients import flywheel_pipeline
from handlers.clock import now
from handlers.observability import handles, logger
from handlers.turn.events import IterationStep


class Environment(FlywheelPipeline, Gate, Deciding):
    pass


@handles(IterationStep, Environment)
def handler(step: IterationStep, environment: Environment) -> dict[str, Any]:
    decision = compare_metrics(
        pipeline=flywheel_pipeline(environment),
        turn=step.turn,
        iteration_id=step.iteration_id,
        bar=Bar(
            selection_metric=environment.selection_metric,
            minimum_score=environment.minimum_score,
            minimum_improvement=environment.minimum_improvement,
            maximum_regression=environment.maximum_regression,
            maximum_label_regression=environment.maximum_label_regression,
            require_same_test_data=environment.require_same_test_data,
        ),
        now=now(),
        evidence=environment.evidence,
        confidence_level=environment.confidence_level,
        suspect_test_labels=environment.suspect_test_labels,
    )
    logger.info("decided", turn=step.turn, decision=decision.decision, reasons=decision.reasons)
    return {"decision": decision.decision.value}
