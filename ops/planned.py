"""What would be billed of a flywheel that is not deployed yet, as its templates say."""

from __future__ import annotations

from collections import Counter

from flywheel.serving.wanted import SERVING, ServingWish
from ops.synthesised import SynthesisedFlywheel
from ops.usage import (
    ALARM,
    BUCKET,
    DASHBOARD,
    KEY,
    PUBLISHED_TRAINING_SECONDS,
    Billed,
    BucketSize,
    TrainingTimes,
    TrainingTimesOf,
    wanted_units,
)

METRICS = 20
"""Custom metrics that the pipeline writes, about; and one for each label up to MOST_LABEL_METRICS labels."""
MOST_LABEL_METRICS = 20


def find_planned(synthesised: SynthesisedFlywheel) -> Billed:
    """Raises NotSynthesisedError and pydantic's ValidationError."""
    kinds = Counter(body["Type"] for _, body in synthesised.resources())
    labels = synthesised.published.labels
    wish = synthesised.parameter(SERVING)
    return Billed(
        deployed=False,
        models=0,
        training=TrainingTimes(seconds=PUBLISHED_TRAINING_SECONDS, of=TrainingTimesOf.PUBLISHED),
        inference_units=0,
        wanted=wanted_units(ServingWish.model_validate_json(wish) if wish else None),
        alarms=kinds[ALARM],
        dashboards=kinds[DASHBOARD],
        keys=kinds[KEY],
        metrics=METRICS + min(MOST_LABEL_METRICS, len(labels) if labels is not None else MOST_LABEL_METRICS),
        buckets=tuple(BucketSize(name="", bytes=0) for _ in range(kinds[BUCKET])),
    )
