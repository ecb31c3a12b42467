"""The Serving stack: the endpoint that follows the active model, and the API in front of it."""

from __future__ import annotations

from constructs import Construct

from .project_stack import ProjectStack
from .serving_parameters import ServingParameters
from .serving_wish import ServingWish
from .settings import FlywheelSettings


class ServingStack(ProjectStack):
    def __init__(self, scope: Construct, construct_id: str, *, settings: FlywheelSettings) -> None:
        super().__init__(
            scope,
            construct_id,
            settings=settings,
            description="Live predictions of the active model of an Amazon Comprehend flywheel",
        )
        parameters = ServingParameters(self, "Parameters")
        ServingWish(
            self,
            "Serving",
            settings=settings,
            wish={
                "inference_units": parameters.inference_units.value_as_string,
                "maximum_inference_units": parameters.maximum_inference_units.value_as_string,
            },
        )
