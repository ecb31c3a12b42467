"""GET /model: the active model with its scores, and the model that the endpoint serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.api.messages import ActiveModel, ModelAnswer, ServedModel, ServingSituation
from flywheel.records.serving import STATE_KEY, ServingState
from flywheel.records.thresholds import thresholds_of
from flywheel.text.byte_limits import DOCUMENT_ANSWER, size_as_json

if TYPE_CHECKING:
    from flywheel.comprehend.live_endpoint import LiveEndpoint
    from flywheel.comprehend.model import ModelService
    from flywheel.store.bucket import IntakeBucket
    from flywheel.store.parameters import PublishedModels


def describe_model(
    *, endpoint: LiveEndpoint, models: ModelService, intake: IntakeBucket, published: PublishedModels
) -> ModelAnswer:
    """Raises ClientError."""
    active = published.active_since()
    served = endpoint.look()
    state = intake.read(STATE_KEY, ServingState)
    score = models.score(active.arn) if active else None
    return ModelAnswer(
        active_model=ActiveModel(
            arn=active.arn,
            since=active.since,
            scores=score.metrics if score else None,
            thresholds=_thresholds(active.arn, intake=intake) if models.kind.has_thresholds else None,
        )
        if active
        else None,
        endpoint=ServedModel(
            arn=endpoint.arn,
            status=served.status,
            model_arn=served.model_arn,
            desired_model_arn=served.desired_model_arn,
            inference_units=served.inference_units,
        )
        if served
        else None,
        serving=ServingSituation(status=state.status, reason=state.reason, since=state.since) if state else None,
    )


def _thresholds(model_arn: str, *, intake: IntakeBucket) -> dict[str, float] | None:
    found = dict(thresholds_of(model_arn, intake=intake))
    return found if found and size_as_json(found) <= DOCUMENT_ANSWER else None
