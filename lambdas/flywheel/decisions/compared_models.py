"""Which models a decision compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flywheel.decisions.history import is_of_another_flywheel

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService, Iteration
    from flywheel.store.bucket import IntakeBucket
    from flywheel.store.parameters import PublishedModels


@dataclass(frozen=True, kw_only=True)
class Contenders:
    """ARNs of models."""

    candidate: str | None
    """None if the iteration trained no model."""
    active: str | None
    """What serves predictions; it may be the candidate."""
    active_now: str | None
    """The flywheel's active model: none in a new generation whose former model still serves."""

    @property
    def to_ask(self) -> tuple[str, ...]:
        """Those whose answers a decision on a hold-out needs, each once."""
        return tuple(dict.fromkeys(arn for arn in (self.candidate, self.active) if arn)) if self.candidate else ()


def find_contenders(
    iteration: Iteration, *, intake: IntakeBucket, service: FlywheelService, published: PublishedModels
) -> Contenders:
    active_now = service.describe().active_model_arn
    serving = published.active()
    # A former generation's model serves until it is beaten, even if the service makes the first of this one active.
    former = is_of_another_flywheel(serving, intake=intake, flywheel_arn=service.arn)
    return Contenders(
        candidate=iteration.trained.arn if iteration.trained else None,
        active=serving if former else active_now or serving,
        active_now=active_now,
    )
