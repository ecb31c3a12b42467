"""The files of an upload, and how far they have been read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from ..file_format import BYTE_ORDER_MARK, FileFormat, LineEnds
from ..layout import BYTES_LOOKED_AT
from ..line_reader import Block, LineReader
from ..problems import Violation
from ..reading import check_so_far, read_blocks
from ..source_file import SourceFile
from ..unpacking import Unpacked
from .intake import Intake
from .writer import EntityWriter


def is_hidden(name: str) -> bool:
    """Whether a file is one of those that operating systems leave in folders (``.DS_Store``)."""
    return name.rpartition("/")[2].startswith(".")


class Reader(Protocol):
    """Reads the records of one file."""

    longest_record: int
    line: int

    def read(self, block: Block, /) -> int: ...
    def pass_over(self, pieces: Iterator[bytes], /) -> None: ...
    def finish(self) -> None:
        """Nothing comes after what was read."""


class Opened:
    """A file whose beginning has been looked at: ``head``, which is all of it if it is ``whole``."""

    def __init__(self, file: SourceFile, *, limit: int, block_bytes: int) -> None:
        """``limit`` is how many bytes it may unpack to. Raises `UnusableGzipError`, as reading on may."""
        self.name = file.name
        self.content = Unpacked(file.open(), limit=limit, name=file.name)
        self.lines = LineReader(self.content, block_bytes=block_bytes)
        self.head, self.whole = self.lines.peek(BYTES_LOOKED_AT)


class Progress:
    """Reads files of one upload, until it cannot be accepted any more."""

    def __init__(self, *, intake: Intake, documents: EntityWriter, block_bytes: int) -> None:
        self._intake = intake
        self._documents = documents
        self._block_bytes = block_bytes
        self._bytes_before = 0
        self.lines_read = 0
        self.blamed: str | None = None
        """The one file of a folder because of which nothing is taken."""
        self.gzip = False
        """Whether one of the files is gzip."""

    def open(self, file: SourceFile) -> Opened:
        opened = Opened(file, limit=self._intake.limits.file_bytes, block_bytes=self._block_bytes)
        self.gzip = self.gzip or opened.content.is_gzip
        return opened

    def read(
        self, file: Opened, file_format: FileFormat, reader: Reader, *, more_bad: Callable[[], int] = lambda: 0
    ) -> Violation | None:
        """Read a file to its end; returns why the upload cannot be accepted. ``more_bad`` counts what will be a bad
        line and is none yet."""
        lines = file.lines
        skip = len(BYTE_ORDER_MARK) if file_format.byte_order_mark else 0
        old_mac = file_format.line_ends is LineEnds.CR
        lines.begin(skip=skip, longest_line=reader.longest_record, old_mac=old_mac)

        def check() -> Violation | None:
            return self._check(self._bytes_before + lines.bytes_read, more_bad())

        violation = read_blocks(lines, reader, check=check)
        if violation is None:
            reader.finish()
            violation = check()
        self._bytes_before += lines.bytes_read
        self.lines_read += reader.line - 1
        return violation

    def begin_anew(self) -> None:
        """The files from here on have a limit of their own."""
        self._bytes_before = 0

    @property
    def good(self) -> int:
        """Documents that count beside the bad lines: also those that were dropped because they came before."""
        return self._documents.documents + self._documents.duplicates

    def _check(self, bytes_read: int, more_bad: int) -> Violation | None:
        return check_so_far(
            bytes_read=bytes_read,
            written=self._documents,
            bad=self._intake.bad.total + more_bad,
            limits=self._intake.limits,
            good=self.good,
            most_good=self._intake.limits.rows,
        )
