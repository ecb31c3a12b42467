"""How many models an account may have in the making."""

from __future__ import annotations

from local.comprehend.errors import limit_exceeded
from local.comprehend.model_kind import ModelKind
from local.comprehend.settings import Settings
from local.comprehend.state import RegionState


def require_room(region: RegionState, kind: ModelKind, settings: Settings) -> None:
    """Raise ResourceLimitExceededException if no further model without a flywheel may be trained or imported."""
    running = sum(
        model.kind is kind and model.in_training and model.flywheel_arn is None for model in region.models.values()
    )
    if running >= settings.maximum_trainings_of_a_type:
        raise limit_exceeded(
            f"{running} {kind.words}s are being trained or imported, the most of an account at a time."
        )
