"""Records of the endpoint's state and of smoke tests; and their keys."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from flywheel.records.model_arn import short_name
from flywheel.store.record import Record

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket

STATE_KEY = "serving/state.json"
LEASE_KEY = "serving/lease.json"
SMOKE_TESTS = "serving/smoke-tests/"


class ServingStatus(StrEnum):
    NOT_WANTED = "not wanted"
    NO_MODEL = "no active model"
    OUT_OF_HOURS = "outside serving hours"
    CREATING = "creating"
    IN_SERVICE = "in service"
    UPDATING = "updating"
    """The endpoint keeps answering."""
    DELETING = "deleting"
    BEHIND = "behind"
    """The endpoint could not be brought to its target; the next run tries again."""


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
    """The status as people read it; the enum's values are for programs."""
    return _IN_WORDS[status]


class ServingState(Record):
    """Written whenever it changes. Absent before the Serving stack has run."""

    status: ServingStatus
    reason: str
    """A sentence."""
    since: datetime
    """When the status became this."""
    endpoint_arn: str | None = None
    model_arn: str | None = None
    """The served model, if it is known."""
    at: datetime


def sentence(state: ServingState | None) -> str:
    if state is None:
        return "The endpoint has never been looked at."
    words = in_words(state.status)
    there = "There is no endpoint" if words == _NONE else f"The endpoint is {words}"
    return f"{there}. {state.reason}".rstrip()


class WrongLine(Record):
    line: int
    expected: tuple[str, ...]
    answered: tuple[str, ...]


class SmokeTest(Record):
    """The last smoke test of a model. Holds no document's text."""

    model_arn: str
    endpoint_arn: str | None = None
    """None: a job answered the documents, before anything served the model."""
    key: str
    documents: int
    right: int
    minimum: float
    """The share of documents that has to be right, from 0 to 1."""
    wrong: tuple[WrongLine, ...] = ()
    """The first wrong answers."""
    at: datetime

    @property
    def passed(self) -> bool:
        # Not `right >= minimum * documents`: in floating point 0.55 * 20 is more than 11.
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


def failed_smoke_test_of(model_arn: str, *, intake: IntakeBucket, since: datetime | None = None) -> SmokeTest | None:
    """The last smoke test of the model if it failed, and not before `since`; else None."""
    tested = smoke_test_of(model_arn, intake=intake)
    if tested is None or tested.passed or (since is not None and tested.at < since):
        return None
    return tested
