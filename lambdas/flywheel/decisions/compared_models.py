"""Finds the models that a decision compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flywheel.decisions.history import is_of_another_flywheel

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import Iteration
    from flywheel.pipeline import FlywheelPipeline


@dataclass(frozen=True, kw_only=True)
class ComparedModels:
    """ARNs of models."""

    candidate: str | None
    """None if the iteration trained no model."""
    active: str | None
    """The model that is served; it may be the candidate."""
    active_now: str | None
    """The flywheel's active model. None in a new generation while the former generation's model is served."""

    @property
    def arns(self) -> tuple[str, ...]:
        """The models whose predictions a decision on a hold-out needs, each once."""
        return tuple(dict.fromkeys(arn for arn in (self.candidate, self.active) if arn)) if self.candidate else ()


def find_compared_models(iteration: Iteration, *, pipeline: FlywheelPipeline) -> ComparedModels:
    active_now = pipeline.service.describe().active_model_arn
    serving = pipeline.published.active()
    # A former generation's model is served until a better one is found, even if Comprehend itself makes the first model
    # of this generation active.
    former = is_of_another_flywheel(serving, intake=pipeline.intake, flywheel_arn=pipeline.service.arn)
    return ComparedModels(
        candidate=iteration.trained.arn if iteration.trained else None,
        active=serving if former else active_now or serving,
        active_now=active_now,
    )
