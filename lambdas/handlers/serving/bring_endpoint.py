"""Brings the endpoint one change nearer to its target. Only this function creates, changes and deletes it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from flywheel.comprehend.endpoint import EndpointService
from flywheel.comprehend.scaling import EndpointScaling
from flywheel.environment import Pipeline
from flywheel.records.serving import LEASE_KEY
from flywheel.serving.bring_endpoint import EndpointController
from flywheel.serving.report_serving import write_state
from flywheel.serving.target import read_target
from flywheel.store.lease import held
from handlers.clients import client, intake_bucket, model_kind, pipeline
from handlers.clock import now
from handlers.observability import handles, logger

TIMEOUT = timedelta(minutes=2)
"""The function's time-out. The lease lasts a little longer."""


class Environment(Pipeline):
    endpoint_arn: str
    endpoint_role_arn: str = ""


class Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    execution: str
    replaced: bool


@handles(Step, Environment)
def handler(step: Step, environment: Environment) -> dict[str, Any]:
    intake = intake_bucket(environment)
    controller = EndpointController(
        endpoints=EndpointService(comprehend=client("comprehend"), arn=environment.endpoint_arn),
        scaling=EndpointScaling(
            scaling=client("application-autoscaling"),
            kind=model_kind(environment),
            endpoint_arn=environment.endpoint_arn,
        ),
        pipeline=pipeline(environment),
        role_arn=environment.endpoint_role_arn or None,
    )
    with held(LEASE_KEY, holder=step.execution, intake=intake, now=now(), lasts=TIMEOUT + timedelta(seconds=30)):
        # Read under the lease: once a run has seen that there is no target, no other run creates an endpoint.
        target = read_target(ssm=client("ssm"), prefix=environment.parameter_prefix)
        serving = controller.bring(target, now=now(), replaced=step.replaced)
        write_state(
            status=serving.status,
            reason=serving.reason,
            model_arn=serving.model_arn,
            endpoint_arn=environment.endpoint_arn,
            intake=intake,
            now=now(),
        )
    logger.info("endpoint", status=serving.status, reason=serving.reason, settled=serving.settled)
    return {
        "status": serving.status.name,
        "reason": serving.reason,
        "settled": serving.settled,
        "trial": serving.trial.value,
        "model_arn": serving.model_arn,
        "replaced": serving.replaced,
    }
