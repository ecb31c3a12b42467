"""Reads labelled documents from augmented manifests of SageMaker Ground Truth, of one class a document or several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from dataclasses import replace
from typing import Any

from .file_format import BYTE_ORDER_MARK, FileKind, LineEnds
from .json_object import first_objects
from .label_advice import delimiter_name, shortened
from .labels import LabelColumn
from .layout import BYTES_LOOKED_AT, Found
from .manifest import (
    check_annotator,
    find_attribute,
    manifest_lines,
    metadata_of,
    not_annotated,
    source_of,
)
from .problems import Violation
from .rules import LABEL_WITH_DELIMITER, NO_CLASSES, NO_CLASSIFICATION, OTHER_CLASS, UNKNOWN_CLASS, WRONG_JSON_VALUE

_TYPES = ("groundtruth/text-classification", "groundtruth/text-classification-multilabel")
_CUSTOM = "groundtruth/custom"
_MOST_REMEMBERED = 10_000
# In characters: a name may be megabytes long, of white space around it if nothing else.
_LONGEST_REMEMBERED = 500
_LABEL_KEYS = ("label", "labels")


def tell_manifest(found: Found, head: bytes, *, whole: bool, configured: str | None) -> Found | Violation:
    """A layout of JSON Lines becomes that of a manifest if the first lines are one.

    ``head`` is the beginning of the file, byte order mark included, and has the first line to its end if that can be
    read; ``whole`` says that there is no more of it. ``configured`` is the attribute that counts, if one is configured.
    """
    if found.format.kind is not FileKind.JSON_LINES:
        return found
    sample = head.removeprefix(BYTE_ORDER_MARK).lstrip()
    if found.format.line_ends is LineEnds.CR:
        sample = sample.replace(b"\r", b"\n")
    if not whole or len(sample) > BYTES_LOOKED_AT:
        end = sample.rfind(b"\n", 0, BYTES_LOOKED_AT) + 1 or sample.find(b"\n") + 1
        sample = sample[: end or len(sample)]
    lines = [value for value in manifest_lines(first_objects(sample)) if not _is_labelled(value)]
    if not lines:
        return found
    attribute = find_attribute(lines, configured=configured, fits=_has_classes, none=NO_CLASSIFICATION)
    if isinstance(attribute, Violation):
        return attribute
    return replace(found, format=replace(found.format, kind=FileKind.MANIFEST), attribute=attribute)


def _is_labelled(value: Mapping[str, Any]) -> bool:
    """Whether an object is a line of JSON Lines that only lacks its text: nothing says where its labels are from."""
    return any(key in value and f"{key}-metadata" not in value for key in _LABEL_KEYS)


def _has_classes(metadata: Mapping[str, Any]) -> bool:
    """Whether an attribute is of text classification. Verifications of labels have class names, too."""
    kind = metadata.get("type")
    return kind in _TYPES or (kind in (None, _CUSTOM) and ("class-name" in metadata or "class-map" in metadata))


class LabelledManifest:
    """A line has a document as its source, and in ``attribute`` the index of its class, or a list of them.

    What their names are is said by the metadata: ``class-name`` or ``class-map``. ``machine_labels`` says that labels
    are taken that no person gave.
    """

    example = '{"source": "...", "job": 0, "job-metadata": {"class-name": "...", "human-annotated": "yes"}}'

    def __init__(self, attribute: str, *, labels: LabelColumn, machine_labels: bool) -> None:
        self._attribute = attribute
        self._labels = labels
        self._machine_labels = machine_labels
        self._heads: dict[tuple[str, ...], bytes] = {}
        # In one labeling job an index is of one class.
        self._names: dict[tuple[str, int], str] = {}

    def document_of(self, value: dict[str, Any]) -> tuple[bytes, str] | Violation:
        source = source_of(value)
        if isinstance(source, Violation):
            return source
        metadata = metadata_of(value, self._attribute)
        if isinstance(metadata, Violation):
            return metadata
        if not self._machine_labels or "human-annotated" in metadata:
            violation = check_annotator(metadata, self._attribute, machines=self._machine_labels)
            if violation is not None:
                return violation
        names = self._names_of(value[self._attribute], metadata)
        head = names if isinstance(names, Violation) else self._head(names)
        return head if isinstance(head, Violation) else (head, source)

    def _head(self, names: tuple[str, ...]) -> bytes | Violation:
        head: bytes | Violation | None = self._heads.get(names)
        if head is None:
            delimiter = self._labels.delimiter
            for name in names:
                if delimiter is not None and delimiter in name:
                    facts = {"label": shortened(name), "delimiter": delimiter_name(delimiter)}
                    return Violation(LABEL_WITH_DELIMITER, facts)
            head = self._labels.of_names(names)
            if not isinstance(head, Violation) and _is_remembered(self._heads, names):
                self._heads[names] = head
        return head

    def _names_of(self, classes: object, metadata: Mapping[str, Any]) -> tuple[str, ...] | Violation:
        indices: list[Any] = classes if isinstance(classes, list) else [classes]
        if not indices:
            return Violation(NO_CLASSES, {"attribute": shortened(self._attribute)})
        for index in indices:
            if type(index) is not int or index < 0:
                what = f'The value of "{shortened(self._attribute)}" is neither the index of a class nor a list of them'
                return _wrong(what, "Write a whole number from 0, or a list of such")
        by_index = metadata.get("class-map")
        if by_index is not None and not _is_class_map(by_index):
            return _wrong('The value of "class-map" is no object with names', 'Write {"class-map": {"0": "A"}}')
        name = metadata.get("class-name")
        if name is not None:
            return self._named(name, indices, by_index, metadata)
        if by_index is None:
            return not_annotated(self._attribute, 'they have neither "class-name" nor "class-map"')
        names = []
        for index in indices:
            if str(index) not in by_index:
                facts = {"index": shortened(str(index)), "attribute": shortened(self._attribute)}
                return Violation(UNKNOWN_CLASS, facts)
            names.append(by_index[str(index)])
        return tuple(names)

    def _named(
        self, name: object, indices: list[int], by_index: Mapping[str, str] | None, metadata: Mapping[str, Any]
    ) -> tuple[str, ...] | Violation:
        """The one class of a line that gives its name."""
        if not isinstance(name, str):
            return _wrong('The value of "class-name" is not a string', "Write the name in double quotes")
        if len(indices) > 1:
            return _wrong('Several classes have one "class-name"', 'Give their names in a "class-map"')
        (index,) = indices
        if by_index is not None:
            other, where = by_index.get(str(index)), "in its class map"
            if other is None:
                facts = {"index": shortened(str(index)), "attribute": shortened(self._attribute)}
                return Violation(UNKNOWN_CLASS, facts)
        else:
            other, where = self._name_in_job(index, name, metadata.get("job-name")), "in an earlier line of its job"
        if other == name:
            return (name,)
        shown = {"index": shortened(str(index)), "other": shortened(other), "name": shortened(name)}
        return Violation(OTHER_CLASS, {**shown, "where": where, "pair": (shown["other"], shown["name"])})

    def _name_in_job(self, index: int, name: str, job: object) -> str:
        """The name with which the class came first in its labeling job."""
        job = job if isinstance(job, str) else ""
        key = (job, index)
        known = self._names.get(key)
        if known is None and _is_remembered(self._names, (job, name)):
            self._names[key] = name
        return name if known is None else known


def _is_remembered(so_far: Sized, names: Iterable[str]) -> bool:
    """Whether there is room to remember what belongs to these names."""
    return len(so_far) < _MOST_REMEMBERED and sum(map(len, names)) <= _LONGEST_REMEMBERED


def _is_class_map(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(name, str) for name in value.values())


def _wrong(what: str, instead: str) -> Violation:
    return Violation(WRONG_JSON_VALUE, {"what": what, "instead": instead})
