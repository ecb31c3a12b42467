"""A document's text as it is written: on one line, without the white space around it."""

from __future__ import annotations

_NEWLINES_TO_SPACES = bytes.maketrans(b"\r\n", b"  ")


def without_newlines(text: bytes) -> bytes:
    """Newlines (CRLF counts as one) become spaces and ASCII white space at both ends goes.

    AWS does not say whether a quoted document may span lines, and its sample code replaces newlines because they
    "cause errors for the document parser".
    """
    return without_line_feeds(text.replace(b"\r\n", b"\n"))


def without_line_feeds(text: bytes) -> bytes:
    """As `without_newlines`, of a text in which every CRLF is a line feed already: a carriage return before one of
    these was a line end of its own."""
    return text.translate(_NEWLINES_TO_SPACES).strip()
