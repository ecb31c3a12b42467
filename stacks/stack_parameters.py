"""What operators tune of one stack: `cdk deploy --parameters <stack>:<Name>=<value>`."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from constructs import Construct

NONE = "none"
"""The value of a parameter that can be nothing. The CDK CLI takes an empty one for "as it was"."""
LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653)


class StackParameters(Construct):
    """The parameters' names are an interface; `values` is what Parameter Store shows."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self._parameters: dict[str, cdk.CfnParameter] = {}

    @property
    def values(self) -> dict[str, str]:
        """Every tunable with its value, as a string."""
        return {name: parameter.value_as_string for name, parameter in self._parameters.items()}

    def _log_retention_days(self) -> cdk.CfnParameter:
        return self._one_of(
            "LogRetentionDays",
            default="90",
            allowed=tuple(map(str, LOG_RETENTION_DAYS)),
            description="How long the logs of functions and state machines are kept, in days.",
            kind="Number",
        )

    def _one_of(
        self, name: str, *, default: str, allowed: tuple[str, ...], description: str, kind: str = "String"
    ) -> cdk.CfnParameter:
        return self._add(
            name,
            type=kind,
            default=default,
            allowed_values=list(allowed),
            description=description,
            constraint_description=f"{name} must be one of {', '.join(allowed)}.",
        )

    def _number(self, name: str, *, default: float, least: float, most: float, description: str) -> cdk.CfnParameter:
        return self._add(
            name,
            type="Number",
            default=default,
            min_value=least,
            max_value=most,
            description=description,
            constraint_description=f"{name} must be a number from {least} to {most}.",
        )

    def _text(self, name: str, *, default: str, pattern: str, allowed: str, description: str) -> cdk.CfnParameter:
        return self._add(
            name,
            type="String",
            default=default,
            allowed_pattern=pattern,
            description=description,
            constraint_description=f"{name} must be {allowed}.",
        )

    def _add(self, name: str, **properties: Any) -> cdk.CfnParameter:
        parameter = cdk.CfnParameter(self, name, **properties)
        parameter.override_logical_id(name)
        self._parameters[name] = parameter
        return parameter
