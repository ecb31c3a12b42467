"""Formats the rows of the output as JSON and as CSV: a document with its prediction or its error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flywheel.comprehend.model_kind import Answer

CSV_HEADER = b"file,line,labels,score,low_confidence,error,message,text\n"
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
"""One encoder for all rows; json.dumps would create one for each."""
_QUOTED = frozenset(',"\r\n')
_FORMULA = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""A spreadsheet runs cells that begin with one of these, also in full width, as formulas (OWASP, "CSV Injection")."""


def answer_json_members(answer: Answer) -> str:
    return _members(answer.members())


def answer_csv_fields(answer: Answer, delimiter: str) -> str:
    return f"{field(delimiter.join(answer.labels))},{answer.score},{'true' if answer.low_confidence else 'false'},,"


def error_json_members(code: str, message: str) -> str:
    return _members({"error": code, "message": message})


def error_csv_fields(code: str, message: str) -> str:
    return f",,,{field(code)},{field(message)}"


def json_row(*, file: str, line: int | None, text: str, members: str) -> str:
    """`file` is JSON already, because many rows share it."""
    number = "null" if line is None else line
    return f'{{"file": {file}, "line": {number}, "text": {_ENCODE(text)}, {members}}}\n'


def csv_row(*, file: str, line: int | None, text: str, fields: str) -> str:
    """`file` is a CSV field already."""
    return f"{file},{'' if line is None else line},{fields},{field(text)}\n"


def field(text: str) -> str:
    """A field as in RFC 4180. A text that a spreadsheet would run gets an apostrophe in front, which makes it text.
    predictions.jsonl has the exact text."""
    if text[:1] in _FORMULA and not _is_number(text):
        text = f"'{text}"
    if _QUOTED.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def text_of_field(field: str) -> str:
    """The text of a field that was read: without the apostrophe. One that a text itself began with is taken for it."""
    escaped = field[:1] == "'" and field[1:2] in _FORMULA and not _is_number(field[1:])
    return field[1:] if escaped else field


def _is_number(text: str) -> bool:
    """Numbers such as -1 are harmless."""
    return text[0] in "+-" and text.isascii() and text[1:].replace(".", "", 1).isdecimal()


def _members(of: dict[str, object]) -> str:
    """The JSON object without its braces."""
    return _ENCODE(of)[1:-1]
