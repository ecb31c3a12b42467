"""An active model that was changed past the one door, for instance in the console: noticed, published, not fought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.decisions.history import is_of_another_flywheel, was_active_before_it_was_kept
from flywheel.promotions.publish_model import another_is_desired
from flywheel.promotions.requests import models_under_way, taken_back

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.pipeline import Pipeline


def change_outside(*, unfinished: str | None, pipeline: Pipeline) -> str | None:
    """A sentence if the active model was changed past the pipeline. `unfinished` is the id of an undecided iteration.

    A flywheel without an active model is a new generation: the published model serves on until it is beaten. The
    model of an open request may be active before it is published. And the candidate of an unfinished iteration may be
    active by the service's own doing, and stay so when the model of a former generation is better.
    """
    candidate = _candidate_of(unfinished, pipeline.service) if unfinished else None
    known = pipeline.published.active()
    while True:
        actual = pipeline.service.describe().active_model_arn
        under_way = models_under_way(pipeline.intake)
        before, known = known, pipeline.published.active()
        if known == before:
            # No promotion published meanwhile: one that updated the flywheel is still open, so it is under way.
            break
    if actual is None or actual in {known, candidate} or actual in under_way:
        return None
    former = is_of_another_flywheel(known, intake=pipeline.intake, flywheel_arn=pipeline.service.arn)
    if (known is None or former) and taken_back(actual, intake=pipeline.intake) is not None:
        # A flywheel's only model cannot be taken back: it stays active there, but nobody serves it. With a model to
        # go back to, somebody made it active again.
        return None
    if former and was_active_before_it_was_kept(actual, intake=pipeline.intake):
        return None
    return f"The active model was changed outside the pipeline, from {known or 'none'} to {actual}."


def _candidate_of(iteration_id: str, service: FlywheelService) -> str | None:
    iteration = next((found for found in service.iterations() if found.id == iteration_id), None)
    return iteration.trained.arn if iteration and iteration.trained else None


def publish_what_is(*, pipeline: Pipeline) -> None:
    """Publish the model that is active now: a repeated turn may have promoted another since it began."""
    actual = pipeline.service.describe().active_model_arn
    if actual is not None and actual != pipeline.published.active():
        pipeline.published.publish(actual, keep_desired=another_is_desired(None, pipeline.published, pipeline.intake))
