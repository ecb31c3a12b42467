"""The requests and responses of the real-time API. docs/openapi.json is generated from these models."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from flywheel.comprehend.live_endpoint import MOST_TEXT_BYTES
from flywheel.records.decisions import Metrics
from flywheel.records.serving import ServingStatus

MOST_DOCUMENTS = 25
"""In one request. One inference unit, which takes two documents a second, can answer them in time."""

DocumentText = Annotated[
    str, Field(description=f"At least one character that is not a space, at most {MOST_TEXT_BYTES:,} bytes in UTF-8.")
]


class Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OneText(Message):
    text: DocumentText


class SeveralDocuments(Message):
    documents: list[DocumentText] = Field(
        description=f"1 to {MOST_DOCUMENTS} documents.",
        json_schema_extra={"minItems": 1, "maxItems": MOST_DOCUMENTS},
    )


class ErrorCode(StrEnum):
    """Stable: a client may depend on them."""

    INVALID_REQUEST = "INVALID_REQUEST"
    TEXT_EMPTY = "TEXT_EMPTY"
    TEXT_TOO_LONG = "TEXT_TOO_LONG"
    TEXT_REFUSED = "TEXT_REFUSED"
    TOO_MANY_DOCUMENTS = "TOO_MANY_DOCUMENTS"
    THROTTLED = "THROTTLED"
    NO_ENDPOINT = "NO_ENDPOINT"
    INTERNAL_ERROR = "INTERNAL_ERROR"


class Problem(Message):
    """Why a request, or one document of it, has no answer."""

    code: ErrorCode
    message: str = Field(description="A sentence for people; it may change.")
    document: int | None = Field(default=None, description="Its index in `documents`: 0 is the first.")
    bytes: int | None = Field(default=None, description="TEXT_TOO_LONG: how long it is in UTF-8.")
    limit: int | None = Field(default=None, description="TEXT_TOO_LONG, TOO_MANY_DOCUMENTS: how much is allowed.")
    status: ServingStatus | None = Field(default=None, description="NO_ENDPOINT: what there is of the endpoint.")
    since: datetime | None = Field(default=None, description="NO_ENDPOINT: since when that is so.")


class GatewayProblem(Message):
    """What API Gateway itself refuses, before the API is asked."""

    code: str = Field(description="The name of AWS's gateway response type, such as ACCESS_DENIED.")
    message: str | None


class LabelScore(Message):
    name: str
    score: float = Field(ge=0, le=1)


class ClassifiedDocument(Message):
    """The answer of a model whose classes exclude each other."""

    label: str = Field(description="The class with the best score.")
    confidence: float = Field(ge=0, le=1, description="Its score.")
    classes: list[LabelScore] = Field(description="What the model names, the best first; up to 200,000 bytes of them.")


class LabelledDocument(Message):
    """The answer of a model that gives a document any number of labels."""

    labels: list[LabelScore] = Field(
        description="Every label, the best first, up to 200,000 bytes of them; a score of 0.5 and more is a yes."
    )
    confidence: float = Field(
        ge=0,
        le=1,
        description="That of the least certain label: each is as certain as its score, or as 1 minus its score where "
        "that is below 0.5.",
    )


class FailedDocument(Message):
    """A document without an answer, among others that have one."""

    error: Problem


class SeenModel(Message):
    arn: str
    seen_at: datetime = Field(description="When the endpoint was last asked which model it serves.")


class ClassifyAnswer(Message):
    endpoint_arn: str
    model: SeenModel | None = Field(description="Null if the endpoint could not be asked.")
    documents: list[ClassifiedDocument | LabelledDocument | FailedDocument] = Field(
        description="One for each document, in the order of the request."
    )


class ActiveModel(Message):
    arn: str
    since: datetime
    scores: Metrics | None = Field(description="Of the model's own training; null if there are none.")


class ServedModel(Message):
    """What the endpoint serves now."""

    arn: str
    status: str = Field(description="Comprehend's; IN_SERVICE and UPDATING answer.")
    model_arn: str | None
    desired_model_arn: str | None = Field(description="Another than `model_arn` while the endpoint changes over.")
    inference_units: int | None


class ServingSituation(Message):
    status: ServingStatus
    reason: str
    since: datetime


class ModelAnswer(Message):
    active_model: ActiveModel | None = Field(description="Null before the first promotion.")
    endpoint: ServedModel | None = Field(description="Null if there is none.")
    serving: ServingSituation | None = Field(description="Why; null before anything was to be served.")
