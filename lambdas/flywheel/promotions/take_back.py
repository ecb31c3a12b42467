"""A published model that answers wrongly when it comes into service out of a promotion, for instance when the serving
hours begin: the former one is asked for, through the one door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.promotions import requests
from flywheel.records import promotions
from flywheel.records.promotions import PromotionRequest, PromotionSource
from flywheel.records.serving import SmokeTest, smoke_test_of

if TYPE_CHECKING:
    from flywheel.pipeline import Pipeline


def take_back(tested: SmokeTest, *, pipeline: Pipeline) -> PromotionRequest | None:
    """Ask for the previous model once for each failed test. None where there is nothing to ask for.

    A promotion under way takes its model back itself. A previous model that failed as well is not asked for.
    """
    model_arn = tested.model_arn
    former = pipeline.published.previous()
    if tested.passed or former is None or former == model_arn or pipeline.published.active() != model_arn:
        return None
    if model_arn in requests.models_under_way(pipeline.intake):
        return None
    of_former = smoke_test_of(former, intake=pipeline.intake)
    if of_former is not None and of_former.key == tested.key and not of_former.passed:
        return None
    request = PromotionRequest(
        id=f"smoke-test-{model_arn.rpartition('/')[2]}-{tested.at:%Y%m%dT%H%M%SZ}",
        source=PromotionSource.SERVING,
        model_arn=former,
        flywheel_arn=pipeline.service.arn,
        requested_at=tested.at,
        by="the smoke test",
        reason=f"{model_arn} is served, but: {tested.sentence}",
        decided_against=pipeline.service.find_active_model(),
    )
    return request if pipeline.intake.write_once(promotions.request_key(request.id), request) else None
