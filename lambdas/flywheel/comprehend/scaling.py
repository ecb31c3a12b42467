"""Auto scaling of the endpoint, by target tracking on its utilisation (reference 9.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient

    from flywheel.comprehend.model_kind import ModelKind

TARGET_UTILISATION = 70.0
"""Percent, as in the example of Comprehend's guide."""
POLICY = "utilisation"


class EndpointScaling:
    def __init__(self, *, scaling: ApplicationAutoScalingClient, kind: ModelKind, endpoint_arn: str) -> None:
        self._scaling = scaling
        self._target: Any = {
            "ServiceNamespace": "comprehend",
            "ResourceId": endpoint_arn,
            "ScalableDimension": kind.scalable_dimension,
        }
        self._endpoint_arn = endpoint_arn

    def limits(self) -> tuple[int, int] | None:
        """The minimum and maximum units; None if the endpoint does not scale."""
        answer = self._scaling.describe_scalable_targets(
            ServiceNamespace="comprehend",
            ResourceIds=[self._endpoint_arn],
            ScalableDimension=self._target["ScalableDimension"],
        )
        for target in answer.get("ScalableTargets", ()):
            return target["MinCapacity"], target["MaxCapacity"]
        return None

    def scale_between(self, least: int, most: int) -> None:
        """Set up auto scaling. A repeated call changes nothing."""
        if self.limits() != (least, most):
            self._scaling.register_scalable_target(
                **self._target,
                MinCapacity=least,
                MaxCapacity=most,
            )
        policies = self._scaling.describe_scaling_policies(
            ServiceNamespace="comprehend", ResourceId=self._endpoint_arn, PolicyNames=[POLICY]
        ).get("ScalingPolicies")
        if policies:
            return
        self._scaling.put_scaling_policy(
            **self._target,
            PolicyName=POLICY,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": TARGET_UTILISATION,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "ComprehendInferenceUtilization"},
            },
        )

    def stop(self) -> None:
        """Stop auto scaling, before the endpoint is deleted. Removing the target removes its policies and alarms."""
        if self.limits() is None:
            return
        try:
            self._scaling.deregister_scalable_target(
                **self._target,
            )
        except self._scaling.exceptions.ObjectNotFoundException:
            return
