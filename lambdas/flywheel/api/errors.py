"""The errors of the real-time API, with their stable codes and HTTP statuses."""

from __future__ import annotations

from http import HTTPStatus
from math import ceil

from flywheel.api.messages import MOST_DOCUMENTS, ErrorCode, Problem
from flywheel.faults.errors import FlywheelError
from flywheel.records.serving import ServingState, ServingStatus

DOCUMENTS_A_SECOND = 2
"""The capacity of one inference unit. Retry-After is computed from it, and is long enough for any number of units."""
_SOON = frozenset({ServingStatus.CREATING, ServingStatus.IN_SERVICE, ServingStatus.UPDATING})
_MINUTE = 60

STATUSES = {
    ErrorCode.INVALID_REQUEST: HTTPStatus.BAD_REQUEST,
    ErrorCode.TEXT_EMPTY: HTTPStatus.BAD_REQUEST,
    ErrorCode.TEXT_TOO_LONG: HTTPStatus.BAD_REQUEST,
    ErrorCode.TEXT_REFUSED: HTTPStatus.BAD_REQUEST,
    ErrorCode.TOO_MANY_DOCUMENTS: HTTPStatus.BAD_REQUEST,
    ErrorCode.INVALID_LABEL: HTTPStatus.BAD_REQUEST,
    ErrorCode.INVALID_ENTITIES: HTTPStatus.BAD_REQUEST,
    ErrorCode.PREDICTION_UNKNOWN: HTTPStatus.NOT_FOUND,
    ErrorCode.PREDICTION_NOT_KEPT: HTTPStatus.NOT_FOUND,
    ErrorCode.THROTTLED: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.NO_ENDPOINT: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorCode.INTERNAL_ERROR: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The status of a response that is an error."""


class RequestRefused(FlywheelError):
    """The response is an error. `retry_after` is in seconds; None if trying again is of no use."""

    def __init__(self, problem: Problem, *, retry_after: int | None = None) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.retry_after = retry_after

    @property
    def status(self) -> HTTPStatus:
        return STATUSES[self.problem.code]


def invalid_request() -> Problem:
    return Problem(
        code=ErrorCode.INVALID_REQUEST,
        message=(
            'The body must be a JSON object with either "text" (a string) or "documents" (an array of strings), and '
            "no other member."
        ),
    )


def invalid_feedback(members: str) -> Problem:
    """`members`: `RealTime.feedback_members`."""
    return Problem(
        code=ErrorCode.INVALID_REQUEST,
        message=(
            'The body must be a JSON object with either "prediction_id" or "text" (strings), with one of '
            f'{members} and "correct" (true), and no other member.'
        ),
    )


def prediction_unknown() -> Problem:
    return Problem(
        code=ErrorCode.PREDICTION_UNKNOWN,
        message='"prediction_id" is none that an answer can have had: send it as the answer has it.',
    )


def prediction_not_kept(*, by_id: bool) -> Problem:
    if by_id:
        message = (
            "The text of this prediction is not kept: the deployment did not ask for it (KeepPredictions), its days "
            "are over (KeepPredictionsDays), or it was deleted. Send the text instead, with the right answer."
        )
    else:
        message = (
            "No prediction of this text from today is kept, so there is no answer that could be correct: send the "
            "right answer itself."
        )
    return Problem(code=ErrorCode.PREDICTION_NOT_KEPT, message=message)


def not_unicode(document: int) -> Problem:
    return Problem(
        code=ErrorCode.INVALID_REQUEST,
        message=f"The document at index {document} is not valid Unicode: it has half a surrogate pair.",
        document=document,
    )


def no_documents() -> Problem:
    return Problem(code=ErrorCode.TEXT_EMPTY, message='"documents" is empty: give at least one.')


def text_empty(document: int) -> Problem:
    return Problem(
        code=ErrorCode.TEXT_EMPTY,
        message=f"The document at index {document} is empty.",
        document=document,
    )


def text_too_long(document: int, size: int, *, limit: int) -> Problem:
    return Problem(
        code=ErrorCode.TEXT_TOO_LONG,
        message=(
            f"The document at index {document} has {size:,} bytes in UTF-8; Comprehend takes {limit:,}. "
            "Shorten it, or give it to an analysis job."
        ),
        document=document,
        bytes=size,
        limit=limit,
    )


def text_refused(document: int) -> Problem:
    return Problem(
        code=ErrorCode.TEXT_REFUSED,
        message=f"Comprehend takes the document at index {document} for invalid.",
        document=document,
    )


def too_many_documents(count: int) -> Problem:
    return Problem(
        code=ErrorCode.TOO_MANY_DOCUMENTS,
        message=f"{count} documents in one request; it takes {MOST_DOCUMENTS}. Send several requests.",
        limit=MOST_DOCUMENTS,
    )


def throttled(document: int | None = None) -> Problem:
    return Problem(
        code=ErrorCode.THROTTLED,
        message=(
            "The endpoint takes no more for the moment: an inference unit takes 2 documents and 100 characters a "
            "second. Try again later."
        ),
        document=document,
    )


def no_endpoint(state: ServingState | None, document: int | None = None) -> Problem:
    """`state` is the recorded state of the endpoint, None before the Serving stack has run."""
    if state is None:
        message = "No endpoint is deployed: set InferenceUnits of the Serving stack above 0."
        return Problem(code=ErrorCode.NO_ENDPOINT, message=message, document=document)
    return Problem(
        code=ErrorCode.NO_ENDPOINT,
        message=f"No endpoint answers ({state.status}): {state.reason}",
        status=state.status,
        since=state.since,
        document=document,
    )


def internal_error(document: int | None = None) -> Problem:
    return Problem(
        code=ErrorCode.INTERNAL_ERROR,
        message="Something went wrong on the side of the API; its log says what, under the request's id.",
        document=document,
    )


def wait_for(problem: Problem, *, documents: int = 1) -> int | None:
    """Seconds after which this number of documents may be sent again; None if that is of no use."""
    if problem.code is ErrorCode.THROTTLED:
        return ceil(documents / DOCUMENTS_A_SECOND)
    if problem.code is ErrorCode.NO_ENDPOINT and problem.status in _SOON:
        return _MINUTE
    return None
