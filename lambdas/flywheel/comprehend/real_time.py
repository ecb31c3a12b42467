"""What a kind of model says of itself in the real-time API: its route, its limit, its answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


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


class Feedback(Message):
    """What somebody says of a prediction. A kind adds members for its answers, of which one is given, unless it is
    `correct`."""

    prediction_id: str | None = Field(default=None, description="Of a prediction whose text is kept; or give `text`.")
    text: str | None = Field(default=None, description="Instead of `prediction_id`.")
    correct: Literal[True] | None = Field(
        default=None, description="The model's answer is right. Only of a prediction that is kept."
    )

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        given = self.model_fields_set - {"prediction_id", "text"}
        if (self.prediction_id is None) == (self.text is None) or len(given) != 1:
            raise ValueError("either prediction_id or text, and one thing that is said of it")
        if any(getattr(self, name) is None for name in self.model_fields_set):
            raise ValueError("what is not given is left out")
        return self

    @property
    def labels_said(self) -> tuple[str, ...]:
        """As of `Suggestion.labels`, unless it is `correct`."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class RealTime:
    path: str
    operation: str
    """Comprehend's operation behind the route."""
    most_text_bytes: int
    """Most bytes of one document, in UTF-8 (reference 2.9)."""
    documents: tuple[type[Message], ...]
    """What `Prediction.answered` gives."""
    feedback: type[Feedback]
    feedback_members: str
    """How its answers are said, in words."""
    feedback_error: str
    """The code of the error for an answer that the flywheel cannot train on."""
    answer_name: str
    """Names the response in OpenAPI, as the other words do that follow."""
    operation_id: str
    title: str
    description: str
    """A sentence."""
    summary: str
