"""The smoke test of a newly served model: compares the endpoint's labels for a small file with those in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from flywheel.confidence import NO_THRESHOLDS
from flywheel.faults.errors import FlywheelError
from flywheel.preparation import LabelledDocument, Problem
from flywheel.records.serving import SmokeTest, WrongLine

if TYPE_CHECKING:
    from flywheel.comprehend.live_endpoint import LiveEndpoint
    from flywheel.comprehend.model_kind import ModelKind, Task
    from flywheel.confidence import Thresholds
    from flywheel.store.bucket import IntakeBucket


MOST_DOCUMENTS = 200
MOST_CHARACTERS = 50_000
"""Of all documents together. One inference unit takes 2 documents and 100 characters a second (reference 9.1), and the
function has 15 minutes: a test that takes longer could never end."""
MOST_WRONG_LINES = 20


class SmokeTestImpossible(FlywheelError):
    """The file at SmokeTestKey cannot be used. The message says what is wrong, and in which line."""


class Trial(StrEnum):
    """Whether the served model has to be tested."""

    NOT_WANTED = "NOT_WANTED"
    DUE = "DUE"
    DONE = "DONE"


def read_documents(content: bytes, *, key: str, kind: ModelKind, task: Task, delimiter: str) -> list[LabelledDocument]:
    """The documents of a labelled file, which is in a format of uploads. Without `task.labels` all labels are allowed.

    Raises SmokeTestImpossible.
    """
    found = kind.read_documents(content, task=task, delimiter=delimiter)
    if isinstance(found, Problem):
        where = f"{key}, line {found.line}" if found.line else key
        raise SmokeTestImpossible(f"{where}: {found.message} {found.fix}")
    if not 1 <= len(found) <= MOST_DOCUMENTS:
        raise SmokeTestImpossible(f"{key} has {len(found)} documents; a smoke test takes 1 to {MOST_DOCUMENTS}.")
    characters = sum(len(document.text) for document in found)
    if characters > MOST_CHARACTERS:
        raise SmokeTestImpossible(f"{key} has {characters} characters; a smoke test takes {MOST_CHARACTERS} at most.")
    return found


def find_documents(
    key: str, *, intake: IntakeBucket, kind: ModelKind, task: Task, delimiter: str
) -> list[LabelledDocument]:
    """Those of the object at `key`. Raises SmokeTestImpossible."""
    content = intake.read_bytes_if_there(key)
    if content is None:
        raise SmokeTestImpossible(f"SmokeTestKey is {key}, but the intake bucket has no such object.")
    return read_documents(content, key=key, kind=kind, task=task, delimiter=delimiter)


class Answered(NamedTuple):
    line: int
    """Where the document begins in the labelled file."""
    expected: frozenset[str]
    answered: frozenset[str]


def ask_endpoint(
    documents: Iterable[LabelledDocument], *, endpoint: LiveEndpoint, thresholds: Thresholds = NO_THRESHOLDS
) -> Iterator[Answered]:
    """Classify each document with the endpoint. Its client retries throttled calls. Raises botocore's ClientError.

    `thresholds` are those of the model.
    """
    for document in documents:
        answered = frozenset(endpoint.classify(document.text).at(thresholds).labels)
        yield Answered(document.line, frozenset(document.labels), answered)


def result_of(
    answers: Iterable[Answered], *, model_arn: str, endpoint_arn: str | None, key: str, minimum: float, now: datetime
) -> SmokeTest:
    """`endpoint_arn` is None if a job answered."""
    found = list(answers)
    wrong = [
        WrongLine(line=line, expected=tuple(sorted(expected)), answered=tuple(sorted(answered)))
        for line, expected, answered in found
        if expected != answered
    ]
    return SmokeTest(
        model_arn=model_arn,
        endpoint_arn=endpoint_arn,
        key=key,
        documents=len(found),
        right=len(found) - len(wrong),
        minimum=minimum,
        wrong=tuple(wrong[:MOST_WRONG_LINES]),
        at=now,
    )


def trial_of(*, tested: SmokeTest | None, key: str, since: datetime | None) -> Trial:
    """Whether the served model has to be tested with the file `key`. `tested` is its last test.

    Each model is tested once, and again if the file's key changes or if a promotion of it began (`since`) after the
    last test.
    """
    if not key:
        return Trial.NOT_WANTED
    if tested is None or tested.key != key or (since is not None and tested.at < since):
        return Trial.DUE
    return Trial.DONE
