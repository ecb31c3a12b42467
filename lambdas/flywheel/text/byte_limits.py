"""Shortens text to the limits of services: counted in bytes of UTF-8, and never cut within a character."""

from __future__ import annotations

import json

SHORTENED = " [shortened]"
LONGEST_SENTENCE = 8 * 1024
"""Most bytes of one reason, cause or message. Several of them fit into the services' limits of 256 KiB."""
DOCUMENT_ANSWER = 200_000
"""Most bytes of the real-time API's answer for one document. Lambda's responses may have 6 MB, and a response has up to
25 documents."""


def within(text: str, limit: int, *, rest: str = SHORTENED) -> str:
    """`text` in at most `limit` bytes. A shortened one ends with `rest`, which can say where the full text is."""
    encoded = _encoded(text)
    if len(encoded) <= limit:
        return text
    room = limit - len(_encoded(rest))
    if room < 0:
        return _cut(_encoded(rest), limit)
    return _cut(encoded, room) + rest


def size_of(text: str) -> int:
    """Bytes in UTF-8."""
    return len(_encoded(text))


def size_as_json(value: object) -> int:
    """Bytes of `value` as compact JSON in ASCII, where escapes make other characters longest: an upper bound."""
    return len(json.dumps(value, separators=(",", ":")))


def _encoded(text: str) -> bytes:
    """A lone surrogate, which UTF-8 cannot hold, becomes a question mark."""
    return text.encode(errors="replace")


def _cut(encoded: bytes, limit: int) -> str:
    return encoded[:limit].decode(errors="ignore")
