"""Makes the body of an S3 object a buffered stream, to read it line by line."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import BinaryIO

_BUFFER = 1 << 18


def buffered(stream: BinaryIO) -> io.BufferedReader:
    return io.BufferedReader(_Raw(stream.read), _BUFFER)


class _Raw(io.RawIOBase):
    """botocore's body has no `readinto`, which buffered reading needs."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # RawIOBase takes any buffer, this one needs its length
        chunk = self._read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)
