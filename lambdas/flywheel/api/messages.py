"""The requests and responses of the real-time API. docs/openapi*.json are generated from these models, and from those
that each kind of model adds in its `real_time` module."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, create_model

from flywheel.comprehend.real_time import Message
from flywheel.records.decisions import Metrics
from flywheel.records.serving import ServingStatus

if TYPE_CHECKING:
    from flywheel.comprehend.real_time import RealTime

MOST_DOCUMENTS = 25
"""In one request. One inference unit, which takes two documents a second, can answer them in time."""


class OneText(Message):
    text: str


class SeveralDocuments(Message):
    documents: list[str]


class ErrorCode(StrEnum):
    """Stable: a client may depend on them."""

    INVALID_REQUEST = "INVALID_REQUEST"
    TEXT_EMPTY = "TEXT_EMPTY"
    TEXT_TOO_LONG = "TEXT_TOO_LONG"
    TEXT_REFUSED = "TEXT_REFUSED"
    TOO_MANY_DOCUMENTS = "TOO_MANY_DOCUMENTS"
    INVALID_LABEL = "INVALID_LABEL"
    INVALID_ENTITIES = "INVALID_ENTITIES"
    PREDICTION_UNKNOWN = "PREDICTION_UNKNOWN"
    PREDICTION_NOT_KEPT = "PREDICTION_NOT_KEPT"
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


class FailedDocument(Message):
    """A document without an answer, among others that have one."""

    error: Problem


class SeenModel(Message):
    arn: str
    seen_at: datetime = Field(description="When the endpoint was last asked which model it serves.")


class Answer(Message):
    """The response of every kind of model, without its `documents`."""

    endpoint_arn: str
    model: SeenModel | None = Field(description="Null if the endpoint could not be asked.")


@dataclass(frozen=True, kw_only=True)
class Bodies:
    """The types of a kind's requests and responses."""

    request: Any
    """OneText, or SeveralDocuments."""
    answer: type[Answer]


def bodies_of(real_time: RealTime) -> Bodies:
    most = real_time.most_text_bytes
    text = Annotated[
        str, Field(description=f"At least one character that is not a space, at most {most:,} bytes in UTF-8.")
    ]
    several = Field(
        description=f"1 to {MOST_DOCUMENTS} documents.",
        json_schema_extra={"minItems": 1, "maxItems": MOST_DOCUMENTS},
    )
    document: Any = reduce(or_, (*real_time.documents, FailedDocument))
    each = Field(description="One for each document, in the order of the request.")
    return Bodies(
        request=create_model("OneText", __base__=OneText, text=(text, ...))
        | create_model("SeveralDocuments", __base__=SeveralDocuments, documents=(list[text], several)),
        answer=create_model(real_time.answer_name, __base__=Answer, documents=(list[document], each)),
    )


class FeedbackTaken(Message):
    item: str = Field(description="What the text is called in the review queue.")
    state: Literal["WAITS_FOR_REVIEW", "ACCEPTED"] = Field(
        description="Whether it waits for a reviewer, or counts as an answer (FeedbackTrust)."
    )
    text_kept: bool = Field(
        description="Whether the prediction that it is about was kept, so that reviewers see the model's answer, too. "
        "The text is in the review queue in both cases."
    )


class ActiveModel(Message):
    arn: str
    since: datetime
    scores: Metrics | None = Field(description="Of the model's own training; null if there are none.")
    thresholds: dict[str, float] | None = Field(
        description="Of a multi-label model, by label; null if it has none of its own, which means 0.5 for all, and if "
        "they take more than 200,000 bytes."
    )


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
