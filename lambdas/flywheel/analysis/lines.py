"""Reads the lines of a file, or of a range of it, in memory that grows only with the longest line."""

from __future__ import annotations

from collections.abc import Callable, Iterator

_BLOCK = 1 << 20
_EXCERPT = 4096
"""Bytes that are returned of a line that is too long."""


def read_lines(
    read: Callable[[int], bytes], *, continued: bool, length: int, longest: int, block: int = _BLOCK
) -> Iterator[tuple[bytes, bool]]:
    """The lines that begin within the first `length` bytes, without their ends, and whether each is too long.

    A line ends with LF, CR or CRLF, as in Comprehend's guide ("File formats for async analysis"). With `continued`
    the stream begins one byte before the range, and the line there is left out, because it begins in another range.
    Only the first bytes are returned of a line of more than `longest` bytes.
    """
    position = -1 if continued else 0
    rest, beginning = b"", None
    leave_out = continued
    while True:
        chunk = read(block)
        pieces = (rest + chunk).splitlines(keepends=True)
        # The last piece may be incomplete: without a line end, or with a CR whose LF comes with the next block.
        rest = pieces.pop() if chunk and pieces and not pieces[-1].endswith(b"\n") else b""
        for piece in pieces:
            if beginning is None and position >= length:
                return
            position += len(piece)
            if leave_out:
                leave_out, beginning = False, None
                continue
            if beginning is not None:
                yield beginning, True
                beginning = None
                continue
            line = piece.rstrip(b"\r\n") if piece[-1:] in b"\r\n" else piece
            yield (line[:_EXCERPT], True) if len(line) > longest else (line, False)
        if not chunk or (beginning is None and position >= length):
            return
        if len(rest) > longest + 2:
            beginning = rest[:-1][:_EXCERPT] if beginning is None else beginning
            # Its last byte may be a CR.
            position += len(rest) - 1
            rest = rest[-1:]
