"""Which model a request may use: a trained one, named itself or by a flywheel."""

from __future__ import annotations

from typing import Any

from local.comprehend.errors import invalid_request, unavailable
from local.comprehend.model_kind import ModelKind
from local.comprehend.requests.lookup import find
from local.comprehend.state import USABLE_MODEL, Model, RegionState


def usable_model(region: RegionState, arn: str) -> Model:
    """Raises ResourceUnavailableException for a model that is not trained."""
    model = find(region.models, arn, what="model")
    if model.status not in USABLE_MODEL:
        raise unavailable(f"The model {arn} is {model.status}; it must be TRAINED.")
    return model


def model_of_flywheel(region: RegionState, arn: str) -> Model:
    """The flywheel's active model; later promotions do not touch who asked for it."""
    flywheel = find(region.flywheels, arn, what="flywheel")
    if not flywheel.usable:
        raise unavailable(f"The flywheel is {flywheel.status}; only an ACTIVE one can be used.")
    if flywheel.active_model_arn is None:
        raise unavailable("The flywheel has no active model yet; make one active, or give the ARN of a model.")
    return usable_model(region, flywheel.active_model_arn)


def model_to_use(region: RegionState, request: dict[str, Any], *, member: str, built_in: bool = False) -> Model:
    """The model that ``member`` of a request names, or the active one of its FlywheelArn. ``built_in`` says that AWS
    would take its own model for a request without either."""
    if built_in and member not in request and "FlywheelArn" not in request:
        raise invalid_request(f"The local Comprehend service has no built-in models; give {member} or FlywheelArn.")
    if (member in request) == ("FlywheelArn" in request):
        raise invalid_request(f"Give either {member} or FlywheelArn.")
    if member in request:
        return usable_model(region, request[member])
    return model_of_flywheel(region, request["FlywheelArn"])


def require_kind(region: RegionState, request: dict[str, Any], kind: ModelKind) -> None:
    """Raise InvalidRequestException when the FlywheelArn of a request is of a flywheel with another kind of model."""
    flywheel = region.flywheels.get(request.get("FlywheelArn", ""))
    if flywheel and flywheel.kind is not kind:
        raise invalid_request(f"The flywheel is of the type {flywheel.kind.model_type}, not {kind.model_type}.")
