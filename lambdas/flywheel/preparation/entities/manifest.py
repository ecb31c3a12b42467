"""Augmented manifests of SageMaker Ground Truth: which attribute holds the annotations, and what its metadata say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..json_object import keys_shown
from ..label_advice import shortened
from ..problems import Violation
from ..rules import WRONG_JSON_VALUE
from .annotations import Annotation
from .json_forms import Document
from .json_lines import annotation_of
from .rules import (
    FAILED_ANNOTATION,
    MACHINE_ANNOTATED,
    MISSING_JSON_KEY,
    NO_ATTRIBUTE,
    NO_TEXT_SPANS,
    NOT_ANNOTATED,
    SEVERAL_ATTRIBUTES,
    SOURCE_REF,
)

_METADATA = "-metadata"
_TEXT_SPAN = "groundtruth/text-span"
_NAMES_SHOWN = 10


def is_manifest(value: dict[str, Any]) -> bool:
    """Whether an object is a line of a manifest and not of JSON Lines."""
    return "text" not in value and ("source" in value or "source-ref" in value)


def find_attribute(values: Iterable[dict[str, Any]], *, configured: str | None) -> str | Violation:
    """The attribute with the annotations, by the first lines of a manifest."""
    if configured is not None:
        return configured
    spans: dict[str, None] = {}
    others: dict[str, None] = {}
    only_references = True
    for value in values:
        only_references = only_references and "source" not in value
        for key, metadata in value.items():
            if key.endswith(_METADATA) and isinstance(metadata, dict):
                kind = metadata.get("type")
                names = spans if kind == _TEXT_SPAN else others
                names[key.removesuffix(_METADATA)] = None
    if only_references:
        return Violation(SOURCE_REF)
    if len(spans) > 1:
        return Violation(SEVERAL_ATTRIBUTES, {"names": _listed(spans)})
    if not spans:
        # A failed line has metadata without a type.
        return Violation(NO_TEXT_SPANS, {"names": _listed(others) or "none at all"})
    return next(iter(spans))


class Manifest:
    """A line has a document as its source, and annotations with their metadata in ``attribute``."""

    def __init__(self, attribute: str, *, machine_annotations: bool) -> None:
        self._attribute = attribute
        self._machine_annotations = machine_annotations

    def document_of(self, value: dict[str, Any]) -> Document | Violation:
        source = value.get("source")
        if "source" not in value:
            facts = {"key": '"source"', "keys": keys_shown(value)}
            return Violation(SOURCE_REF) if "source-ref" in value else Violation(MISSING_JSON_KEY, facts)
        if not isinstance(source, str):
            return _wrong('The value of "source" is not a string', "Write the text in double quotes")
        violation = self._check_metadata(value)
        if violation is not None:
            return violation
        annotations = self._annotations(value[self._attribute])
        return annotations if isinstance(annotations, Violation) else Document(source, annotations)

    def _check_metadata(self, value: dict[str, Any]) -> Violation | None:
        metadata = value.get(self._attribute + _METADATA)
        reason = (metadata if isinstance(metadata, dict) else {}).get("failure-reason", value.get("failure-reason"))
        if reason is not None:
            return Violation(FAILED_ANNOTATION, {"reason": str(reason)})
        if value.get(self._attribute) is None:
            return Violation(NO_ATTRIBUTE, {"attribute": shortened(self._attribute)})
        if not isinstance(metadata, dict):
            return self._not_annotated("there are none")
        if metadata.get("type") != _TEXT_SPAN:
            return self._not_annotated(f"their type is not {_TEXT_SPAN}")
        human = metadata.get("human-annotated")
        if human not in ("yes", "no"):
            return self._not_annotated('"human-annotated" is neither "yes" nor "no"')
        if human == "no" and not self._machine_annotations:
            return Violation(MACHINE_ANNOTATED)
        return None

    def _annotations(self, value: object) -> list[Annotation] | Violation:
        inner = value.get("annotations") if isinstance(value, dict) else None
        entities = inner.get("entities") if isinstance(inner, dict) else None
        if not isinstance(entities, list):
            what = f'"{shortened(self._attribute)}" has no list of entities in its annotations'
            return _wrong(what, 'Write {"annotations": {"entities": []}}')
        annotations = []
        for entity in entities:
            annotation = annotation_of(entity)
            if isinstance(annotation, Violation):
                return annotation
            annotations.append(annotation)
        return annotations

    def _not_annotated(self, what: str) -> Violation:
        return Violation(NOT_ANNOTATED, {"what": what, "attribute": shortened(self._attribute)})


def _listed(names: Iterable[str]) -> str:
    shown = [f'"{shortened(name)}"' for name in names]
    return ", ".join(shown[:_NAMES_SHOWN]) + (", ..." if len(shown) > _NAMES_SHOWN else "")


def _wrong(what: str, instead: str) -> Violation:
    return Violation(WRONG_JSON_VALUE, {"what": what, "instead": instead})
