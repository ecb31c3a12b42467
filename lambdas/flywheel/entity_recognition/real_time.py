"""Entity recognition in the real-time API. Only the API's function and the command line import this module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from flywheel.comprehend.real_time import AnsweredDocument, Feedback, Message, RealTime
from flywheel.entity_recognition.offsets import Utf16
from flywheel.spans import Span, labels_of_spans
from flywheel.text.byte_limits import DOCUMENT_ANSWER, size_as_json

if TYPE_CHECKING:
    from flywheel.entity_recognition.answer import RecognizedEntities


class FoundEntity(Message):
    text: str = Field(description="What stands in the document from `begin` to `end`.")
    type: str
    begin: int = Field(ge=0, description="In code points (Python's strings): 0 is the first of the document.")
    end: int = Field(ge=1, description="In code points: the first after the entity.")
    begin_utf16: int = Field(ge=0, description="As `begin`, in UTF-16 units (strings of JavaScript, Java, C#).")
    end_utf16: int = Field(ge=1, description="As `end`, in UTF-16 units.")
    score: float = Field(ge=0, le=1)


class DocumentEntities(AnsweredDocument):
    """The answer of a recognizer."""

    entities: list[FoundEntity] = Field(
        description="In the order of the document; where they are more than 200,000 bytes, those with the best scores."
    )
    confidence: float = Field(ge=0, le=1, description="The lowest score of an entity; 1 where there is none.")


def answered(recognized: RecognizedEntities, *, prediction_id: str, kept: bool) -> DocumentEntities:
    utf16 = Utf16(recognized.text)
    found = [
        FoundEntity(
            text=recognized.text[span.begin : span.end],
            type=span.type,
            begin=span.begin,
            end=span.end,
            begin_utf16=utf16.offset(span.begin),
            end_utf16=utf16.offset(span.end),
            score=score,
        )
        for span, score in recognized.entities
    ]
    return DocumentEntities(
        entities=_that_fit(found), confidence=recognized.confidence, prediction_id=prediction_id, kept=kept
    )


def _that_fit(found: list[FoundEntity]) -> list[FoundEntity]:
    """Those with the best scores, as many as fit, in the order of the text: 2,500 of two characters would not."""
    room = DOCUMENT_ANSWER
    fit = set()
    for place in sorted(range(len(found)), key=lambda place: -found[place].score):
        room -= size_as_json(found[place].model_dump())
        if room < 0:
            break
        fit.add(place)
    return [entity for place, entity in enumerate(found) if place in fit]


class GivenEntity(Message):
    type: str
    begin: int = Field(ge=0, description="In code points, as in answers.")
    end: int = Field(ge=1, description="In code points: the first after the entity.")


class EntityFeedback(Feedback):
    entities: list[GivenEntity] | None = Field(default=None, description="All entities of the document.")

    @property
    def labels_said(self) -> tuple[str, ...]:
        return labels_of_spans(Span(each.begin, each.end, each.type) for each in self.entities or ())


REAL_TIME = RealTime(
    path="/entities",
    operation="DetectEntities",
    # "5 KB" in decimal units, as of uploads: the stricter reading, with which Comprehend refuses no text as too long.
    most_text_bytes=5_000,
    documents=(DocumentEntities,),
    feedback=EntityFeedback,
    feedback_members='"entities" (an array of objects with "type", "begin" and "end")',
    feedback_error="INVALID_ENTITIES",
    answer_name="EntitiesAnswer",
    operation_id="detectEntities",
    title="Real-time entity recognition",
    description="Finds entities in texts with the active model of an Amazon Comprehend flywheel.",
    summary="Find the entities of one text, or of up to 25 documents, with the endpoint's model.",
)
