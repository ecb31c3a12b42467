"""Reads documents from JSON Lines: one object with a text and its label or labels on each line."""

from __future__ import annotations

import json
from typing import Any

from .bad_lines import BadLines
from .documents import DocumentWriter
from .labels import LabelColumn
from .limits import Limits
from .line_reader import Block
from .problems import Violation
from .rules import (
    DOCUMENT_TOO_LARGE,
    INVALID_JSON,
    MISSING_JSON_KEY,
    NOT_UTF8,
    WRONG_JSON_VALUE,
    check_text,
    check_utf8,
)
from .text import without_newlines

# A character outside ASCII takes six bytes as an escape and at least two as itself.
ESCAPED_BYTES_PER_BYTE = 3


class JsonLinesReader:
    """Turns blocks of lines into documents and bad lines."""

    def __init__(
        self, *, labels: LabelColumn, limits: Limits, longest_record: int, documents: DocumentWriter, bad: BadLines
    ) -> None:
        self._labels = labels
        self._limits = limits
        self._longest_record = longest_record
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
            found = self._document(raw, utf8=utf8)
            if isinstance(found, Violation):
                self._bad.add(found, line=self.line, raw=raw)
            elif found is not None:
                heads.append(found[0])
                texts.append(found[1])
            self.line += 1
        self._documents.write(heads, texts, range(len(texts)))
        return len(block.raw)

    def _document(self, raw: bytes, *, utf8: bool) -> tuple[bytes, bytes] | Violation | None:
        """Head and text of one line; None if it is blank. ``utf8`` says that the line is known to be UTF-8."""
        if not raw.strip():
            return None
        if len(raw.rstrip(b"\r\n")) > self._longest_record:
            return Violation(DOCUMENT_TOO_LARGE, {"limit": self._limits.document_bytes})
        violation = None if utf8 else check_utf8(raw)
        if violation is not None:
            return violation
        try:
            value = json.loads(raw.decode())
        except json.JSONDecodeError as error:
            return Violation(INVALID_JSON, {"reason": f"{error.msg} at character {error.pos + 1}"})
        except (ValueError, RecursionError):
            return Violation(INVALID_JSON, {"reason": "it is nested too deeply or holds too long a number"})
        if not isinstance(value, dict):
            return Violation(INVALID_JSON, {"reason": "it is some other JSON value"})
        head = self._head(value)
        if isinstance(head, Violation):
            return head
        return self._with_text(head, value)

    def _head(self, value: dict[str, Any]) -> bytes | Violation:
        if "label" in value and "labels" in value:
            return Violation(WRONG_JSON_VALUE, {"what": 'Both "label" and "labels" are given', "instead": "Keep one"})
        if "label" in value:
            label = _as_label(value["label"])
            if label is None:
                facts = {"what": 'The value of "label" is not a string', "instead": "Write the label in double quotes"}
                return Violation(WRONG_JSON_VALUE, facts)
            return self._labels.of_cell(label)
        if "labels" in value:
            names = value["labels"]
            labels = [_as_label(name) for name in names] if isinstance(names, list) else [None]
            if None in labels:
                facts = {"what": 'The value of "labels" is not a list of strings', "instead": 'Write ["A", "B"]'}
                return Violation(WRONG_JSON_VALUE, facts)
            return self._labels.of_names([label for label in labels if label is not None])
        return Violation(MISSING_JSON_KEY, {"key": '"label" or "labels"'})

    def _with_text(self, head: bytes, value: dict[str, Any]) -> tuple[bytes, bytes] | Violation:
        if "text" not in value:
            return Violation(MISSING_JSON_KEY, {"key": '"text"'})
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


def _lines(raw: bytes) -> list[bytes]:
    """Lines with their newlines; bytes.splitlines() would also break at a lone carriage return."""
    lines = [line + b"\n" for line in raw.split(b"\n")]
    last = lines.pop()
    return lines if last == b"\n" else [*lines, last[:-1]]
