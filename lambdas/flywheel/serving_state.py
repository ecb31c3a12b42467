"""What there is of the endpoint and why, for people and for the API's answer when there is none."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from flywheel.record import Record

STATE_KEY = "serving/state.json"


class ServingStatus(StrEnum):
    NOT_WANTED = "not wanted"
    NO_MODEL = "no active model"
    OUT_OF_HOURS = "outside serving hours"
    CREATING = "creating"
    IN_SERVICE = "in service"
    UPDATING = "updating"
    """It goes on answering meanwhile."""
    DELETING = "deleting"
    BEHIND = "behind"
    """What is wanted could not be brought about; the next run tries again."""


def sentence(state: ServingState | None) -> str:
    return f"The endpoint is {state.status}. {state.reason}" if state else "The endpoint has never been looked at."


class ServingState(Record):
    """Written whenever it changes; absent before the Serving stack wanted anything."""

    status: ServingStatus
    reason: str
    """A sentence."""
    since: datetime
    """When the status became this."""
    endpoint_arn: str | None = None
    model_arn: str | None = None
    """The model that answers, as far as known."""
    at: datetime
