"""Reads documents from JSON Lines: one object with a text and its label or labels on each line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from .documents import TakesDocuments
from .label_advice import shortened
from .labels import LabelColumn
from .limits import BYTES_BESIDES_THE_TEXT, Limits
from .line_reader import Block
from .problems import BadLines, Violation
from .rules import (
    DOCUMENT_TOO_LARGE,
    INVALID_JSON,
    MISSING_JSON_KEY,
    NOT_UTF8,
    REPEATED_JSON_KEY,
    WRONG_JSON_VALUE,
    check_text,
    check_utf8,
)
from .text import without_newlines

# A character outside ASCII takes six bytes as an escape and at least two as itself.
_ESCAPED_BYTES_PER_BYTE = 3
_KEYS = ("label", "labels", "text")
_KEYS_SHOWN = 5
# White space, and a byte order mark where files were put together.
_AROUND = " \t\r\n\ufeff"
# Decoded, every value takes tens of bytes.
_LINE_OF_MANY_VALUES = 1 << 20
_MOST_VALUES = 2_000_000


class _RepeatedKeyError(Exception):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class _NotJsonError(Exception):
    """NaN and the like, which Python's decoder takes."""


class JsonLinesReader:
    """Turns blocks of lines into documents and bad lines."""

    def __init__(self, *, labels: LabelColumn, limits: Limits, documents: TakesDocuments, bad: BadLines) -> None:
        self._labels = labels
        self._limits = limits
        self.longest_record = _ESCAPED_BYTES_PER_BYTE * limits.document_bytes + BYTES_BESIDES_THE_TEXT
        """Bytes of the longest record that can hold a document within the limit."""
        self._documents = documents
        self._bad = bad
        self.line = 1
        """The line the next block begins with."""

    def read(self, block: Block) -> int:
        """Take all documents of a block; returns the bytes taken."""
        heads: list[bytes] = []
        texts: list[bytes] = []
        utf8 = block.raw.isascii() or check_utf8(block.raw) is None
        for raw in _lines(block.raw):
            if not raw or raw.isspace():
                self.line += 1
                continue
            found = self._document(raw, utf8=utf8)
            if isinstance(found, Violation):
                self._bad.add(found, line=self.line, raw=raw)
            else:
                heads.append(found[0])
                texts.append(found[1])
            self.line += 1
        self._documents.write(heads, texts, range(len(texts)))
        return len(block.raw)

    def _document(self, raw: bytes, *, utf8: bool) -> tuple[bytes, bytes] | Violation:
        """Head and text of one line. ``utf8`` says that the line is known to be UTF-8."""
        if len(raw.rstrip(b"\r\n")) > self.longest_record:
            return Violation(DOCUMENT_TOO_LARGE, {"limit": self._limits.document_bytes})
        violation = None if utf8 else check_utf8(raw)
        if violation is not None:
            return violation
        if len(raw) > _LINE_OF_MANY_VALUES and sum(map(raw.count, (b",", b'"', b"[", b"{"))) > _MOST_VALUES:
            return Violation(INVALID_JSON, {"reason": "it holds too many values"})
        try:
            value = _decode(raw.decode().strip(_AROUND))
        except _RepeatedKeyError as error:
            return Violation(REPEATED_JSON_KEY, {"key": shortened(error.key)})
        except json.JSONDecodeError as error:
            return Violation(INVALID_JSON, {"reason": _reason(error)})
        except _NotJsonError as error:
            return Violation(INVALID_JSON, {"reason": f"{error} is no JSON value"})
        except (ValueError, RecursionError):
            return Violation(INVALID_JSON, {"reason": "it is nested too deeply or holds too long a number"})
        if not isinstance(value, dict):
            return Violation(INVALID_JSON, {"reason": "it is some other JSON value"})
        head = self._head(value)
        if isinstance(head, Violation):
            return head
        return self._with_text(head, value)

    def _head(self, value: dict[str, Any]) -> bytes | Violation:
        if len(value) > len(_KEYS) - 1:
            for key in value:
                if key not in _KEYS and key.strip().casefold() in value and key.strip().casefold() in _KEYS:
                    return Violation(REPEATED_JSON_KEY, {"key": shortened(key)})
        if "label" in value and "labels" in value:
            return Violation(WRONG_JSON_VALUE, {"what": 'Both "label" and "labels" are given', "instead": "Keep one"})
        key = "labels" if "labels" in value else "label"
        if key not in value:
            return Violation(MISSING_JSON_KEY, {"key": '"label" or "labels"', "keys": _keys(value)})
        names = value[key]
        if isinstance(names, list):
            labels = list(map(_as_label, names))
            if None not in labels:
                return self._labels.of_names([label for label in labels if label is not None])
        elif key == "label":
            label = _as_label(names)
            if label is not None:
                return self._labels.of_cell(label)
        wanted = "a string or a list of strings" if key == "label" else "a list of strings"
        facts = {
            "what": f'The value of "{key}" is not {wanted}',
            "instead": 'Write {"label": "A"} or {"labels": ["A"]}',
        }
        return Violation(WRONG_JSON_VALUE, facts)

    def _with_text(self, head: bytes, value: dict[str, Any]) -> tuple[bytes, bytes] | Violation:
        if "text" not in value:
            return Violation(MISSING_JSON_KEY, {"key": '"text"', "keys": _keys(value)})
        if not isinstance(value["text"], str):
            facts = {"what": 'The value of "text" is not a string', "instead": "Write the text in double quotes"}
            return Violation(WRONG_JSON_VALUE, facts)
        try:
            encoded = value["text"].encode()
        except UnicodeEncodeError:
            return Violation(NOT_UTF8, {"reason": "an escape names half a character (a lone surrogate)"})
        text = without_newlines(encoded)
        violation = check_text(text, document_bytes=self._limits.document_bytes)
        return (head, text) if violation is None else violation


def _as_label(value: object) -> str | None:
    """A label as text; whole numbers are taken too, as class numbers are often written."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def _keys(value: dict[str, Any]) -> str:
    names = [f'"{shortened(key)}"' for key in islice(value, _KEYS_SHOWN)]
    return ("only " if len(value) <= _KEYS_SHOWN else "") + ", ".join(names) if names else "none at all"


def _without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        raise _RepeatedKeyError(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]  # None is meant
    return value


def _no_json(name: str) -> None:
    raise _NotJsonError(name)


_decode = json.JSONDecoder(object_pairs_hook=_without_repeated_keys, parse_constant=_no_json).decode


def _reason(error: json.JSONDecodeError) -> str:
    """What is wrong in words of its own for what people do: objects side by side, and an array's commas."""
    rest = error.doc[error.pos : error.pos + 1]
    if error.msg == "Extra data" and rest == "{":
        return f"another object begins at character {error.pos + 1} of the same line"
    if error.msg == "Extra data" and rest == ",":
        return "a comma follows it, as in a JSON array"
    return f"{error.msg} at character {error.pos + 1}"


def _lines(raw: bytes) -> Iterator[bytes]:
    """Lines with their newlines; bytes.splitlines() would also break at a lone carriage return."""
    lines = raw.split(b"\n")
    last = lines.pop()
    for line in lines:
        yield line + b"\n" if line else line
    if last:
        yield last
