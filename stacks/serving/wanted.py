"""What the Serving stack wants to be served, published for whoever brings it about."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.settings import FlywheelSettings

SERVING_WISH = "serving"


class ServingWish(Construct):
    """The parameter `serving`. Without it nothing is wanted, and nobody makes an endpoint."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: FlywheelSettings, wish: Mapping[str, str]
    ) -> None:
        super().__init__(scope, construct_id)
        self.resource = ssm.CfnParameter(
            self,
            "Wish",
            name=f"{settings.parameter_prefix}/{SERVING_WISH}",
            type="String",
            value=json.dumps(dict(wish)),
            description="What the Serving stack wants, as JSON: docs/interfaces.md.",
        )
