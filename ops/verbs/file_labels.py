"""The labels or entity types that files hold, by the pipeline's own reader: for a flywheel that is not there yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from flywheel.comprehend.model_kind import ModelType
from flywheel.document_classification.kind import MOST_LABELS
from flywheel.preparation import AnyLabel, Preparation, UploadOptions
from flywheel.preparation.entities import AnyType
from flywheel.preparation.entities.limits import MOST_TYPES
from flywheel.preparation.label_advice import delimiter_name, shortened
from flywheel.preparation.label_forms import twins
from ops.deployment.errors import FileError
from ops.verbs.validate import read_file

_FEW_CLASSES = 10
_TWO_OR_THREE = 3
_DOCUMENTS_OF_A_CLASS = 10
_LONGEST_CLASS_NAME = 60
_SHOWN = 3
_JOINTS = "#|;,/+&"


class UnclearLabelsError(FileError):
    """The files do not say which labels the flywheel should have; the text says what to give."""


class Kind(StrEnum):
    """What files are for, as a person says it."""

    CLASSES = "classes"
    ENTITIES = "entities"

    @property
    def model_type(self) -> ModelType:
        return ModelType.ENTITY_RECOGNIZER if self is Kind.ENTITIES else ModelType.DOCUMENT_CLASSIFIER


@dataclass(frozen=True, kw_only=True)
class FileLabels:
    """The labels, or a recognizer's entity types. ``mode`` is a classifier's; None of a recognizer.

    ``doubts`` are sentences on classes that do not look like any: a person should be asked before they are used.
    """

    labels: tuple[str, ...]
    mode: str | None
    documents: int
    doubts: tuple[str, ...] = ()

    @property
    def model_type(self) -> ModelType:
        return ModelType.ENTITY_RECOGNIZER if self.mode is None else ModelType.DOCUMENT_CLASSIFIER


def find_labels(paths: Sequence[Path], *, mode: str | None = None, label_delimiter: str = "|") -> FileLabels:
    """The labels of all files together, sorted. ``mode`` None: what the files hold.

    Raises UnclearLabelsError for a file that cannot be read, and for fewer than two labels or too many.
    """
    if mode is not None and mode not in MOST_LABELS:
        raise UnclearLabelsError(f"The mode is {mode!r}; it has to be {' or '.join(MOST_LABELS)}.")
    if mode is None:
        mode = "MULTI_LABEL" if _several(paths, label_delimiter) else "MULTI_CLASS"
    several = mode == "MULTI_LABEL"
    preparations = [_read(path, AnyLabel(multi_label=several, delimiter=label_delimiter)) for path in paths]
    counts: Counter[str] = Counter()
    for preparation in preparations:
        for combination, count in preparation.labels.items():
            for label in combination.split(label_delimiter) if several else [combination]:
                counts[label] += count
    labels = tuple(sorted(counts))
    if not 2 <= len(labels) <= MOST_LABELS[mode]:
        raise UnclearLabelsError(
            f"{_names(paths)} {'has' if len(paths) == 1 else 'have'} {len(labels)} different labels, and a flywheel "
            f"takes 2 to {MOST_LABELS[mode]} ({mode}): name them, or look at the label column."
        )
    read = sum(preparation.documents + preparation.duplicates for preparation in preparations)
    doubts = [
        *_many(counts, read),
        *_headers(preparations, counts),
        *_twins(labels),
        *_lists(labels, label_delimiter, several=several),
    ]
    return FileLabels(labels=labels, mode=mode, documents=read, doubts=tuple(doubts))


def find_types(paths: Sequence[Path]) -> FileLabels:
    """The entity types of all files and folders together, sorted.

    Raises UnclearLabelsError for a file that cannot be read, and for no type or too many.
    """
    preparations = [_read(path, AnyType()) for path in paths]
    types = tuple(sorted({name for preparation in preparations for name in preparation.annotations or {}}))
    if not 1 <= len(types) <= MOST_TYPES:
        raise UnclearLabelsError(
            f"{_names(paths)} {'has' if len(paths) == 1 else 'have'} {len(types)} different entity types, and a "
            f"flywheel takes 1 to {MOST_TYPES}: name them, or look at the annotations."
        )
    read = sum(preparation.documents + preparation.duplicates for preparation in preparations)
    return FileLabels(labels=types, mode=None, documents=read, doubts=tuple(_twins(types, what="types")))


def agree_on_labels(found: FileLabels, *, confirm: Callable[[str], bool] | None, instead: str) -> None:
    """Ask a person whether labels that look wrong are meant; without one (``confirm`` None) refuse.

    ``instead`` says what to give to this verb. Raises UnclearLabelsError.
    """
    if not found.doubts:
        return
    shown = ", ".join(map(shortened, found.labels[:_FEW_CLASSES])) + (
        ", ..." if len(found.labels) > _FEW_CLASSES else ""
    )
    doubts = " ".join(found.doubts)
    if confirm is None or not confirm(f"{doubts}\nThe {len(found.labels)} labels would be: {shown}\nAre they right?"):
        raise UnclearLabelsError(f"{doubts} {instead}")


def _several(paths: Sequence[Path], delimiter: str) -> bool:
    """Whether documents have several labels.

    A delimiter may also be part of a name: it joins labels only if the parts occur on their own as well.
    """
    found: set[str] = set()
    for path in paths:
        preparation = _read(path, AnyLabel(multi_label=False, delimiter=delimiter), whole=False)
        if "too-many-labels" in preparation.bad_lines:
            return True
        found.update(preparation.labels)
    return any(delimiter in label and set(label.split(delimiter)) <= found for label in found)


def _read(path: Path, rules: AnyLabel | AnyType, *, whole: bool = True) -> Preparation:
    """``whole``: a file that would be rejected whole raises UnclearLabelsError."""
    preparation = read_file(path, rules=rules, options=UploadOptions())
    problem = preparation.file_problem
    if problem is None or (not whole and "too-many-labels" in preparation.bad_lines):
        return preparation
    raise UnclearLabelsError(f"{path}: {problem.message} {problem.fix}")


def _names(paths: Sequence[Path]) -> str:
    return " and ".join(map(str, paths))


def _many(counts: Counter[str], documents: int) -> list[str]:
    labels = list(counts)
    long = [label for label in labels if len(label) > _LONGEST_CLASS_NAME]
    if long:
        shown = shortened(long[0])[:_LONGEST_CLASS_NAME]
        return [f'A label reads like a text, "{shown}...": do the labels stand in another column?']
    once = sum(count == 1 for count in counts.values())
    if len(labels) > _TWO_OR_THREE and 2 * once > len(labels):
        return [f"{once} of {len(labels)} labels have one document only: do the labels stand in another column?"]
    if len(labels) > _FEW_CLASSES and len(labels) * _DOCUMENTS_OF_A_CLASS > documents:
        return [f"There are {len(labels)} classes for {documents} documents: do the labels stand in another column?"]
    return []


def _headers(preparations: Sequence[Preparation], counts: Counter[str]) -> list[str]:
    """A first row whose label no other row has, of files whose other labels occur more often."""
    return [
        f'Only the first row of {preparation.name} has the label "{shortened(first)}": is it a header row?'
        for preparation in preparations
        if preparation.format is not None and preparation.format.header is None
        for first in list(preparation.labels)[:1]
        if counts[first] == 1 and all(count > 1 for label, count in counts.items() if label != first)
    ]


def _twins(labels: Sequence[str], *, what: str = "labels") -> list[str]:
    return [
        f'The {what} "{shortened(one)}" and "{shortened(other)}" look like one written in two ways.'
        for one, other in twins(labels)[:_SHOWN]
    ]


def _lists(labels: Sequence[str], delimiter: str, *, several: bool) -> list[str]:
    """Labels that are written as lists, or joined from parts that occur in other labels too (MONEY#URGENT)."""
    for mark in (delimiter, *_JOINTS):
        parts = Counter(part.strip() for label in labels for part in set(label.split(mark)))
        for label in labels:
            if mark in label and all(parts[part.strip()] > 1 for part in label.split(mark)):
                return [_joined_by(label, mark, delimiter, several=several)]
    lists = [label for label in labels if label[0] in "[{("]
    return [_joined_by(lists[0], None, delimiter, several=several)] if lists else []


def _joined_by(label: str, mark: str | None, delimiter: str, *, several: bool) -> str:
    sentence = f'The label "{shortened(label)}" looks like several labels'
    if mark == delimiter and not several:
        return f"{sentence}: is the mode MULTI_LABEL?"
    return f"{sentence}, which have to be joined by {delimiter_name(delimiter)}, in the mode MULTI_LABEL."
