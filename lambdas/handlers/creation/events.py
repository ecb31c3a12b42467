"""CloudFormation's events about the flywheel, and those of the create machine's steps."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flywheel.creation.wanted_flywheel import Tag, WantedFlywheel
from handlers.cloudformation import CustomResourceEvent


class FormerProperties(BaseModel):
    """Of the properties before an update, what the update needs."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    Tags: tuple[Tag, ...] = ()


class FlywheelEvent(CustomResourceEvent):
    ResourceProperties: WantedFlywheel
    OldResourceProperties: FormerProperties = FormerProperties()

    @property
    def flywheel_arn(self) -> str:
        """Of the flywheel to create, to change or to delete."""
        there = self.PhysicalResourceId if self.RequestType == "Delete" else None
        return there or self.ResourceProperties.flywheel_arn


class FlywheelStep(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    request: FlywheelEvent


class FlywheelEnd(FlywheelStep):
    error: str | None = None
    cause: str | None = None
