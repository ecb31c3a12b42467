"""The routes of the real-time API. They check requests and responses against `flywheel.api.messages`."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Annotated, Protocol

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
)
from aws_lambda_powertools.event_handler.openapi.params import Body
from botocore.exceptions import ClientError

from flywheel.api.classify_api import texts_of
from flywheel.api.errors import STATUSES, RequestRefused, internal_error, invalid_request, throttled, wait_for
from flywheel.api.messages import (
    ClassifiedDocument,
    ClassifyAnswer,
    FailedDocument,
    GatewayProblem,
    LabelledDocument,
    LabelScore,
    ModelAnswer,
    OneText,
    Problem,
    SeenModel,
    SeveralDocuments,
)
from flywheel.document_classification.answer import Classification
from flywheel.faults.service_faults import error_code, is_throttle
from flywheel.text.byte_limits import size_as_json
from handlers.observability import logger

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

    from flywheel.api.classify_api import Classified
    from flywheel.comprehend.model_kind import Prediction

JSON = "application/json"
_SCORES_BYTES = 200_000
"""Of one document. Lambda's responses may have 6 MB, and a response has up to 25 documents."""


class Work(Protocol):
    """The work that the routes need."""

    endpoint_arn: str

    def classify(self, texts: Sequence[str]) -> Classified: ...

    def describe_model(self) -> ModelAnswer: ...


def routes(work: Work) -> APIGatewayRestResolver:
    api = APIGatewayRestResolver(enable_validation=True)

    @api.post(
        "/classify",
        summary="Classify one text, or up to 25 documents, with the endpoint's model.",
        description=(
            "An error in the request itself refuses it whole. After that each document has its own answer or its own "
            "error, and the status is 200 if at least one has an answer; Retry-After then says when to send again "
            "those with the error THROTTLED or NO_ENDPOINT."
        ),
        responses=_responses(
            "What the model makes of each document.",
            {
                400: "INVALID_REQUEST, TEXT_EMPTY, TEXT_TOO_LONG, TOO_MANY_DOCUMENTS or TEXT_REFUSED.",
                503: "NO_ENDPOINT: none is in service; the answer says why and since when.",
            },
        ),
        operation_id="classify",
    )
    def classify(request: Annotated[OneText | SeveralDocuments, Body()]) -> Response[ClassifyAnswer]:
        classified = work.classify(texts_of(request))
        if classified.refusal is not None:
            raise classified.refusal
        wait = classified.retry_after
        return Response(
            200,
            content_type=JSON,
            headers={"Retry-After": str(wait)} if wait is not None else {},
            body=_answer(classified, endpoint_arn=work.endpoint_arn),
        )

    @api.get(
        "/model",
        summary="The active model, since when it is, its scores, and what the endpoint serves now.",
        responses=_responses("The active model and the endpoint.", {}),
        operation_id="getModel",
    )
    def model() -> ModelAnswer:
        return work.describe_model()

    _turn_errors_into_answers(api)
    return api


def _turn_errors_into_answers(api: APIGatewayRestResolver) -> None:
    api.exception_handler(RequestRefused)(_refused)
    api.exception_handler([RequestValidationError, RequestUnsupportedContentType, RecursionError])(_invalid)
    api.exception_handler(ClientError)(_service_failed)
    api.exception_handler(Exception)(_failed)


def _refused(error: RequestRefused) -> Response[str]:
    return _error(error.problem, retry_after=error.retry_after)


def _invalid(error: Exception) -> Response[str]:
    if isinstance(error, RequestValidationError) and any(found["loc"][0] == "response" for found in error.errors()):
        logger.error("an answer is not what docs/openapi.json says")
        return _error(internal_error())
    # The response does not say what is wrong, because that would quote the text.
    return _error(invalid_request())


def _service_failed(error: ClientError) -> Response[str]:
    code = error_code(error)
    logger.error("a call failed", operation=error.operation_name, code=code)
    problem = throttled() if is_throttle(error) else internal_error()
    return _error(problem, retry_after=wait_for(problem))


def _failed(error: Exception) -> Response[str]:
    # Without its message, which may quote the text.
    logger.error("failed", error=type(error).__name__, trace=traceback.format_tb(error.__traceback__, limit=-4))
    return _error(internal_error())


def _error(problem: Problem, *, retry_after: int | None = None) -> Response[str]:
    return Response(
        int(STATUSES[problem.code]),
        content_type=JSON,
        headers={"Retry-After": str(retry_after)} if retry_after is not None else {},
        body=problem.model_dump_json(exclude_none=True),
    )


def _answer(classified: Classified, *, endpoint_arn: str) -> ClassifyAnswer:
    seen = classified.model
    model = SeenModel(arn=seen.model_arn, seen_at=seen.at) if seen and seen.model_arn else None
    return ClassifyAnswer(
        endpoint_arn=endpoint_arn, model=model, documents=[_document(answer) for answer in classified.answers]
    )


def _document(answer: Prediction | Problem) -> ClassifiedDocument | LabelledDocument | FailedDocument:
    if isinstance(answer, Problem):
        return FailedDocument(error=answer)
    if not isinstance(answer, Classification):
        raise TypeError(f"/classify answers classifications, not {type(answer).__name__}")
    scores = [LabelScore(name=name, score=score) for name, score in _that_fit(answer.scores)]
    if answer.multi_label:
        return LabelledDocument(labels=scores, confidence=answer.confidence)
    return ClassifiedDocument(label=scores[0].name, confidence=answer.confidence, classes=scores)


def _that_fit(scores: Sequence[tuple[str, float]]) -> Iterator[tuple[str, float]]:
    """The best score, and as many others as fit: 1,000 labels of 5,000 characters would not."""
    room = _SCORES_BYTES
    for place, (name, score) in enumerate(scores):
        room -= size_as_json({"name": name, "score": score})
        if room < 0 and place:
            return
        yield name, score


def _responses(success: str, further: dict[int, str]) -> dict[int, OpenAPIResponse]:
    """The responses of a route: the success, the errors of all routes, and `further` errors with their codes."""
    errors = {
        **further,
        429: "THROTTLED: by the endpoint's inference units or the API's own limit. Retry-After says for how long.",
        500: "INTERNAL_ERROR",
    }
    described: dict[int, OpenAPIResponse] = {
        200: {"description": success},
        403: {
            "description": "The signature or the permission execute-api:Invoke is missing.",
            "content": {JSON: {"model": GatewayProblem}},
        },
    }
    for status, description in sorted(errors.items()):
        described[status] = {"description": description, "content": {JSON: {"model": Problem}}}
    return described
