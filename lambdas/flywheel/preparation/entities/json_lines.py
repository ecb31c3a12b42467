"""JSON Lines: ``{"text": ..., "entities": [{"begin": 0, "end": 5, "type": "X"}]}``, and what tools write for the same.

Known are doccano (``"label": [[0, 5, "X"]]``, ``start_offset``), Prodigy and spaCy (``"spans"``, ``"ents"``, ``start``,
``label``), Label Studio (``labels``), Comprehend's own answers (``BeginOffset``, ``Type``) and what resembles them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..json_object import keys_shown
from ..label_advice import shortened
from ..problems import Violation
from ..rules import REPEATED_JSON_KEY, WRONG_JSON_VALUE
from .annotations import Annotation
from .json_forms import Document
from .rules import MISSING_JSON_KEY, REFUSED_BY_ANNOTATOR

_LISTS = frozenset({"entities", "spans", "ents", "label", "labels", "annotations"})
# Keys of an entity, without case, hyphens and underscores.
_ROLES = {
    **dict.fromkeys(("begin", "start", "beginoffset", "startoffset"), "begin"),
    **dict.fromkeys(("end", "endoffset"), "end"),
    **dict.fromkeys(("type", "label", "labels", "tag", "entitytype", "entitygroup"), "type"),
    "text": "text",
}
_TRIPLE = 3
_ANSWERS_REFUSED = ("reject", "ignore")
_WRITE = 'Write {"begin": 0, "end": 5, "type": "A"}'


class JsonLines:
    """A line is a document with its text and a list of its entities."""

    def document_of(self, value: dict[str, Any]) -> Document | Violation:
        by_name: dict[str, str] = {}
        for key in value:
            name = _plain(key)
            if name in by_name and (name == "text" or name in _LISTS):
                return Violation(REPEATED_JSON_KEY, {"key": shortened(key)})
            by_name[name] = key
        if "text" not in by_name:
            return Violation(MISSING_JSON_KEY, {"key": '"text"', "keys": keys_shown(value)})
        text = value[by_name["text"]]
        if not isinstance(text, str):
            return _wrong('The value of "text" is not a string', "Write the text in double quotes")
        if value.get("answer") in _ANSWERS_REFUSED:
            return Violation(REFUSED_BY_ANNOTATOR, {"answer": value["answer"]})
        lists = [by_name[name] for name in by_name if name in _LISTS]
        found = [key for key in lists if isinstance(value[key], list)]
        if len(found) > 1:
            what = " and ".join(f'"{shortened(key)}"' for key in found)
            return _wrong(f"There is more than one list of entities: {what}", "Keep one of them")
        if not lists:
            return Violation(MISSING_JSON_KEY, {"key": '"entities"', "keys": keys_shown(value)})
        if not found:
            return _wrong(f'The value of "{shortened(lists[0])}" is not a list', f"{_WRITE} in a list")
        annotations = []
        for entity in value[found[0]]:
            annotation = annotation_of(entity)
            if isinstance(annotation, Violation):
                return annotation
            annotations.append(annotation)
        return Document(text, annotations)


def annotation_of(entity: object) -> Annotation | Violation:
    """An entity with its places and its type in an object, or in a list of these three."""
    if isinstance(entity, dict):
        values: dict[str, Any] = {}
        for key, value in entity.items():
            role = _ROLES.get(_plain(key))
            if role is not None and values.setdefault(role, value) != value:
                return _wrong(f"An entity has two values for its {role}", _WRITE)
    elif isinstance(entity, list) and len(entity) == _TRIPLE:
        values = dict(zip(("begin", "end", "type"), entity, strict=True))
    else:
        return _wrong("An entity is neither an object nor a list of begin, end and type", _WRITE)
    begin, end = values.get("begin"), values.get("end")
    if type(begin) is not int or type(end) is not int:
        return _wrong("An entity has no whole numbers for its begin and end", _WRITE)
    name, text = values.get("type"), values.get("text")
    if isinstance(name, list) and len(name) == 1:
        name = name[0]
    if not isinstance(name, str):
        return _wrong("An entity has no type", _WRITE)
    if text is not None and not isinstance(text, str):
        return _wrong("The text of an entity is not a string", "Write it in double quotes, or leave it out")
    return Annotation(begin, end, name, text)


def _wrong(what: str, instead: str) -> Violation:
    return Violation(WRONG_JSON_VALUE, {"what": what, "instead": instead})


@lru_cache(maxsize=1024)
def _plain(key: str) -> str:
    return key.strip().casefold().replace("_", "").replace("-", "")
