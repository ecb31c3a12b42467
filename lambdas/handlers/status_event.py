"""The status events of state machine executions (the Step Functions guide, "EventBridge events")."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field


class StatusEvent(BaseModel):
    """The event's detail."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    status: str
    start_date: int = Field(alias="startDate")
    redrive_date: int | None = Field(alias="redriveDate", default=None)
    """Both in milliseconds."""
    error: str | None = None
    cause: str | None = None
    input: str | None = None

    @property
    def began(self) -> datetime:
        """When the execution began, or was redriven: a report that is older does not count."""
        return datetime.fromtimestamp((self.redrive_date or self.start_date) / 1000, tz=UTC)
