"""Reads what people corrected in the output of an analysis job."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from flywheel.analysis.rows import text_of_field
from flywheel.comprehend.model_kind import ModelType
from flywheel.confidence import margin_of
from flywheel.records.predictions import ScoredEntity, ScoredLabel, Suggestion
from flywheel.spans import Span, labels_of_spans
from ops.deployment.errors import FileError

COLUMNS = ("corrected", "corrected_labels", "corrected_entities")
_LONGEST_FIELD = 16 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Correction:
    line: int
    """Of the file, from 1."""
    text: str
    labels: tuple[str, ...]
    """As of `Suggestion.labels`."""
    suggestion: Suggestion | None
    """The model's answer, as far as the file has it."""


@dataclass(frozen=True, kw_only=True)
class Unusable:
    line: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a deployment's answers are written."""

    model_type: ModelType
    multi_label: bool
    delimiter: str


class _Entity(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    type: str
    begin: int
    end: int
    score: float | None = None


def read_corrections(path: Path, form: Form) -> Iterator[Correction | Unusable]:
    """The rows that somebody corrected. Raises FileError for a file that has no such rows."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = _json_rows(file) if path.name.lower().endswith((".jsonl", ".json")) else _csv_rows(file, path)
            for line, row in rows:
                if isinstance(row, str):
                    yield Unusable(line=line, why=row)
                    continue
                given = next((row[column] for column in COLUMNS if row.get(column) not in (None, "")), None)
                if given is not None:
                    yield _correction(line, row, given, form)
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is not UTF-8: save it as UTF-8, in a spreadsheet as “CSV UTF-8”.") from error
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.") from error
    except csv.Error as error:
        raise FileError(f"{path} is no CSV file as an analysis job writes it: {error}.") from error


def _json_rows(file: Iterator[str]) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        yield number, row if isinstance(row, dict) else "It is no JSON object: keep each row on one line."


def _csv_rows(file: Iterator[str], path: Path) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.DictReader(file)
    columns = set(reader.fieldnames or ())
    if "text" not in columns or not columns & set(COLUMNS):
        raise FileError(
            f"{path} has no column {'text' if 'text' not in columns else '“corrected”'}: take predictions.csv or "
            "predictions.jsonl of an analysis job, and add a column “corrected” with the right answer where the model "
            "is wrong. Separate columns with commas."
        )
    before = reader.line_num
    for row in reader:
        # Where it begins: a text may have line ends.
        line, before = before + 1, reader.line_num
        if None in row or None in row.values():
            yield line, "It has another number of columns than the first row."
            continue
        yield line, {**row, "text": text_of_field(str(row["text"]))}


def _correction(line: int, row: Mapping[str, Any], given: object, form: Form) -> Correction | Unusable:
    text = row.get("text")
    if not isinstance(text, str):
        return Unusable(line=line, why="It has no text.")
    try:
        if form.model_type is ModelType.ENTITY_RECOGNIZER:
            labels = labels_of_spans(Span(each.begin, each.end, each.type) for each in _entities(given))
        else:
            labels = tuple(_labels(given, form))
    except (ValueError, ValidationError):
        if form.model_type is ModelType.ENTITY_RECOGNIZER:
            why = 'Its correction is no list of entities, such as [{"type": "PERSON", "begin": 0, "end": 4}].'
        else:
            why = "Its correction is neither a label nor a list of labels."
        return Unusable(line=line, why=why)
    return Correction(line=line, text=text, labels=labels, suggestion=_suggestion(row, form))


def _labels(given: object, form: Form) -> Sequence[str]:
    if isinstance(given, str):
        parts = given.split(form.delimiter) if form.multi_label else [given]
        return [part.strip() for part in parts if part.strip()]
    if isinstance(given, list) and all(isinstance(label, str) for label in given):
        return given
    raise ValueError(given)


def _entities(given: object) -> list[_Entity]:
    found = json.loads(given) if isinstance(given, str) else given
    if not isinstance(found, list):
        raise ValueError(given)
    return [_Entity.model_validate(each) for each in found]


def _suggestion(row: Mapping[str, Any], form: Form) -> Suggestion | None:
    """None if the row has none, or is not as an analysis job writes it. In CSV a recognizer's has no offsets."""
    try:
        score = float(row["score"])
        if form.model_type is ModelType.ENTITY_RECOGNIZER:
            found = [ScoredEntity.model_validate(each) for each in row["entities"]]
            labels = labels_of_spans(Span(each.begin, each.end, each.type) for each in found)
            return Suggestion(labels=labels, entities=tuple(found), confidence=score, margin=score)
        scored = tuple(ScoredLabel.model_validate(each) for each in row.get("scores", ()))
        margin = margin_of([(each.name, each.score) for each in scored], multi_label=form.multi_label)
        return Suggestion(
            labels=tuple(_labels(row["labels"], form)),
            multi_label=form.multi_label,
            predictions=scored,
            confidence=score,
            margin=margin,
        )
    except (KeyError, TypeError, ValueError, ValidationError):
        return None
