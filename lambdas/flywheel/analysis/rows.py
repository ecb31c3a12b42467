"""A row of the output: a document with what was predicted, or what is wrong with it; as JSON and as CSV."""

from __future__ import annotations

import json
from collections.abc import Sequence

from flywheel.evaluation.confidence import confidence_of, labels_of

CSV_HEADER = b"file,line,labels,score,low_confidence,error,message,text\n"
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
"""json.dumps would make an encoder for every row."""
_QUOTED = frozenset(',"\r\n')
_FORMULA = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""With these, also in full width, a spreadsheet takes a cell for a formula and runs it (OWASP, "CSV Injection")."""


class Answer:
    """What a model says of one document."""

    __slots__ = ("labels", "low_confidence", "score", "scores")

    def __init__(self, scores: Sequence[tuple[str, float]], *, multi_label: bool, low_confidence: float) -> None:
        """`scores` by label. An answer whose confidence is below `low_confidence` is one for a person to look at."""
        self.scores = sorted(scores, key=lambda scored: -scored[1])
        self.score = self.scores[0][1] if self.scores else 0.0
        self.labels = labels_of(self.scores, multi_label=multi_label)
        self.low_confidence = confidence_of(self.scores, multi_label=multi_label) < low_confidence

    def json_members(self) -> str:
        return _members(
            {
                "labels": self.labels,
                "score": self.score,
                "low_confidence": self.low_confidence,
                "scores": [{"name": name, "score": score} for name, score in self.scores],
            }
        )

    def csv_fields(self, delimiter: str) -> str:
        return f"{field(delimiter.join(self.labels))},{self.score},{'true' if self.low_confidence else 'false'},,"


def error_json_members(code: str, message: str) -> str:
    return _members({"error": code, "message": message})


def error_csv_fields(code: str, message: str) -> str:
    return f",,,{field(code)},{field(message)}"


def json_row(*, file: str, line: int | None, text: str, members: str) -> str:
    """`file` is written as JSON already, because it stands in many rows."""
    number = "null" if line is None else line
    return f'{{"file": {file}, "line": {number}, "text": {_ENCODE(text)}, {members}}}\n'


def csv_row(*, file: str, line: int | None, text: str, fields: str) -> str:
    """`file` is a field already."""
    return f"{file},{'' if line is None else line},{fields},{field(text)}\n"


def field(text: str) -> str:
    """As RFC 4180 writes it. What a spreadsheet would run gets an apostrophe in front, which makes it text there;
    predictions.jsonl has every text exactly."""
    if text[:1] in _FORMULA and not _is_number(text):
        text = f"'{text}"
    if _QUOTED.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def _is_number(text: str) -> bool:
    """A label such as -1 does no harm."""
    return text[0] in "+-" and text.isascii() and text[1:].replace(".", "", 1).isdecimal()


def _members(of: dict[str, object]) -> str:
    """What stands between the braces."""
    return _ENCODE(of)[1:-1]
