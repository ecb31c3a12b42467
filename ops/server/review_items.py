"""Items and answers as the review page's JSON says them. Offsets are code points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from flywheel.comprehend.model_kind import ModelType
from flywheel.records.predictions import Suggestion
from flywheel.records.review import Lane, ReviewItem, Verdict
from flywheel.spans import Span
from ops.server.answers import Refused

MOST_LABELS = 10_000
"""Of an answer: a document of 5,000 words has fewer entities."""


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClaimBody(_Body):
    count: int = Field(10, ge=1, le=50)


class EntityBody(_Body):
    type: str
    begin: int = Field(ge=0)
    end: int = Field(ge=0)


class AnswerBody(_Body):
    verdict: Verdict
    labels: tuple[str, ...] | None = Field(None, max_length=MOST_LABELS)
    """A document classifier's."""
    entities: tuple[EntityBody, ...] | None = Field(None, max_length=MOST_LABELS)
    """A recognizer's."""


def labels_of(body: AnswerBody, kind: ModelType) -> tuple[str, ...]:
    """As the records have them. Raises Refused if the members are not those of the kind."""
    spans = kind is ModelType.ENTITY_RECOGNIZER
    given, other = (body.entities, body.labels) if spans else (body.labels, body.entities)
    if other is not None:
        has, takes = ("labels", "entities") if spans else ("entities", "labels")
        raise Refused(400, "INVALID_ANSWER", f"The answer has {has}, but this flywheel's items take {takes}.")
    if given is None and body.verdict is Verdict.ANSWER:
        raise Refused(400, "INVALID_ANSWER", f"The answer lacks {'entities' if spans else 'labels'}.")
    if spans:
        return tuple(Span(entity.begin, entity.end, entity.type).label for entity in body.entities or ())
    return body.labels or ()


def item_as_json(item: ReviewItem, kind: ModelType) -> dict[str, Any]:
    suggestion = item.suggestion
    return {
        "id": item.id,
        "text": item.text,
        "lane": item.lane,
        "source": item.source,
        "at": item.at.isoformat(),
        "model": suggestion.model_arn if suggestion else None,
        "confidence": suggestion.confidence if suggestion else None,
        "note": item.note,
        "suggestion": _suggested(suggestion, kind) if suggestion else None,
        "proposals": [{"by": each.by, **_said(each.labels, kind)} for each in item.proposals],
        # Nobody is led by what others said, but who decides between them.
        "answers": [
            {"by": each.by, **_said(each.labels, kind)}
            for each in item.answers
            if item.lane is Lane.ADJUDICATE and each.verdict is Verdict.ANSWER
        ],
    }


def _suggested(suggestion: Suggestion, kind: ModelType) -> dict[str, Any]:
    if kind is ModelType.ENTITY_RECOGNIZER:
        return {"entities": [entity.model_dump() for entity in suggestion.entities]}
    scores: Mapping[str, float | None] = {each.name: each.score for each in suggestion.predictions}
    # A job's answer may name labels without all scores.
    names = dict.fromkeys([*scores, *suggestion.labels])
    return {
        "labels": [{"name": name, "score": scores.get(name), "chosen": name in suggestion.labels} for name in names]
    }


def _said(labels: Sequence[str], kind: ModelType) -> dict[str, Any]:
    if kind is ModelType.ENTITY_RECOGNIZER:
        spans = sorted(map(Span.of_label, labels))
        return {"entities": [{"type": span.type, "begin": span.begin, "end": span.end} for span in spans]}
    return {"labels": list(labels)}
