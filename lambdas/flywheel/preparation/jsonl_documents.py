"""Reads documents from JSON: one object on each line, in JSON Lines with a text and its label or labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from .documents import TakesDocuments
from .json_object import keys_shown, lines_of, read_object
from .label_advice import shortened
from .labels import LabelColumn
from .limits import BYTES_BESIDES_THE_TEXT, Limits
from .line_reader import Block
from .problems import BadLines, Violation
from .rules import (
    DOCUMENT_TOO_LARGE,
    HALF_A_CHARACTER,
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


class JsonForm(Protocol):
    example: str
    """A line as it should be."""

    def document_of(self, value: dict[str, Any], /) -> tuple[bytes, str] | Violation:
        """Head and text of what an object holds, or what is wrong with it."""


def longest_record(limits: Limits) -> int:
    """Bytes of the longest line that can hold a document within the limit."""
    return _ESCAPED_BYTES_PER_BYTE * limits.document_bytes + BYTES_BESIDES_THE_TEXT


class JsonReader:
    """Turns blocks of lines into documents and bad lines."""

    def __init__(self, form: JsonForm, *, limits: Limits, documents: TakesDocuments, bad: BadLines) -> None:
        self._form = form
        self._limits = limits
        self.longest_record = longest_record(limits)
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
        for raw in lines_of(block.raw):
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

    def pass_over(self, pieces: Iterator[bytes]) -> None:
        """Take note of a line that is too long to be read as a whole."""
        violation = Violation(DOCUMENT_TOO_LARGE, {"limit": self._limits.document_bytes})
        self._bad.add_long(violation, line=self.line, pieces=pieces)

    def _document(self, raw: bytes, *, utf8: bool) -> tuple[bytes, bytes] | Violation:
        """Head and text of one line. ``utf8`` says that the line is known to be UTF-8."""
        if len(raw.rstrip(b"\r\n")) > self.longest_record:
            return Violation(DOCUMENT_TOO_LARGE, {"limit": self._limits.document_bytes})
        value = read_object(raw, utf8=utf8, example=self._form.example)
        found = value if isinstance(value, Violation) else self._form.document_of(value)
        if isinstance(found, Violation):
            return found
        head, text = found
        try:
            encoded = text.encode()
        except UnicodeEncodeError:
            return Violation(NOT_UTF8, {"reason": HALF_A_CHARACTER})
        written = without_newlines(encoded)
        violation = check_text(written, document_bytes=self._limits.document_bytes)
        return (head, written) if violation is None else violation


class JsonLines:
    """A line is a text with its label or labels."""

    example = '{"label": "...", "text": "..."}'

    def __init__(self, labels: LabelColumn) -> None:
        self._labels = labels

    def document_of(self, value: dict[str, Any]) -> tuple[bytes, str] | Violation:
        head = self._head(value)
        if isinstance(head, Violation):
            return head
        if "text" not in value:
            return Violation(MISSING_JSON_KEY, {"key": '"text"', "keys": keys_shown(value)})
        if not isinstance(value["text"], str):
            facts = {"what": 'The value of "text" is not a string', "instead": "Write the text in double quotes"}
            return Violation(WRONG_JSON_VALUE, facts)
        return head, value["text"]

    def _head(self, value: dict[str, Any]) -> bytes | Violation:
        if len(value) > len(_KEYS) - 1:
            for key in value:
                if key not in _KEYS and key.strip().casefold() in value and key.strip().casefold() in _KEYS:
                    return Violation(REPEATED_JSON_KEY, {"key": shortened(key)})
        if "label" in value and "labels" in value:
            return Violation(WRONG_JSON_VALUE, {"what": 'Both "label" and "labels" are given', "instead": "Keep one"})
        key = "labels" if "labels" in value else "label"
        if key not in value:
            return Violation(MISSING_JSON_KEY, {"key": '"label" or "labels"', "keys": keys_shown(value)})
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


def _as_label(value: object) -> str | None:
    """A label as text; whole numbers are taken too, as class numbers are often written."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None
