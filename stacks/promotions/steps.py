"""The functions that the promote machine calls, one a step."""

from __future__ import annotations

import functools

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from flywheel.records.imports import ACTIVE_MODEL_KEY
from flywheel.records.promotions import LEASE_KEY
from stacks.constructs.function import FlywheelFunction, Functions
from stacks.constructs.retries import BUSY_ATTEMPTS
from stacks.constructs.role import Permission, ServiceRole, pass_to_comprehend
from stacks.flywheel.access import READ, WRITE, FlywheelAccess
from stacks.names import RUNTIME_PARAMETERS

TIMEOUT = cdk.Duration.minutes(2)
"""handlers/promotions/update_active_model.py holds its lease a little longer than this."""


def _change_active_model(access: FlywheelAccess, *, role: ServiceRole | None) -> list[Permission]:
    if role is None:
        return [access.objects(ACTIVE_MODEL_KEY, actions=WRITE), access.models(access.kind.describe_model)]
    return [
        access.flywheel("DescribeFlywheel", "ListFlywheelIterationHistory", "UpdateFlywheel"),
        access.models("UpdateFlywheel", access.kind.describe_model),
        # The service authorization reference ties PassRole to UpdateFlywheel, whether a role is given or not.
        pass_to_comprehend(role.arn),
        *access.encryption.job_permissions(),
    ]


class PromotionSteps(Construct):
    """What each may do is what it does: its row in docs/interfaces.md."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Functions,
        access: FlywheelAccess,
        role: ServiceRole | None,
        undelivered: sqs.IQueue,
    ) -> None:
        """`role` is the data access role of the flywheel, where there is one."""
        super().__init__(scope, construct_id)
        self._step = functools.partial(FlywheelFunction, self, wing="promotions", functions=functions)
        self._add_checks(access)
        self._add_changes(access, role=role, undelivered=undelivered)

    def _add_checks(self, access: FlywheelAccess) -> None:
        self.begin_promotion = self._step(
            "begin_promotion",
            description="Chooses the open request that a promotion works on.",
            timeout=TIMEOUT,
            environment=[*access.identity, "PARAMETER_PREFIX", "PROMOTION_MODE"],
            permissions=[
                access.objects("promotions/*", actions=WRITE),
                access.list_intake(),
                access.active_model(),
                access.parameters(*RUNTIME_PARAMETERS, actions=("GetParameter",)),
            ],
        )
        self.check_model = self._step(
            "check_model",
            description="Refuses a model that cannot or must not become the active one, and ends what it supersedes.",
            timeout=TIMEOUT,
            environment=access.identity,
            busy_attempts=BUSY_ATTEMPTS,
            permissions=[
                access.objects("promotions/*", "serving/smoke-tests/*", actions=READ),
                access.objects("promotions/ends/*", actions=("PutObject",)),
                access.list_intake(),
                access.active_model(),
                access.models(access.kind.describe_model),
            ],
        )
        self.ask_for_approval = self._step(
            "ask_for_approval",
            description="Asks people whether a candidate may be promoted.",
            timeout=TIMEOUT,
            environment=[*access.identity, "TOPIC_ARN", "APPROVAL_HOURS"],
            encrypted=["s3", "sns"],
            permissions=[
                access.objects("promotions/*", actions=WRITE),
                *access.decided(),
                access.list_intake(),
                access.publish(),
            ],
        )

    def _add_changes(self, access: FlywheelAccess, *, role: ServiceRole | None, undelivered: sqs.IQueue) -> None:
        self.update_active_model = self._step(
            "update_active_model",
            description="Makes a model the active one: the only function that may.",
            timeout=TIMEOUT,
            environment=access.identity,
            busy_attempts=BUSY_ATTEMPTS,
            permissions=[
                access.objects("promotions/*", "serving/smoke-tests/*", actions=READ),
                access.objects("promotions/made-active/*", LEASE_KEY, actions=("PutObject", "DeleteObject")),
                access.list_intake(),
                *_change_active_model(access, role=role),
            ],
        )
        self.publish_model = self._step(
            "publish_model",
            description="Writes the active, previous and desired model to Parameter Store.",
            timeout=TIMEOUT,
            environment=[*access.identity, "PARAMETER_PREFIX"],
            busy_attempts=BUSY_ATTEMPTS,
            permissions=[
                access.objects("promotions/*", "serving/smoke-tests/*", actions=READ),
                access.list_intake(),
                access.active_model(),
                access.parameters(*RUNTIME_PARAMETERS, actions=("GetParameter", "PutParameter")),
            ],
        )
        self.report_promotion = self._step(
            "report_promotion",
            description="Records how a promotion ended and tells people, also about those that failed or were stopped.",
            timeout=TIMEOUT,
            environment=[*access.identity, "TOPIC_ARN"],
            encrypted=["s3", "sns", "sqs"],
            dead_letters=undelivered,
            permissions=[
                access.objects("promotions/*", *(() if access.imports else ("turns/*",)), actions=WRITE),
                access.objects("serving/state.json", "serving/smoke-tests/*", actions=READ),
                *access.decided(),
                access.list_intake(),
                access.active_model(),
                access.publish(),
            ],
        )
