"""Unpacks gzip while a file is read, in memory that does not depend on its size."""

from __future__ import annotations

import io
import zlib
from dataclasses import replace
from typing import Protocol, TypeVar

from .file_format import FileFormat
from .problems import Violation
from .rules import BROKEN_GZIP, FILE_TOO_LARGE, UNPACKS_TOO_FAR, UNPACKS_TOO_LARGE, UNSUPPORTED_TYPE

LARGEST_READ_WHOLE = 10_000_000
"""Bytes that a file may unpack to which is read as a whole."""
_MAGIC = b"\x1f\x8b"
_GZIP_ONLY = 31
_READ_AT_ONCE = 1 << 16
# Deflate packs 1,032 equal bytes into one. Documents, of which no two are alike, are far from that; a small file may
# well repeat itself.
_MOST_TIMES = 250
_NOT_JUDGED = 1 << 24
_REASONS = {
    "incorrect data check": "its checksum is not that of its content",
    "incorrect length check": "its length is not that of its content",
}


FoundT = TypeVar("FoundT")


class UnusableGzipError(Exception):
    """What a file unpacks to cannot be used, also what was read of it before."""

    def __init__(self, violation: Violation, *, name: str | None) -> None:
        super().__init__(violation.rule.id)
        self.violation = violation
        self.name = name


class Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Unpacked:
    """A file's content: if its first bytes are gzip's, what it unpacks to, otherwise the file as it is.

    Several archives one after the other are one, as for gzip itself, and zeros may follow them (padding of tapes).
    """

    def __init__(self, source: Source, *, limit: int, name: str | None = None) -> None:
        """``limit`` is how many bytes it may unpack to. ``name`` is what a `UnusableGzipError` calls the file."""
        self._source = source
        self._limit = limit
        self._name = name
        self._packed = b""
        self._bytes_packed = self._bytes_unpacked = 0
        self._archive: zlib._Decompress | None = None
        self._begun = False
        self.is_gzip = False
        """Known as soon as anything was read."""

    def read(self, size: int, /) -> bytes:
        """The next ``size`` bytes, fewer only at the end; of other files than gzip what the source has at once.

        Raises UnusableGzipError.
        """
        if not self._begun:
            self._begin(size)
        if self.is_gzip:
            return self._unpack(size)
        start, self._packed = self._packed, b""
        return start or self._source.read(size)

    def format_of(self, found: FileFormat | None) -> FileFormat | None:
        return replace(found, gzip=True) if found is not None and self.is_gzip else found

    def named(self, found: FoundT) -> FoundT | Violation:
        """What was found in it; of a type that is not supported it is said that gzip is around it."""
        if not self.is_gzip or not isinstance(found, Violation) or found.rule is not UNSUPPORTED_TYPE:
            return found
        return Violation(found.rule, {**found.facts, "what": f"{found.facts['what']} in gzip"})

    def _begin(self, size: int) -> None:
        self._begun = True
        while len(self._packed) < len(_MAGIC) and (more := self._source.read(size)):
            self._packed += more
        self.is_gzip = self._packed.startswith(_MAGIC)
        self._bytes_packed = len(self._packed)

    def _unpack(self, size: int) -> bytes:
        pieces: list[bytes] = []
        while size and (piece := self._next_piece(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _next_piece(self, most: int) -> bytes:
        """At most so many bytes; none at the end."""
        piece = b""
        while not piece:
            if self._archive is None:
                self._archive = self._next_archive()
            if self._archive is None:
                break
            fed = self._packed or self._read_packed()
            try:
                piece = self._archive.decompress(fed, most)
            except zlib.error as error:
                detail = str(error).rpartition(": ")[2]
                raise self._broken(_REASONS.get(detail, f"it cannot be unpacked ({detail})")) from error
            self._packed = self._archive.unconsumed_tail
            if self._archive.eof:
                self._packed, self._archive = self._archive.unused_data, None
            elif not fed and not piece:
                raise self._broken("its end is missing")
        self._bytes_unpacked += len(piece)
        if self._bytes_unpacked > self._limit:
            raise self._refused(Violation(UNPACKS_TOO_LARGE, {"limit": self._limit}))
        if self._bytes_unpacked > max(_NOT_JUDGED, _MOST_TIMES * self._bytes_packed):
            raise self._refused(Violation(UNPACKS_TOO_FAR, {"times": _MOST_TIMES}))
        return piece

    def _next_archive(self) -> zlib._Decompress | None:
        self._packed = self._packed.lstrip(b"\0")
        while len(self._packed) < len(_MAGIC) and (more := self._read_packed()):
            self._packed = (self._packed + more).lstrip(b"\0")
        if not self._packed:
            return None
        if not self._packed.startswith(_MAGIC):
            raise self._broken("bytes follow it that are no gzip")
        return zlib.decompressobj(_GZIP_ONLY)

    def _read_packed(self) -> bytes:
        packed = self._source.read(_READ_AT_ONCE)
        self._bytes_packed += len(packed)
        if self._bytes_packed > self._limit:
            raise self._refused(Violation(FILE_TOO_LARGE, {"limit": self._limit}))
        return packed

    def _broken(self, reason: str) -> UnusableGzipError:
        return self._refused(Violation(BROKEN_GZIP, {"reason": reason}))

    def _refused(self, violation: Violation) -> UnusableGzipError:
        return UnusableGzipError(violation, name=self._name)


def unpacked(content: bytes) -> tuple[bytes, Unpacked]:
    """The content of a small file. Raises UnusableGzipError."""
    source = Unpacked(io.BytesIO(content), limit=max(LARGEST_READ_WHOLE, len(content)))
    pieces: list[bytes] = []
    while piece := source.read(_READ_AT_ONCE):
        pieces.append(piece)
    return b"".join(pieces), source
