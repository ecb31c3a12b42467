"""The three resources that nearly every step needs: the intake bucket, who knows the active model, and the published
parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flywheel.comprehend.active_model import ActiveModelService
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.store.bucket import IntakeBucket
    from flywheel.store.parameters import PublishedModels


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    intake: IntakeBucket
    service: ActiveModelService
    published: PublishedModels


@dataclass(frozen=True, kw_only=True)
class FlywheelPipeline(Pipeline):
    """Where there is a flywheel: models are trained, not imported."""

    service: FlywheelService
