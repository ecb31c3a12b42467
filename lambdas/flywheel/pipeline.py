"""The three resources that nearly every step needs: the intake bucket, the flywheel, and the published parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.store.bucket import IntakeBucket
    from flywheel.store.parameters import PublishedModels


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    intake: IntakeBucket
    service: FlywheelService
    published: PublishedModels
