"""The routes of the real-time API. They check requests and responses against `flywheel.api.messages`."""

from __future__ import annotations

import traceback
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any, Protocol

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
    FailedDocument,
    GatewayProblem,
    ModelAnswer,
    OneText,
    Problem,
    SeenModel,
    SeveralDocuments,
    bodies_of,
)
from flywheel.faults.errors import ServiceBusy
from flywheel.faults.service_faults import error_code, is_throttle
from handlers.observability import logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

    from flywheel.api.classify_api import Classified
    from flywheel.api.messages import Answer
    from flywheel.comprehend.real_time import RealTime

JSON = "application/json"


class Work(Protocol):
    """The work that the routes need."""

    endpoint_arn: str

    def classify(self, texts: Sequence[str]) -> Classified: ...

    def describe_model(self) -> ModelAnswer: ...


def routes(work: Work, *, real_time: RealTime) -> APIGatewayRestResolver:
    api = APIGatewayRestResolver(enable_validation=True)
    add_routes(api, work, real_time=real_time)
    turn_errors_into_answers(api, invalid=invalid_request())
    return api


def add_routes(api: APIGatewayRestResolver, work: Work, *, real_time: RealTime) -> None:
    bodies = bodies_of(real_time)

    def classify(request: OneText | SeveralDocuments) -> Response[Any]:
        classified = work.classify(texts_of(request, most_bytes=real_time.most_text_bytes))
        if classified.refusal is not None:
            raise classified.refusal
        wait = classified.retry_after
        return Response(
            200,
            content_type=JSON,
            headers={"Retry-After": str(wait)} if wait is not None else {},
            body=_answer(classified, answer=bodies.answer, endpoint_arn=work.endpoint_arn),
        )

    # Powertools reads them when the route is added. The types are the kind's.
    classify.__annotations__ = {
        "request": Annotated[bodies.request, Body()],
        "return": GenericAlias(Response, (bodies.answer,)),
    }
    api.post(
        real_time.path,
        summary=real_time.summary,
        description=(
            "An error in the request itself refuses it whole. After that each document has its own answer or its own "
            "error, and the status is 200 if at least one has an answer; Retry-After then says when to send again "
            "those with the error THROTTLED or NO_ENDPOINT."
        ),
        responses=responses(
            "What the model makes of each document.",
            {
                400: "INVALID_REQUEST, TEXT_EMPTY, TEXT_TOO_LONG, TOO_MANY_DOCUMENTS or TEXT_REFUSED.",
                503: "NO_ENDPOINT: none is in service; the answer says why and since when.",
            },
        ),
        operation_id=real_time.operation_id,
    )(classify)

    @api.get(
        "/model",
        summary="The active model, since when it is, its scores, and what the endpoint serves now.",
        responses=responses("The active model and the endpoint.", {}),
        operation_id="getModel",
    )
    def model() -> ModelAnswer:
        return work.describe_model()


def turn_errors_into_answers(api: APIGatewayRestResolver, *, invalid: Problem) -> None:
    """`invalid` is the answer to a body of another form. It does not say what is wrong, because that would quote the
    text."""

    def refuse(error: Exception) -> Response[str]:
        if isinstance(error, RequestValidationError) and any(found["loc"][0] == "response" for found in error.errors()):
            logger.error("an answer is not what OpenAPI says of it")
            return _error(internal_error())
        return _error(invalid)

    api.exception_handler(RequestRefused)(_refused)
    api.exception_handler([RequestValidationError, RequestUnsupportedContentType, RecursionError])(refuse)
    api.exception_handler(ServiceBusy)(_busy)
    api.exception_handler(ClientError)(_service_failed)
    api.exception_handler(Exception)(_failed)


def _refused(error: RequestRefused) -> Response[str]:
    return _error(error.problem, retry_after=error.retry_after)


def _busy(_: ServiceBusy) -> Response[str]:
    problem = throttled()
    return _error(problem, retry_after=wait_for(problem))


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


def _answer(classified: Classified, *, answer: type[Answer], endpoint_arn: str) -> Answer:
    seen = classified.model
    return answer.model_validate(
        {
            "endpoint_arn": endpoint_arn,
            "model": SeenModel(arn=seen.model_arn, seen_at=seen.at) if seen and seen.model_arn else None,
            "documents": [
                FailedDocument(error=one)
                if isinstance(one, Problem)
                else one.answered(prediction_id=known, kept=number in classified.keeping.kept)
                for number, (one, known) in enumerate(zip(classified.answers, classified.keeping.ids, strict=True))
            ],
        }
    )


def responses(success: str, further: dict[int, str]) -> dict[int, OpenAPIResponse]:
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
