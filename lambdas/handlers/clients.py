"""The functions' AWS clients and services. Clients are created once in an execution environment."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import boto3
from botocore.config import Config

from flywheel.comprehend.flywheel import FlywheelService
from flywheel.comprehend.imported_models import ImportedModels
from flywheel.model_kinds import kind_of
from flywheel.pipeline import FlywheelPipeline, Pipeline
from flywheel.store.bucket import IntakeBucket
from flywheel.store.parameters import PublishedModels

if TYPE_CHECKING:
    from flywheel import environment as environments
    from flywheel.comprehend.active_model import ActiveModelService
    from flywheel.comprehend.model_kind import ModelKind

_NOT_REACHED = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
"""For what is repeated anyway: a network without a way to the service holds the function up for seconds only."""
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 8}, max_pool_connections=32)


@cache
def client(
    service: Literal[
        "application-autoscaling", "cloudformation", "comprehend", "events", "s3", "sns", "sqs", "ssm", "stepfunctions"
    ],
) -> Any:
    return boto3.client(service, config=_NOT_REACHED if service == "events" else _CONFIG)


def intake_bucket(environment: environments.Intake) -> IntakeBucket:
    return IntakeBucket(s3=client("s3"), bucket=environment.intake_bucket)


def model_kind(environment: environments.Kind) -> ModelKind:
    return kind_of(environment.model_type)


def flywheel_service(environment: environments.Flywheel) -> FlywheelService:
    return FlywheelService(
        comprehend=client("comprehend"), flywheel_arn=environment.flywheel_arn, kind=model_kind(environment)
    )


def active_model_service(environment: environments.ModelsOfDeployment) -> ActiveModelService:
    """The deployment's flywheel, or the models that it imported."""
    if environment.flywheel_arn is not None:
        return FlywheelService(
            comprehend=client("comprehend"), flywheel_arn=environment.flywheel_arn, kind=model_kind(environment)
        )
    return imported_models(environment)


def imported_models(environment: environments.ModelsOfDeployment, *, role_arn: str | None = None) -> ImportedModels:
    """`role_arn` is for functions that start jobs."""
    if environment.imported_model_arn is None:
        raise ValueError("The environment has neither FLYWHEEL_ARN nor IMPORTED_MODEL_ARN.")
    return ImportedModels(
        comprehend=client("comprehend"),
        kind=model_kind(environment),
        intake=intake_bucket(environment),
        model_arn=environment.imported_model_arn,
        key_arn=environment.model_key_arn,
        role_arn=role_arn,
    )


def pipeline(environment: environments.Pipeline) -> Pipeline:
    return Pipeline(
        intake=intake_bucket(environment),
        service=active_model_service(environment),
        published=published_models(environment),
    )


def flywheel_pipeline(environment: environments.FlywheelPipeline) -> FlywheelPipeline:
    return FlywheelPipeline(
        intake=intake_bucket(environment),
        service=flywheel_service(environment),
        published=published_models(environment),
    )


def published_models(environment: environments.Parameters) -> PublishedModels:
    return PublishedModels(ssm=client("ssm"), prefix=environment.parameter_prefix)
