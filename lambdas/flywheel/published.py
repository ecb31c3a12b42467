"""What the pipeline publishes in Parameter Store at run time: the active, previous and desired model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

ACTIVE = "active-model-arn"
PREVIOUS = "previous-model-arn"
DESIRED = "desired-model-arn"
RUN_TIME_NAMES = (ACTIVE, PREVIOUS, DESIRED)


class PublishedModels:
    def __init__(self, *, ssm: SSMClient, prefix: str) -> None:
        self._ssm = ssm
        self._prefix = prefix

    def active(self) -> str | None:
        try:
            return self._ssm.get_parameter(Name=f"{self._prefix}/{ACTIVE}")["Parameter"]["Value"]
        except self._ssm.exceptions.ParameterNotFound:
            return None

    def publish(self, model_arn: str) -> None:
        """Make `model_arn` the active and desired model, and the one it replaces the previous.

        Killed anywhere and repeated, the result is the same: *active*, by which it is seen that there is something to
        do, is written last.
        """
        former = self.active()
        if former and former != model_arn:
            self._put(PREVIOUS, former)
        self._put(DESIRED, model_arn)
        self._put(ACTIVE, model_arn)

    def _put(self, name: str, value: str) -> None:
        self._ssm.put_parameter(Name=f"{self._prefix}/{name}", Value=value, Type="String", Overwrite=True)
