"""What a kind of model says of itself in the real-time API: its route, its limit, its answers."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field


class Message(BaseModel):
    """The base class of all requests and responses."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AnsweredDocument(Message):
    """What the answer for a document has, whatever the kind of model."""

    prediction_id: str = Field(
        description="Names the prediction in feedback. The same for the same text on one day (UTC)."
    )
    kept: bool = Field(
        description="Whether the text is kept (parameter KeepPredictions), so that feedback can name the prediction "
        "instead of the text."
    )


@dataclass(frozen=True, kw_only=True)
class RealTime:
    path: str
    operation: str
    """Comprehend's operation behind the route."""
    most_text_bytes: int
    """Most bytes of one document, in UTF-8 (reference 2.9)."""
    documents: tuple[type[Message], ...]
    """What `Prediction.answered` gives."""
    answer_name: str
    """Names the response in OpenAPI, as the other words do that follow."""
    operation_id: str
    title: str
    description: str
    """A sentence."""
    summary: str
