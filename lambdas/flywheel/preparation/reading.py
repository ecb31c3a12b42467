"""Reads a file's blocks one after the other, until its end or until it cannot be accepted any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from .label_advice import shortened
from .line_reader import Block, LineReader
from .problems import BadLines, Violation
from .rules import FILE_TOO_LARGE, TOO_MANY_DOCUMENTS, TOO_MANY_ROWS, check_share_of_bad_lines

_MOST_BAD_LINES = 0.8


class ReadsBlocks(Protocol):
    line: int
    """The line the next block begins with."""

    def read(self, block: Block, /) -> int:
        """Take the records of a block; returns the bytes taken."""

    def pass_over(self, pieces: Iterator[bytes], /) -> None:
        """Take note of a line that is too long to be read as a whole."""


class Written(Protocol):
    """What was written so far."""

    documents: int
    bytes: int
    duplicates: int

    @property
    def full(self) -> bool: ...


class FileLimits(Protocol):
    @property
    def maximum_bad_lines_percent(self) -> float: ...
    @property
    def document_bytes(self) -> int: ...
    @property
    def file_bytes(self) -> int: ...
    @property
    def documents(self) -> int: ...
    @property
    def rows(self) -> int: ...


def read_blocks(lines: LineReader, reader: ReadsBlocks, *, check: Callable[[], Violation | None]) -> Violation | None:
    """``lines`` has begun. ``check`` says why the file cannot be accepted whatever the rest of it holds."""
    violation = None
    while violation is None:
        block = lines.next_block()
        if block is not None:
            lines.take(reader.read(block))
        elif lines.next_line_is_too_long:
            reader.pass_over(lines.skip_line())
            reader.line += 1
        else:
            break
        violation = check()
    return violation


def check_so_far(
    *, bytes_read: int, written: Written, bad: int, limits: FileLimits, good: int, most_good: int
) -> Violation | None:
    """Why the file cannot be accepted whatever the rest of it holds. ``bad`` is how many of its lines are bad, ``good``
    how many of the others count beside them, and ``most_good`` how many may."""
    if max(bytes_read, written.bytes) > limits.file_bytes:
        return Violation(FILE_TOO_LARGE, {"limit": limits.file_bytes})
    if written.full:
        return Violation(TOO_MANY_DOCUMENTS, {"limit": limits.documents})
    if written.documents + written.duplicates + bad > limits.rows:
        return Violation(TOO_MANY_ROWS, {"limit": limits.rows})
    return check_share_of_bad_lines(
        bad=bad,
        documents=good,
        maximum_percent=limits.maximum_bad_lines_percent,
        most_documents=most_good,
    )


def with_reason(too_many: Violation, bad: BadLines) -> Violation:
    """What is wrong with most of the bad lines, if they are bad in the same way."""
    first = bad.examples[0] if bad.examples else None
    if first is None or first.alike < _MOST_BAD_LINES * bad.total:
        return too_many
    # A refused conflict has no line.
    file = "" if first.file is None else f" of {shortened(first.file)}"
    where = "For" if first.line is None else f"Line {first.line:,}{file}, for"
    reason = f" {where} example: {first.message}"
    return Violation(too_many.rule, {**too_many.facts, "rest": too_many.facts["rest"] + reason})
