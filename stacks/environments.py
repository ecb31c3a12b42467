"""Environments: deployments of one app, each in an account and Region of its own (decision 023)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import combinations
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from .settings import FlywheelSettings, Role

NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
"""It names a stage of the app and a folder, and stands in patterns of the CDK CLI."""
NAME_WORDS = "up to 32 small letters, digits and hyphens that begin with a letter, such as prod"


class StackKind(StrEnum):
    """What ends a stack's name."""

    FLYWHEEL = "flywheel"
    IMPORT = "import"
    SERVING = "serving"
    ANALYSIS = "analysis"


STACKS = {
    Role.TRAIN: (StackKind.FLYWHEEL, StackKind.SERVING, StackKind.ANALYSIS),
    Role.IMPORT: (StackKind.IMPORT, StackKind.SERVING, StackKind.ANALYSIS),
}
"""Of a deployment with this role; the first comes before the others."""


def _as_cloudformation_takes_it(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise ValueError("a parameter is a text, a number, true or false")


Value = Annotated[str, BeforeValidator(_as_cloudformation_takes_it)]


class Environment(FlywheelSettings):
    """All settings of one environment, and where it is. Which parameters there are its templates know."""

    account: Annotated[
        str, Field(pattern=r"^[0-9]{12}$", description='the 12 digits of an account in quotes, such as "111122223333"')
    ]
    region: Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]$", description="a Region, such as eu-west-1")]
    parameters: dict[StackKind, dict[str, Value]] = Field(
        default_factory=dict,
        description='an object with parameters by stack, such as {"serving": {"InferenceUnits": 1}}',
    )

    @model_validator(mode="after")
    def parameters_are_of_its_stacks(self) -> Environment:
        there = STACKS[self.role]
        for kind in self.parameters:
            if kind not in there:
                raise ValueError(
                    f"parameters.{kind}: with the role {self.role} there is no such stack; there are {', '.join(there)}"
                )
        return self

    @model_validator(mode="after")
    def what_it_names_is_here(self) -> Environment:
        """Of what must be in the Region or the account. Without an environment only the deployment finds out."""
        in_region = {
            "initial_model_arn": self.initial_model_arn,
            "encryption.key_arn": self.encryption.key_arn,
            "source_key_arn": self.source_key_arn,
            "api_web_acl": self.api_web_acl,
        }
        in_account = {"initial_model_arn": self.initial_model_arn, "permissions_boundary": self.permissions_boundary}
        for name, arn in in_region.items():
            if arn and arn.split(":")[3] != self.region:
                raise ValueError(f"{name}: {arn} is not in {self.region}")
        for name, arn in in_account.items():
            # AWS's own policies are in every account.
            if arn and arn.split(":")[4] not in (self.account, "aws"):
                raise ValueError(f"{name}: {arn} is not in the account {self.account}")
        return self

    @property
    def given(self) -> list[str]:
        """Its parameters as the CDK CLI takes them: `news-serving:InferenceUnits=1`."""
        return [
            f"{self.name}-{kind}:{name}={value}"
            for kind, values in self.parameters.items()
            for name, value in values.items()
        ]

    def parameter(self, kind: StackKind, name: str) -> str | None:
        return self.parameters.get(kind, {}).get(name)


def contradictions(environments: Mapping[str, Environment]) -> list[str]:
    """A sentence for each: two in one place, and a source that is not in the Region of its target."""
    return [*_in_one_place(environments), *_in_other_regions(environments)]


def untrusted(environments: Mapping[str, Environment]) -> dict[str, str]:
    """A warning for each target whose account its source's parameters do not trust, by environment.

    No refusal: an account is taken off the list while its deployment stays, and serves what it has imported.
    """
    return {
        name: f"{name} can import nothing from {source}: TrustedAccounts of {source} does not name {target.account}. "
        f'Add it to "parameters": {{"flywheel": {{"TrustedAccounts": ...}}}} of {source} and deploy that first.'
        for name, target in environments.items()
        for source, found in _sources(target, environments).items()
        if found.region == target.region and found.account != target.account
        if target.account not in _trusted_accounts(found)
    }


def _in_one_place(environments: Mapping[str, Environment]) -> Iterator[str]:
    for (one, first), (other, second) in combinations(environments.items(), 2):
        if (first.account, first.region, first.name) == (second.account, second.region, second.name):
            yield (
                f"{one} and {other} are the same deployment: both have the account {first.account}, the region "
                f"{first.region} and the name {first.name}; give one of them another of these"
            )


def _in_other_regions(environments: Mapping[str, Environment]) -> Iterator[str]:
    for name, target in environments.items():
        sources = _sources(target, environments)
        if sources and target.region not in {found.region for found in sources.values()}:
            source, found = next(iter(sources.items()))
            yield (
                f"{name}: its region is {target.region}, but its source {source} is in {found.region}; Comprehend "
                "imports a model only from the same Region, so give both one region"
            )


def _sources(target: Environment, environments: Mapping[str, Environment]) -> dict[str, Environment]:
    """Which of the environments the target's parameters name as the one it imports from."""
    if target.role is not Role.IMPORT:
        return {}
    account = target.parameter(StackKind.IMPORT, "SourceAccount")
    flywheel = target.parameter(StackKind.IMPORT, "SourceFlywheelName")
    return {
        name: found
        for name, found in environments.items()
        if found.role is Role.TRAIN and found.account == account and flywheel in (None, found.name)
    }


def _trusted_accounts(source: Environment) -> set[str]:
    """The accounts among ids and ARNs of principals."""
    principals = (source.parameter(StackKind.FLYWHEEL, "TrustedAccounts") or "").split(",")
    return {each.strip().split(":")[4] if each.count(":") >= 5 else each.strip() for each in principals}
