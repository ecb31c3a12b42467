"""The route of the real-time API that takes feedback. A function of its own serves it, with a role of its own."""

from __future__ import annotations

from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from flywheel.api.errors import invalid_feedback
from flywheel.api.messages import FeedbackTaken
from handlers.api.classify_routes import JSON, responses, turn_errors_into_answers

if TYPE_CHECKING:
    from flywheel.comprehend.real_time import Feedback, RealTime


class Work(Protocol):
    """The work that the route needs."""

    def take(self, said: Feedback, *, by: str) -> FeedbackTaken: ...


def routes(work: Work, *, real_time: RealTime) -> APIGatewayRestResolver:
    api = APIGatewayRestResolver(enable_validation=True)
    add_routes(api, work, real_time=real_time)
    turn_errors_into_answers(api, invalid=invalid_feedback(real_time.feedback_members))
    return api


def add_routes(api: APIGatewayRestResolver, work: Work, *, real_time: RealTime) -> None:
    def feedback(request: Feedback) -> Response[Any]:
        # API Gateway has checked the signature: this is who made it.
        by = api.current_event.request_context.identity.user_arn
        if not by:
            raise ValueError("the event names no caller")
        return Response(200, content_type=JSON, body=work.take(request, by=by))

    # Powertools reads them when the route is added. The type is the kind's.
    feedback.__annotations__ = {
        "request": Annotated[real_time.feedback, Body()],
        "return": GenericAlias(Response, (FeedbackTaken,)),
    }
    api.post(
        "/feedback",
        summary="Say what the right answer is, or that the model's is right.",
        description=(
            'Either "prediction_id" or "text", and what is right: '
            f'one of {real_time.feedback_members}, or "correct": true. What is said again changes nothing. '
            "There is no such route where models are imported: they learn where they are trained."
        ),
        responses=responses(
            "What became of it.",
            {
                400: f"INVALID_REQUEST, TEXT_EMPTY, TEXT_TOO_LONG or {real_time.feedback_error}.",
                404: "PREDICTION_NOT_KEPT: send the text instead. PREDICTION_UNKNOWN: it is no id.",
            },
        ),
        operation_id="giveFeedback",
    )(feedback)
