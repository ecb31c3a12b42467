"""What can be scaled: the inference units of Comprehend's endpoints, a dimension for each kind of model."""

from __future__ import annotations

from typing import Any

from local.auto_scaling.contract import invalid

NAMESPACE = "comprehend"
# The resource types in ARNs of endpoints.
_ENDPOINTS = ("document-classifier-endpoint", "entity-recognizer-endpoint")


def dimension_of(endpoint_arn: str) -> str:
    """The scalable dimension of an endpoint; of a classifier's for what is no endpoint's ARN."""
    resource = next((each for each in _ENDPOINTS if f":{each}/" in endpoint_arn), _ENDPOINTS[0])
    return _dimension(resource)


def of_dimension(endpoint_arn: str, request: dict[str, Any]) -> bool:
    """Whether a Describe operation asks for the endpoint's dimension."""
    dimension = dimension_of(endpoint_arn)
    return bool(request.get("ScalableDimension", dimension) == dimension)


def require_dimension(request: dict[str, Any]) -> None:
    """Raise ValidationException for a dimension that is not there or not of the request's endpoint."""
    known = {_dimension(resource) for resource in _ENDPOINTS}
    allowed = {dimension_of(request["ResourceId"])} if "ResourceId" in request else known
    if "ScalableDimension" in request and request["ScalableDimension"] not in allowed:
        raise invalid(
            f"Unsupported service namespace, resource type or scalable dimension; give {' or '.join(sorted(allowed))}."
        )


def _dimension(resource: str) -> str:
    return f"{NAMESPACE}:{resource}:DesiredInferenceUnits"
