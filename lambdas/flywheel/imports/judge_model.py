"""Compares what an imported model answered to the smoke test's documents with their labels."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.confidence import NO_THRESHOLDS
from flywheel.evaluation import InvalidPredictions
from flywheel.faults.errors import ImportFailed, SmokeTestFailed
from flywheel.imports.try_model import attempts_of
from flywheel.promotions.requests import open_request_of
from flywheel.records.promotions import require_current
from flywheel.records.serving import smoke_test_key
from flywheel.records.thresholds import thresholds_of
from flywheel.serving.smoke_test import Answered, result_of

if TYPE_CHECKING:
    from flywheel.comprehend.imported_models import ImportedModels
    from flywheel.records.imports import TrialAttempt
    from flywheel.records.serving import SmokeTest
    from flywheel.store.bucket import IntakeBucket


def judge_model(*, promotion: str, intake: IntakeBucket, service: ImportedModels, now: datetime) -> SmokeTest:
    """Record how the model answered.

    Raises NotCurrentPromotion, PromotionRefused, SmokeTestFailed; ImportFailed if the job gave no usable answers.
    """
    require_current(intake, promotion)
    model_arn = open_request_of(promotion, intake).model_arn
    known = attempts_of(promotion, intake=intake, service=service).last()
    if known is None or known.failure or not known.archive:
        raise ImportFailed(f"The smoke test's job gave no answers: {known.failure if known else 'there is none'}")
    tested = result_of(
        _answers(known, model_arn, intake=intake, service=service),
        model_arn=model_arn,
        endpoint_arn=None,
        key=known.key,
        minimum=known.minimum,
        now=now,
    )
    intake.write(smoke_test_key(model_arn), tested)
    if not tested.passed:
        raise SmokeTestFailed(tested.sentence)
    return tested


def _answers(attempt: TrialAttempt, model_arn: str, *, intake: IntakeBucket, service: ImportedModels) -> list[Answered]:
    kind = service.kind
    try:
        with intake.open(attempt.archive or "") as archive:
            answers = kind.read_answers(
                archive,
                documents=len(attempt.expected),
                task=service.task_of(model_arn),
                thresholds=thresholds_of(model_arn, intake=intake) if kind.has_thresholds else NO_THRESHOLDS,
            )
    except (InvalidPredictions, FileNotFoundError) as error:
        raise ImportFailed(f"The smoke test's job gave no usable answers: {error}") from error
    return [
        Answered(line, frozenset(expected), answered)
        for line, expected, answered in zip(attempt.lines, attempt.expected, answers.by_line, strict=True)
    ]
