"""The errors of the Application Auto Scaling API."""

from __future__ import annotations


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
