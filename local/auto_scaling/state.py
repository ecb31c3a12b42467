"""What Application Auto Scaling keeps: scalable targets, their policies, and what it did."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from local.auto_scaling.dimensions import dimension_of
from local.comprehend.identifiers import Scope

PREDEFINED_METRIC = "ComprehendInferenceUtilization"
SERVICE_PRINCIPAL = "comprehend.application-autoscaling.amazonaws.com"
SERVICE_ROLE = "AWSServiceRoleForApplicationAutoScaling_ComprehendEndpoint"


def service_role_arn(account: str) -> str:
    """The service-linked role in whose name endpoints are scaled."""
    return f"arn:aws:iam::{account}:role/aws-service-role/{SERVICE_PRINCIPAL}/{SERVICE_ROLE}"


def target_arn(*, account: str, region: str, endpoint_arn: str) -> str:
    """The ARN of an endpoint's scalable target."""
    id_ = hashlib.sha256(f"{endpoint_arn} {dimension_of(endpoint_arn)}".encode()).hexdigest()[:34]
    return f"arn:aws:application-autoscaling:{region}:{account}:scalable-target/{id_}"


@dataclass(kw_only=True)
class Policy:
    """Target tracking. ``alarms`` are the names of the two alarms, the one that scales out first."""

    arn: str
    name: str
    configuration: dict[str, Any]
    alarms: tuple[str, str]
    created: float

    @property
    def scales_in(self) -> bool:
        return not self.configuration.get("DisableScaleIn", False)


@dataclass(kw_only=True)
class Target:
    """A registered endpoint. ``suspended`` has the members of SuspendedState, all three of them."""

    arn: str
    scope: Scope
    endpoint_arn: str
    minimum: int
    maximum: int
    suspended: dict[str, bool]
    created: float
    policies: dict[str, Policy] = field(default_factory=dict)
    scaled_out: float = 0.0
    scaled_in: float = 0.0


@dataclass(kw_only=True)
class Activity:
    """A change of an endpoint's units. ``status`` is InProgress, Successful or Failed."""

    id: str
    endpoint_arn: str
    units: int
    cause: str
    started: float
    status: str
    ended: float | None = None
    message: str | None = None
