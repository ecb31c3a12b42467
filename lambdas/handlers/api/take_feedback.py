"""Takes feedback: the real-time API's `POST /feedback`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from flywheel import environment as environments
from flywheel.api.take_feedback import FeedbackTaker
from flywheel.faults.errors import ServiceBusy
from flywheel.review.propose import Trust
from flywheel.review.queue import ReviewQueue
from handlers.api.feedback_routes import routes
from handlers.clients import flywheel_service, intake_bucket, model_kind
from handlers.clock import now
from handlers.observability import logger, observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from flywheel.api.messages import FeedbackTaken
    from flywheel.comprehend.real_time import Feedback


class Environment(environments.Flywheel, environments.Intake):
    feedback_trust: Trust


environment = Environment.load()


class Work:
    @cached_property
    def _taker(self) -> FeedbackTaker:
        """A generation's labels never change, so they are asked for once."""
        kind, task = model_kind(environment), flywheel_service(environment).describe().task
        if not task.labels:
            raise ServiceBusy("The flywheel is being created.")
        queue = ReviewQueue(intake=intake_bucket(environment), kind=kind, task=task)
        return FeedbackTaker(queue=queue, real_time=kind.real_time, trust=environment.feedback_trust)

    def take(self, said: Feedback, *, by: str) -> FeedbackTaken:
        taken = self._taker.take(said, by=by, now=now())
        logger.info("feedback taken", item=taken.item, state=taken.state, text_kept=taken.text_kept, by=by)
        return taken


_api = routes(Work(), real_time=model_kind(environment).real_time)


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    # The request id that the caller gets and that API Gateway's access log has.
    logger.set_correlation_id(event["requestContext"]["requestId"])
    return _api.resolve(event, context)
