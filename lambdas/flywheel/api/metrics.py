"""The metrics of the real-time API for the dashboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flywheel.measurement import Measurement, Unit

if TYPE_CHECKING:
    from flywheel.api.classify_api import Classified


def of_classified(classified: Classified) -> Iterator[Measurement]:
    """The metrics of one request."""
    for prediction in classified.predictions:
        yield Measurement(name="PredictionConfidence", value=prediction.confidence, unit=Unit.NONE)
    yield Measurement(name="LowConfidencePredictions", value=classified.low_confidence)
    yield Measurement(name="ThrottledPredictions", value=classified.throttled)
    yield Measurement(name="PredictionsKept", value=len(classified.keeping.kept))
    yield Measurement(name="PredictionsQueued", value=classified.keeping.queued)
    yield Measurement(name="PredictionsNotStored", value=classified.keeping.not_stored)
