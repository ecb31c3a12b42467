"""Makes the record of a document that was classified with low confidence.

No other texts of callers are stored. A text is stored once a day, however often it is sent.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.records.low_confidence import LowConfidencePrediction, SightedModel

if TYPE_CHECKING:
    from flywheel.comprehend.live_endpoint import EndpointSnapshot
    from flywheel.comprehend.model_kind import Prediction


def record_of(
    text: str,
    prediction: Prediction,
    *,
    threshold: float,
    endpoint_arn: str,
    before: EndpointSnapshot | None,
    after: EndpointSnapshot | None,
    at: datetime,
) -> LowConfidencePrediction:
    """`before` and `after` are the states of the endpoint before and after the call."""
    certain = before is not None and after is not None and before.model_arn == after.model_arn
    return LowConfidencePrediction(
        text=text,
        **prediction.recorded(),
        confidence=prediction.confidence,
        threshold=threshold,
        endpoint_arn=endpoint_arn,
        model_arn=after.model_arn if after is not None and certain else None,
        seen_before=SightedModel(model_arn=before.model_arn, at=before.at) if before else None,
        seen_after=SightedModel(model_arn=after.model_arn, at=after.at) if after else None,
        at=at,
    )
