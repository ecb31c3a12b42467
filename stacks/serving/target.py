"""What the Serving stack wants to be served, published for whoever brings it about."""

from __future__ import annotations

import json

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.names import SERVING_TARGET, Names
from stacks.serving.parameters import ServingParameters


class ServingTarget(Construct):
    """The parameter `serving`. Without it nothing is wanted, and nobody makes an endpoint."""

    def __init__(self, scope: Construct, construct_id: str, *, names: Names, parameters: ServingParameters) -> None:
        super().__init__(scope, construct_id)
        self.resource = ssm.CfnParameter(
            self,
            "Wish",
            name=names.parameter(SERVING_TARGET),
            type="String",
            value=json.dumps(
                {
                    "inference_units": parameters.inference_units.value_as_string,
                    "maximum_inference_units": parameters.maximum_inference_units.value_as_string,
                    "smoke_test_key": parameters.smoke_test_key.value_as_string,
                    "smoke_test_minimum": parameters.smoke_test_minimum.value_as_string,
                    "hours_start": parameters.serving_hours_start.value_as_string,
                    "hours_end": parameters.serving_hours_end.value_as_string,
                }
            ),
            description="What the Serving stack wants, as JSON: docs/interfaces.md.",
        )
