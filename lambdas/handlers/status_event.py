"""The status events of executions (the Step Functions guide, "EventBridge events")."""

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
        """A redriven execution keeps the date of its start; what it reported before it was redriven does not count."""
        return datetime.fromtimestamp((self.redrive_date or self.start_date) / 1000, tz=UTC)
