"""Augmented manifests of named entities: what the attribute of a line holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .. import manifest
from ..label_advice import shortened
from ..problems import Violation
from ..rules import WRONG_JSON_VALUE
from .annotations import Annotation
from .json_forms import Document
from .json_lines import annotation_of
from .rules import NO_TEXT_SPANS

_TEXT_SPAN = "groundtruth/text-span"


def find_attribute(values: Iterable[Mapping[str, Any]], *, configured: str | None) -> str | Violation:
    """The attribute with the annotations, by the first lines of a manifest."""
    return manifest.find_attribute(
        values, configured=configured, fits=lambda metadata: metadata.get("type") == _TEXT_SPAN, none=NO_TEXT_SPANS
    )


class Manifest:
    """A line has a document as its source, and annotations with their metadata in ``attribute``."""

    def __init__(self, attribute: str, *, machine_annotations: bool) -> None:
        self._attribute = attribute
        self._machine_annotations = machine_annotations

    def document_of(self, value: dict[str, Any]) -> Document | Violation:
        source = manifest.source_of(value)
        if isinstance(source, Violation):
            return source
        violation = self._check_metadata(value)
        if violation is not None:
            return violation
        annotations = self._annotations(value[self._attribute])
        return annotations if isinstance(annotations, Violation) else Document(source, annotations)

    def _check_metadata(self, value: dict[str, Any]) -> Violation | None:
        metadata = manifest.metadata_of(value, self._attribute)
        if isinstance(metadata, Violation):
            return metadata
        if metadata.get("type") != _TEXT_SPAN:
            return manifest.not_annotated(self._attribute, f"their type is not {_TEXT_SPAN}")
        return manifest.check_annotator(metadata, self._attribute, machines=self._machine_annotations)

    def _annotations(self, value: object) -> list[Annotation] | Violation:
        inner = value.get("annotations") if isinstance(value, dict) else None
        entities = inner.get("entities") if isinstance(inner, dict) else None
        if not isinstance(entities, list):
            what = f'"{shortened(self._attribute)}" has no list of entities in its annotations'
            return Violation(WRONG_JSON_VALUE, {"what": what, "instead": 'Write {"annotations": {"entities": []}}'})
        annotations = []
        for entity in entities:
            annotation = annotation_of(entity)
            if isinstance(annotation, Violation):
                return annotation
            annotations.append(annotation)
        return annotations
