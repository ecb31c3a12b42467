"""An active model that was changed past the one door, for instance in the console: noticed, published, not fought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.decisions.history import is_of_another_flywheel, was_active_before_it_was_kept
from flywheel.promotions.publish_model import another_is_desired
from flywheel.promotions.requests import models_under_way, taken_back

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.store.bucket import IntakeBucket
    from flywheel.store.parameters import PublishedModels


def change_outside(
    *, service: FlywheelService, published: PublishedModels, unfinished: str | None, intake: IntakeBucket
) -> str | None:
    """A sentence if the active model was changed past the pipeline. `unfinished` is the id of an undecided iteration.

    A flywheel without an active model is a new generation: the published model serves on until it is beaten. The
    model of an open request may be active before it is published. And the candidate of an unfinished iteration may be
    active by the service's own doing, and stay so when the model of a former generation is better.
    """
    candidate = _candidate_of(unfinished, service) if unfinished else None
    known = published.active()
    while True:
        actual = service.describe().active_model_arn
        under_way = models_under_way(intake)
        before, known = known, published.active()
        if known == before:
            # No promotion published meanwhile: one that updated the flywheel is still open, so it is under way.
            break
    if actual is None or actual in {known, candidate} or actual in under_way:
        return None
    former = is_of_another_flywheel(known, intake=intake, flywheel_arn=service.arn)
    if (known is None or former) and taken_back(actual, intake=intake) is not None:
        # A flywheel's only model cannot be taken back: it stays active there, but nobody serves it. With a model to
        # go back to, somebody made it active again.
        return None
    if former and was_active_before_it_was_kept(actual, intake=intake):
        return None
    return f"The active model was changed outside the pipeline, from {known or 'none'} to {actual}."


def _candidate_of(iteration_id: str, service: FlywheelService) -> str | None:
    iteration = next((found for found in service.iterations() if found.id == iteration_id), None)
    return iteration.trained.arn if iteration and iteration.trained else None


def publish_what_is(*, service: FlywheelService, published: PublishedModels, intake: IntakeBucket) -> None:
    """Publish the model that is active now: a repeated turn may have promoted another since it began."""
    actual = service.describe().active_model_arn
    if actual is not None and actual != published.active():
        published.publish(actual, another_is_desired=another_is_desired(None, published, intake))
