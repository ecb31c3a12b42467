"""Tests a newly served model: has the endpoint classify a small labelled file."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config
from pydantic import BaseModel, ConfigDict

from flywheel.comprehend.live_endpoint import LiveEndpoint
from flywheel.confidence import NO_THRESHOLDS
from flywheel.environment import Labels, Pipeline
from flywheel.records.serving import smoke_test_key
from flywheel.records.thresholds import thresholds_of
from flywheel.serving.smoke_test import Trial, ask_endpoint, find_documents, result_of
from flywheel.serving.target import read_target
from handlers.clients import active_model_service, client, intake_bucket, model_kind
from handlers.clock import now
from handlers.observability import handles, logger


class Environment(Pipeline, Labels):
    endpoint_arn: str


class Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    model_arn: str


# One inference unit takes two documents a second. The adaptive retry mode slows the calls down to that.
_patient = boto3.client("comprehend", config=Config(retries={"mode": "adaptive", "max_attempts": 15}))


@handles(Step, Environment)
def handler(step: Step, environment: Environment) -> dict[str, Any]:
    intake = intake_bucket(environment)
    target = read_target(ssm=client("ssm"), prefix=environment.parameter_prefix)
    if target is None or not target.smoke_test_key:
        # The target has changed since the machine read it.
        return {"trial": Trial.NOT_WANTED.value}
    key, kind = target.smoke_test_key, model_kind(environment)
    documents = find_documents(
        key,
        intake=intake,
        kind=kind,
        task=active_model_service(environment).task_of(step.model_arn),
        delimiter=environment.label_delimiter,
    )
    answers = ask_endpoint(
        documents,
        endpoint=LiveEndpoint(comprehend=_patient, kind=kind, arn=environment.endpoint_arn, clock=now),
        thresholds=thresholds_of(step.model_arn, intake=intake) if kind.has_thresholds else NO_THRESHOLDS,
    )
    tested = result_of(
        answers,
        model_arn=step.model_arn,
        endpoint_arn=environment.endpoint_arn,
        key=key,
        minimum=target.smoke_test_minimum,
        now=now(),
    )
    intake.write(smoke_test_key(step.model_arn), tested)
    logger.info("smoke test", model=step.model_arn, right=tested.right, documents=tested.documents)
    return {"trial": Trial.DONE.value}
