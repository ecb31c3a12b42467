"""Notices an active model that was changed outside the pipeline, for instance in the console.

Within the pipeline only promotions change the active model. A change outside is published, not reversed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.decisions.history import is_of_another_flywheel, was_active_when_rejected
from flywheel.promotions.publish_model import has_open_edit
from flywheel.promotions.requests import (
    requested_models,
    smoke_test_failure_of,
    stays_though_it_failed,
    unrequested_initial_model,
)

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.pipeline import FlywheelPipeline


def describe_change_outside(*, unfinished: str | None, pipeline: FlywheelPipeline) -> str | None:
    """A sentence if the active model was changed outside the pipeline, else None.

    `unfinished` is the id of an iteration without a decision. The active model may differ from the published one for
    other reasons: a new generation of the flywheel has no active model yet; the model of an open request is active
    before it is published; a flywheel that was created with a model has it before anybody has asked to publish it;
    Comprehend itself may make the candidate of an iteration active, and it stays active when
    the decision keeps the model of a former generation.
    """
    candidate = _candidate_of(unfinished, pipeline.service) if unfinished else None
    known = pipeline.published.active()
    while True:
        actual = pipeline.service.describe().active_model_arn
        under_way = requested_models(pipeline.intake)
        before, known = known, pipeline.published.active()
        if known == before:
            # No promotion has published a model meanwhile: the request of one that changed the flywheel is still open.
            break
    if actual is None or actual in {known, candidate} or actual in under_way:
        return None
    initial = unrequested_initial_model(intake=pipeline.intake, flywheel_arn=pipeline.service.arn)
    if initial is not None and initial.model_arn == actual:
        return None
    former = is_of_another_flywheel(known, intake=pipeline.intake, flywheel_arn=pipeline.service.arn)
    if (known is None or former) and smoke_test_failure_of(actual, intake=pipeline.intake) is not None:
        # The flywheel's only model failed its smoke test. It stays active, because there is no other to put back, but
        # it is not published.
        return None
    if stays_though_it_failed(actual, published=pipeline.published, intake=pipeline.intake):
        return None
    if former and was_active_when_rejected(actual, intake=pipeline.intake):
        return None
    return f"The active model was changed outside the pipeline, from {known or 'none'} to {actual}."


def _candidate_of(iteration_id: str, service: FlywheelService) -> str | None:
    iteration = next((found for found in service.iterations() if found.id == iteration_id), None)
    return iteration.trained.arn if iteration and iteration.trained else None


def publish_active_model(*, pipeline: FlywheelPipeline) -> None:
    """Publish the model that is active now. It may differ from the one that the turn found when it began."""
    actual = pipeline.service.describe().active_model_arn
    if actual is not None and actual != pipeline.published.active():
        pipeline.published.publish(actual, keep_desired=has_open_edit(None, pipeline.published, pipeline.intake))
