"""What operators tune of serving: `cdk deploy --parameters <name>-serving:<Name>=<value>`."""

from __future__ import annotations

from constructs import Construct

from .stack_parameters import StackParameters

MOST_UNITS = 50
"""Comprehend's quota for one endpoint, unless AWS raised it."""


class ServingParameters(StackParameters):
    """The parameters of the Serving stack."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.inference_units = self._number(
            "InferenceUnits",
            default=0,
            least=0,
            most=MOST_UNITS,
            description=(
                "Inference units of the endpoint: 2 documents and 100 characters a second each, at about $1,314 a "
                "month each. 0: no endpoint."
            ),
        )
        self.maximum_inference_units = self._number(
            "MaximumInferenceUnits",
            default=0,
            least=0,
            most=MOST_UNITS,
            description="The most units that auto scaling may give it. If not above InferenceUnits, it does not scale.",
        )
        self.log_retention_days = self._log_retention_days()
