"""ARNs, timestamps and names as Comprehend writes them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The account and Region a request is made in; nothing is visible from one scope to another."""

    account: str
    region: str

    @classmethod
    def of_arn(cls, arn: str) -> Scope:
        _, _, _, region, account, *_ = arn.split(":")
        return cls(account=account, region=region)

    @property
    def _partition(self) -> str:
        return (
            "aws-us-gov" if self.region.startswith("us-gov-") else "aws-cn" if self.region.startswith("cn-") else "aws"
        )

    @property
    def _prefix(self) -> str:
        return f"arn:{self._partition}:comprehend:{self.region}:{self.account}"

    @property
    def root_arn(self) -> str:
        """The principal that stands for the whole account."""
        return f"arn:{self._partition}:iam::{self.account}:root"

    def flywheel_arn(self, name: str) -> str:
        return f"{self._prefix}:flywheel/{name}"

    def arn(self, *, resource: str, name: str) -> str:
        """Of a model, a job or an endpoint; ``resource`` is the type of its kind."""
        return f"{self._prefix}:{resource}/{name}"

    def model_arn(self, *, resource: str, name: str, version: str | None) -> str:
        arn = self.arn(resource=resource, name=name)
        return arn if version is None else f"{arn}/version/{version}"


def dataset_arn(*, flywheel_arn: str, name: str) -> str:
    return f"{flywheel_arn}/dataset/{name}"


def flywheel_arn_of_dataset(arn: str) -> str:
    return arn.split("/dataset/", maxsplit=1)[0]


def compact_timestamp(moment: float) -> str:
    """``20220907T214613Z``: the UTC second, as in iteration ids and data lake prefixes."""
    return datetime.fromtimestamp(moment, tz=UTC).strftime("%Y%m%dT%H%M%SZ")


def hex_digits(*parts: str) -> str:
    """Eight hexadecimal digits that depend on the parts only, so that equal runs get equal names."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]
