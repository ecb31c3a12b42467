"""The settings that a user's own files imply: their labels, and whether a document has one or several."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.cloud.errors import LocalCloudError

_MODES = ("MULTI_CLASS", "MULTI_LABEL")
_COLUMN_DELIMITERS = ",;\t|"
_HEADER_WORDS = {"label", "labels", "class", "category", "categories", "text", "document"}
_MOST_LABELS = 1000
_LINES_LOOKED_AT = 50


class UnclearSettings(LocalCloudError):
    """The files do not say what the flywheel should be like."""


@dataclass(frozen=True, kw_only=True)
class DerivedSettings:
    labels: list[str]
    mode: str
    label_delimiter: str


def derive_settings(
    paths: Sequence[Path], *, labels: Sequence[str] | None, mode: str | None, label_delimiter: str
) -> DerivedSettings:
    """Raises UnclearSettings, with a sentence that says which file and what to give instead."""
    for path in paths:
        if not path.is_file():
            raise UnclearSettings(f"There is no file {path}. Name a CSV or JSON Lines file.")
    if mode is not None and mode not in _MODES:
        raise UnclearSettings(f"--mode was given {mode!r}; it is MULTI_CLASS or MULTI_LABEL.")
    several = False
    found: dict[str, None] = {}
    for path in paths:
        for label_field in _label_fields(path):
            if isinstance(label_field, list):
                several = True
                found.update(dict.fromkeys(label_field))
            else:
                found[label_field] = None
            if labels is None and len(found) > _MOST_LABELS * 2:
                raise UnclearSettings(f"{path} has more than {_MOST_LABELS} different labels: name them with --labels.")
    if mode is None:
        # A delimiter alone may be part of a name: it joins labels only if the parts occur on their own as well.
        joined = [label for label in found if label_delimiter in label]
        several = several or any(all(part in found for part in label.split(label_delimiter)) for label in joined)
        mode = "MULTI_LABEL" if several else "MULTI_CLASS"
    if labels is None:
        parts = (
            part for label in found for part in (label.split(label_delimiter) if mode == "MULTI_LABEL" else [label])
        )
        labels = sorted({part.strip() for part in parts if part.strip()})
    if len(labels) < 2:
        raise UnclearSettings(
            "A classifier needs at least two labels: name them with --labels, or check the files' first column."
        )
    return DerivedSettings(labels=list(labels), mode=mode, label_delimiter=label_delimiter)


def _label_fields(path: Path) -> Iterator[str | list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
            first = list(itertools.islice(file, _LINES_LOOKED_AT))
            file.seek(0)
            if first and first[0].lstrip().startswith("{"):
                yield from _from_json_lines(file)
            else:
                yield from _from_csv(csv.reader(file, delimiter=_column_delimiter(first)))
    except csv.Error as error:
        raise UnclearSettings(f"{path} is not CSV ({error}): name the labels with --labels.") from error


def _column_delimiter(lines: Sequence[str]) -> str:
    """The one that splits most of the lines in two; a comma if several do."""

    def pairs(delimiter: str) -> int:
        return sum(len(row) == 2 for row in csv.reader(lines, delimiter=delimiter))

    return max(_COLUMN_DELIMITERS, key=lambda delimiter: (pairs(delimiter), delimiter == ","))


def _from_csv(rows: Iterator[list[str]]) -> Iterator[str]:
    for number, row in enumerate(rows):
        if len(row) == 2 and not (number == 0 and row[0].strip().lower() in _HEADER_WORDS):
            yield row[0].strip()


def _from_json_lines(lines: Iterator[str]) -> Iterator[str | list[str]]:
    for line in lines:
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if not isinstance(document, dict):
            continue
        labels = document.get("labels", document.get("label"))
        if isinstance(labels, list):
            yield [str(label) for label in labels]
        elif isinstance(labels, str):
            yield labels
