"""The status events of state machine executions (the Step Functions guide, "EventBridge events")."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from handlers.observability import Event, Variables, observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class StatusEvent(BaseModel):
    """The event's detail."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    status: str
    start_date: int = Field(alias="startDate")
    redrive_date: int | None = Field(alias="redriveDate", default=None)
    stop_date: int | None = Field(alias="stopDate", default=None)
    """All in milliseconds."""
    error: str | None = None
    cause: str | None = None
    input: str | None = None

    @property
    def began(self) -> datetime:
        """When the execution began, or was redriven: a report that is older does not count."""
        return datetime.fromtimestamp((self.redrive_date or self.start_date) / 1000, tz=UTC)

    def is_older_than(self, report: datetime) -> bool:
        """Whether it tells of an end before this report: the execution was redriven, and has reported another since."""
        return self.stop_date is not None and self.stop_date / 1000 < report.timestamp()


def handles_end(
    end_model: type[Event],
    environment_model: type[Variables],
    *,
    from_status_event: Callable[[StatusEvent, Variables], Event | None],
) -> Callable[[Callable[[Event, Variables], None]], Callable[[dict[str, Any], LambdaContext], dict[str, Any]]]:
    """Decorates the report of an execution's end: its last step, or what a status event says of an execution that did
    not reach that step. `from_status_event` gives None where there is nothing to report. Errors are as in `handles`."""
    environment = environment_model.load()

    def decorate(
        report: Callable[[Event, Variables], None],
    ) -> Callable[[dict[str, Any], LambdaContext], dict[str, Any]]:
        @observed
        @wraps(report)
        def checked(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
            if "detail" in event:
                end = from_status_event(StatusEvent.model_validate(event["detail"]), environment)
            else:
                end = end_model.model_validate(event)
            if end is not None:
                report(end, environment)
            return {}

        return checked

    return decorate
