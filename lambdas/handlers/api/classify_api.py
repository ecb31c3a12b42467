"""Answers the real-time API: `POST /classify`, or a recognizer's `POST /entities`, and `GET /model`."""

from __future__ import annotations

import time
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Literal

import boto3
from botocore.config import Config
from pydantic import Field

from flywheel import environment as environments
from flywheel.api import metrics
from flywheel.api.classify_api import RequestClassifier
from flywheel.api.keep_predictions import Keep, KeepingRules
from flywheel.comprehend.live_endpoint import LiveEndpoint
from flywheel.model_kinds import kind_of
from flywheel.store.bucket import IntakeBucket
from handlers.api.classify_routes import routes
from handlers.clock import now
from handlers.measuring import emit
from handlers.observability import logger, observed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from flywheel.api.classify_api import Classified
    from flywheel.api.messages import ModelAnswer


class Environment(environments.Pipeline):
    endpoint_arn: str
    review_threshold: float = Field(ge=0, le=1)
    keep_predictions: Keep = Keep.NONE
    keep_predictions_percent: float = Field(ge=0, le=100, default=0)
    audit_percent: float = Field(ge=0, le=100, default=0)


environment = Environment.load()
KIND = kind_of(environment.model_type)

# API Gateway waits 29 s for the response. RequestClassifier itself retries within that time, so the client does not.
_QUICK = Config(
    connect_timeout=1,
    read_timeout=4,
    retries={"mode": "standard", "total_max_attempts": 1},
    max_pool_connections=32,
)


@cache
def client(service: Literal["comprehend", "s3", "ssm"]) -> Any:
    return boto3.client(service, config=_QUICK)


class Work:
    """Creates clients when they are first needed: most requests need only Comprehend's."""

    endpoint_arn = environment.endpoint_arn

    @cached_property
    def endpoint(self) -> LiveEndpoint:
        return LiveEndpoint(
            comprehend=client("comprehend"),
            kind=KIND,
            arn=environment.endpoint_arn,
            clock=now,
        )

    @cached_property
    def classifying(self) -> RequestClassifier:
        return RequestClassifier(
            endpoint=self.endpoint,
            intake=lambda: IntakeBucket(s3=client("s3"), bucket=environment.intake_bucket),
            rules=KeepingRules(
                keep=environment.keep_predictions,
                threshold=environment.review_threshold,
                sample_percent=environment.keep_predictions_percent,
                audit_percent=environment.audit_percent,
            ),
            clock=now,
            elapsed=time.monotonic,
            pause=time.sleep,
        )

    def classify(self, texts: Sequence[str]) -> Classified:
        began = time.perf_counter()
        classified = self.classifying.classify(texts)
        seconds = time.perf_counter() - began
        emit(metrics.of_classified(classified), flywheel_name=environment.flywheel_name)
        if classified.causes:
            logger.warning("calls failed", causes=classified.causes)
        logger.info(
            "classified",
            documents=len(classified.answers),
            failed=len(classified.problems),
            low_confidence=classified.low_confidence,
            kept=len(classified.keeping.kept),
            queued=classified.keeping.queued,
            not_stored=classified.keeping.not_stored,
            throttled=classified.throttled,
            seconds=round(seconds, 4),
        )
        return classified

    def describe_model(self) -> ModelAnswer:
        # Imported here, because classifying does not need them.
        from flywheel.api.describe_model import describe_model
        from flywheel.comprehend.model import ModelService
        from flywheel.store.parameters import PublishedModels

        return describe_model(
            endpoint=self.endpoint,
            models=ModelService(comprehend=client("comprehend"), kind=KIND),
            intake=IntakeBucket(s3=client("s3"), bucket=environment.intake_bucket),
            published=PublishedModels(ssm=client("ssm"), prefix=environment.parameter_prefix),
        )


_api = routes(Work(), real_time=KIND.real_time)


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    # The request id that the caller gets and that API Gateway's access log has.
    logger.set_correlation_id(event["requestContext"]["requestId"])
    return _api.resolve(event, context)
