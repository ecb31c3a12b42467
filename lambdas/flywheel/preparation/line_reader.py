"""Reads a stream as blocks of whole lines, in memory that depends on the longest line and not on the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .unpacking import Source

DOS_END = b"\x1a"
"""Ctrl-Z, the end of a text file for DOS, is nothing of the file's content."""
_FIRST_LINE = re.compile(rb"\s*+\S[^\r\n]*+[\r\n]")


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines as they stood.

    ``final`` when nothing comes after them; only then may the last lack its line end. ``ahead`` is how many bytes
    after them have been read, for a line that is not whole yet or for want of space.
    """

    raw: bytes
    final: bool
    ahead: int = 0


class LineReader:
    """``peek``, then ``begin``, then ``next_block`` and ``take`` in turn: what was not taken is offered again."""

    def __init__(self, source: Source, *, block_bytes: int) -> None:
        self._source = source
        self._block_bytes = block_bytes
        self._longest_line = block_bytes
        self._old_mac = False
        self._buffer = b""
        self._start = 0
        self._wanted = block_bytes
        self._exhausted = False
        self.bytes_read = 0

    def peek(self, wanted: int) -> tuple[bytes, bool]:
        """At least the first ``wanted`` bytes of the file if it has as many, and whether it is all of it."""
        self._fill(wanted)
        # One byte more tells a file of exactly this size from a longer one.
        self._fill(len(self._buffer) + 1)
        return self._buffer, self._exhausted

    def peek_line(self, longest: int) -> tuple[bytes, bool]:
        """As `peek`, but with the first line that is not blank to its end, if that is within ``longest`` bytes."""
        head, whole = self._buffer, self._exhausted
        while not whole and len(head) < longest + 2 and not _FIRST_LINE.match(head):
            head, whole = self.peek(min(2 * len(head), longest + 2))
        return head, whole

    def begin(self, *, skip: int, longest_line: int, old_mac: bool) -> None:
        """Start after ``skip`` bytes. No line of more than ``longest_line`` bytes is read as a whole.

        With ``old_mac`` a carriage return ends a line, and is read as a newline.
        """
        self._start = skip
        self._longest_line = longest_line
        self._old_mac = old_mac
        if old_mac:
            self._buffer = self._buffer.replace(b"\r", b"\n")

    def next_block(self) -> Block | None:
        """Lines not taken so far; None at the end of the file or if the next line is too long to be read."""
        while True:
            self._fill(self._wanted)
            available = len(self._buffer) - self._start
            end = self._buffer.rfind(b"\n", self._start, self._start + self._wanted) + 1
            if self._exhausted and available <= self._wanted:
                end = len(self._buffer)
            if end > self._start:
                break
            if not available or self.next_line_is_too_long:
                return None
            # No more than it takes to see that the line is too long.
            self._wanted = min(2 * self._wanted, max(self._longest_line + 3, self._wanted + 1))
        ahead = len(self._buffer) - end
        return Block(self._buffer[self._start : end], final=self._exhausted and not ahead, ahead=ahead)

    @property
    def next_line_is_too_long(self) -> bool:
        """Whether there is no line end within the longest line's bytes and its own two."""
        longest = self._longest_line + 2
        return len(self._buffer) - self._start > longest and (
            self._buffer.find(b"\n", self._start, self._start + longest + 1) < 0
        )

    def take(self, count: int) -> None:
        """Mark the first bytes of the block as done; if none are, the next block is twice as large."""
        self._start += count
        self._wanted = self._block_bytes if count else 2 * self._wanted

    def skip_line(self) -> Iterator[bytes]:
        """Pass over the next line however long it is, handing out its bytes in pieces."""
        while True:
            self._fill(self._block_bytes)
            end = self._buffer.find(b"\n", self._start) + 1
            piece = self._buffer[self._start : end or len(self._buffer)]
            if not piece:
                break
            self._start += len(piece)
            yield piece
            if end:
                break
        self._wanted = self._block_bytes

    def _fill(self, wanted: int) -> None:
        while len(self._buffer) - self._start < wanted and not self._exhausted:
            chunk = self._source.read(max(self._block_bytes, wanted - (len(self._buffer) - self._start)))
            if not chunk:
                self._exhausted = True
                self._buffer = self._buffer[: self._start] + self._buffer[self._start :].rstrip(DOS_END)
                break
            self.bytes_read += len(chunk)
            if self._old_mac:
                chunk = chunk.replace(b"\r", b"\n")
            self._buffer = self._buffer[self._start :] + chunk
            self._start = 0
