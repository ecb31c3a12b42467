"""Text that has to fit into what a service takes: cut by its bytes in UTF-8, never within a character."""

from __future__ import annotations

import json

SHORTENED = " [shortened]"
LONGEST_SENTENCE = 8 * 1024
"""Bytes of one reason, cause or message that goes on to a service: several fit into each of the limits of 256 KiB."""


def within(text: str, limit: int, *, rest: str = SHORTENED) -> str:
    """`text` in at most `limit` bytes; one that is longer ends with `rest`, which says that and where the whole is."""
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
    """Bytes of `value` as the shortest JSON in ASCII, which is the longest that it can be on its way."""
    return len(json.dumps(value, separators=(",", ":")))


def _encoded(text: str) -> bytes:
    """A lone surrogate, which UTF-8 cannot hold, becomes a question mark."""
    return text.encode(errors="replace")


def _cut(encoded: bytes, limit: int) -> str:
    return encoded[:limit].decode(errors="ignore")
