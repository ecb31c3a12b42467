# mypy: allow-untyped-calls
"""The API's contract: botocore's own model of Application Auto Scaling, and its errors."""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

TARGET_PREFIX = "AnyScaleFrontendService"


class AutoScalingError(Exception):
    """An error answer: ``code`` as in ``err.response["Error"]["Code"]``. Its HTTP status is 400."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def invalid(message: str) -> AutoScalingError:
    return AutoScalingError("ValidationException", message)


def not_found(message: str) -> AutoScalingError:
    return AutoScalingError("ObjectNotFoundException", message)


@cache
def service_model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("application-autoscaling", "service-2"), "application-autoscaling")


def checked(*, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """The request without null members. Raises ValidationException for missing members, wrong types and lengths."""
    if operation not in service_model().operation_names:
        raise AutoScalingError("UnknownOperationException", f"Application Auto Scaling has no operation {operation!r}.")
    given = {name: value for name, value in request.items() if value is not None}
    shape = service_model().operation_model(operation).input_shape
    if shape is None:
        return given
    report = ParamValidator().validate(given, shape)
    if report.has_errors():
        raise invalid(report.generate_report())
    return given
