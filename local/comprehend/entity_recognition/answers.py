"""What a model found, in the form that DetectEntities and a job's output give it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.comprehend.entity_recognition.recognizer import Found


def entities_of(found: Iterable[Found], *, text: str) -> list[dict[str, Any]]:
    """The member Entities: offsets are code points of the text, and the end is the first after the entity."""
    return [
        {
            "Score": each.score,
            "Type": each.entity.type,
            "Text": text[each.entity.begin : each.entity.end],
            "BeginOffset": each.entity.begin,
            "EndOffset": each.entity.end,
        }
        for each in found
    ]
