"""One prepared document: one line of an augmented manifest, as Ground Truth writes a job of named entities."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from json.encoder import encode_basestring

from .spans import Span

ATTRIBUTE = "entities"
"""The attribute of the manifest that holds the annotations."""
# Equal documents have equal lines, whenever they are written.
_METADATA = (
    '"type": "groundtruth/text-span", "job-name": "labeling-job/flywheel", "human-annotated": "yes", '
    '"creation-date": "2020-01-01T00:00:00.000000"'
)
_CONFIDENCE = '{"confidence": 1}'
_string = lru_cache(maxsize=256)(encode_basestring)


def to_line(text: str, spans: Iterable[Span]) -> str:
    """The line of a document, with ``\\n`` at its end. Characters outside ASCII stand as themselves."""
    ordered = sorted(spans)
    entities = [
        f'{{"startOffset": {span.begin}, "endOffset": {span.end}, "label": {_string(span.type)}}}' for span in ordered
    ]
    labels = ", ".join(f'{{"label": {_string(name)}}}' for name in sorted({span.type for span in ordered}))
    confidences = ", ".join([_CONFIDENCE] * len(entities))
    return (
        f'{{"source": {encode_basestring(text)}, "{ATTRIBUTE}": {{"annotations": {{"entities": [{", ".join(entities)}],'
        f' "labels": [{labels}]}}}}, "{ATTRIBUTE}-metadata": {{{_METADATA}, "entities": [{confidences}]}}}}\n'
    )


def from_line(line: str) -> tuple[str, tuple[Span, ...]]:
    """Text and spans, sorted, of a line that `to_line` wrote."""
    document = json.loads(line)
    entities = document[ATTRIBUTE]["annotations"]["entities"]
    spans = (Span(entity["startOffset"], entity["endOffset"], entity["label"]) for entity in entities)
    return document["source"], tuple(sorted(spans))
