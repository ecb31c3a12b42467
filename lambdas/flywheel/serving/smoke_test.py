"""The smoke test of a model that has come into service: does the endpoint label a small file as people did?"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from flywheel.confidence import labels_of
from flywheel.errors import FlywheelError
from flywheel.records.serving import SmokeTest, WrongLine

if TYPE_CHECKING:
    from flywheel.comprehend.live_endpoint import LiveEndpoint


MOST_DOCUMENTS = 200
MOST_CHARACTERS = 50_000
"""Of all documents: one inference unit takes 2 documents and 100 characters a second (reference 9.1), and the function
has 15 minutes. A file that takes longer would be tried again and again."""
MOST_WRONG_LINES = 20


class SmokeTestImpossible(FlywheelError):
    """The file of SmokeTestKey cannot be used; the message says what is wrong with it, and in which line."""


class Trial(StrEnum):
    """Of the model that answers."""

    NOT_WANTED = "NOT_WANTED"
    DUE = "DUE"
    DONE = "DONE"


@dataclass(frozen=True, kw_only=True)
class LabelledLine:
    number: int
    labels: frozenset[str]
    text: str


def read_lines(content: bytes, *, key: str, labels: Sequence[str], delimiter: str | None) -> list[LabelledLine]:
    """The documents of a CSV file of label and text, as uploads have it.

    `labels` are the flywheel's (none known: any will do), `delimiter` stands between the labels of a multi-label
    document. Raises SmokeTestImpossible.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SmokeTestImpossible(f"{key} is not UTF-8: byte {error.start} cannot be read.") from error
    known = frozenset(labels)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[LabelledLine] = []
    try:
        for row in reader:
            if not row:
                continue
            lines.append(_line(row, number=reader.line_num, key=key, known=known, delimiter=delimiter))
    except csv.Error as error:
        raise SmokeTestImpossible(f"{key}, line {reader.line_num}: {error}.") from error
    if not 1 <= len(lines) <= MOST_DOCUMENTS:
        raise SmokeTestImpossible(f"{key} has {len(lines)} documents; a smoke test takes 1 to {MOST_DOCUMENTS}.")
    characters = sum(len(line.text) for line in lines)
    if characters > MOST_CHARACTERS:
        raise SmokeTestImpossible(f"{key} has {characters} characters; a smoke test takes {MOST_CHARACTERS} at most.")
    return lines


def _line(row: list[str], *, number: int, key: str, known: frozenset[str], delimiter: str | None) -> LabelledLine:
    if len(row) != 2 or not row[1].strip():
        raise SmokeTestImpossible(f"{key}, line {number}: a line holds a label and a text.")
    labels = frozenset(row[0].split(delimiter) if delimiter else [row[0]])
    unknown = labels - known if known else frozenset()
    if unknown:
        names = ", ".join(sorted(unknown))
        raise SmokeTestImpossible(f"{key}, line {number}: {names} is not among the flywheel's labels.")
    return LabelledLine(number=number, labels=labels, text=row[1])


def run_smoke_test(
    lines: Sequence[LabelledLine],
    *,
    endpoint: LiveEndpoint,
    model_arn: str,
    key: str,
    minimum: float,
    now: datetime,
) -> SmokeTest:
    """Ask the endpoint about each line. Its client retries what is throttled. Raises botocore's ClientError."""
    wrong = []
    for line in lines:
        found = endpoint.classify(line.text)
        answered = frozenset(labels_of(found.scores, multi_label=found.multi_label))
        if answered != line.labels:
            wrong.append(
                WrongLine(line=line.number, expected=tuple(sorted(line.labels)), answered=tuple(sorted(answered)))
            )
    return SmokeTest(
        model_arn=model_arn,
        endpoint_arn=endpoint.arn,
        key=key,
        documents=len(lines),
        right=len(lines) - len(wrong),
        minimum=minimum,
        wrong=tuple(wrong[:MOST_WRONG_LINES]),
        at=now,
    )


def trial_of(*, tested: SmokeTest | None, key: str, since: datetime | None) -> Trial:
    """Whether the model that came into service is to be tested: each once with the file `key`, and again in a promotion
    that began `since` its last test, `tested`. An older test, or one with another file, says nothing."""
    if not key:
        return Trial.NOT_WANTED
    if tested is None or tested.key != key or (since is not None and tested.at < since):
        return Trial.DUE
    return Trial.DONE
