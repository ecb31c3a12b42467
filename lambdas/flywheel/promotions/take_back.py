"""Requests a promotion of the former model when the published one fails a smoke test while no promotion runs.

That happens for instance when an endpoint is created at the start of the serving hours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.promotions import requests
from flywheel.records.promotions import PromotionRequest, PromotionSource, request_key
from flywheel.records.serving import SmokeTest, smoke_test_of

if TYPE_CHECKING:
    from flywheel.pipeline import Pipeline


def take_back(tested: SmokeTest, *, pipeline: Pipeline) -> PromotionRequest | None:
    """Write one request for the previous model for each failed smoke test; None if there is nothing to request.

    While a promotion of the model is open, that promotion puts the former model back. One that has made another model
    active replaces it. A previous model that failed the same smoke test is not requested.
    """
    if tested.passed:
        return None
    model_arn, active = tested.model_arn, pipeline.service.find_active_model()
    if requests.requested_models(pipeline.intake) & {model_arn, active}:
        return None
    # Read last: a promotion publishes its model before its request is no longer open.
    former = pipeline.published.previous()
    if former is None or former == model_arn or pipeline.published.active() != model_arn:
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
        decided_against=active,
    )
    return request if pipeline.intake.write_once(request_key(request.id), request) else None
