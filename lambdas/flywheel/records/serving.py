"""What there is of the endpoint and why, for people and for the API's answer when there is none."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from flywheel.model_arn import short_name
from flywheel.store.record import Record

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket

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


_NONE = "none"
_IN_WORDS = {
    ServingStatus.NOT_WANTED: _NONE,
    ServingStatus.NO_MODEL: _NONE,
    ServingStatus.OUT_OF_HOURS: _NONE,
    ServingStatus.CREATING: "being created",
    ServingStatus.IN_SERVICE: "in service",
    ServingStatus.UPDATING: "changing",
    ServingStatus.DELETING: "being deleted",
    ServingStatus.BEHIND: "not as it should be",
}


def in_words(status: ServingStatus) -> str:
    """What there is of the endpoint; the values of the status itself are for programs."""
    return _IN_WORDS[status]


def sentence(state: ServingState | None) -> str:
    if state is None:
        return "The endpoint has never been looked at."
    words = in_words(state.status)
    there = "There is no endpoint" if words == _NONE else f"The endpoint is {words}"
    return f"{there}. {state.reason}".rstrip()


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


LEASE_KEY = "serving/lease.json"


SMOKE_TESTS = "serving/smoke-tests/"


class SmokeTest(Record):
    """The last one of a model. Holds no text."""

    model_arn: str
    endpoint_arn: str
    key: str
    documents: int
    right: int
    minimum: float
    """The least part that had to be right, from 0 to 1."""
    wrong: tuple[WrongLine, ...] = ()
    """The first of them."""
    at: datetime

    @property
    def passed(self) -> bool:
        # Not `minimum * documents`: 0.55 * 20 is more than 11.
        return self.right / self.documents >= self.minimum

    @property
    def sentence(self) -> str:
        how = "passed" if self.passed else "failed"
        return (
            f"The smoke test {how}: {self.right} of {self.documents} documents of {self.key} are right, "
            f"at least {self.minimum:.0%} have to be."
        )


def smoke_test_key(model_arn: str) -> str:
    return f"{SMOKE_TESTS}{short_name(model_arn).replace('/', '.')}.json"


def smoke_test_of(model_arn: str, *, intake: IntakeBucket) -> SmokeTest | None:
    return intake.read(smoke_test_key(model_arn), SmokeTest)


class WrongLine(Record):
    line: int
    expected: tuple[str, ...]
    answered: tuple[str, ...]
