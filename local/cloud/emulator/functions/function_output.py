"""What a function's process writes: complete when an invocation ends, and not a moment later.

MiniStack waits some milliseconds for lines, and what a busy machine brings later comes out with the function's next
invocation. But the runtime client writes without a buffer and answers after that, so when the answer is there,
everything that was written before it is in the pipe: it only has to be read.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from typing import IO

_MOST_LINES = 10_000
_AT_ONCE = 1 << 16


class FunctionOutput:
    """Standard output and standard error of one process, from the read end of their pipe."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self._reading = threading.Lock()
        self._lines: deque[str] = deque(maxlen=_MOST_LINES)
        self._unfinished = b""
        self._open = True
        os.set_blocking(stream.fileno(), False)

    def pump(self) -> None:
        """Keep the pipe from filling until the other end is closed."""
        poll = select.poll()
        poll.register(self.stream.fileno(), select.POLLIN)
        while self._open:
            poll.poll()
            with self._reading:
                self._read()
                if not self._open:
                    self.stream.close()

    def take(self) -> list[str]:
        """All lines written so far that were not taken yet, a last unfinished one included."""
        with self._reading:
            self._read()
            if self._unfinished:
                self._lines.append(_text(self._unfinished))
                self._unfinished = b""
            taken = list(self._lines)
            self._lines.clear()
        return taken

    def _read(self) -> None:
        while self._open:
            try:
                content = os.read(self.stream.fileno(), _AT_ONCE)
            except BlockingIOError:
                return
            if not content:
                self._open = False
            *lines, self._unfinished = (self._unfinished + content).split(b"\n")
            self._lines.extend(_text(line) for line in lines)


def _text(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r")
