"""On which of a template's parameters each resource depends: most depend on none, and none on all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tests.simulation.deployment.names import naming_member

_READS_ALL_OF = {
    "AWS::IAM::Role": "AWS::IAM::ManagedPolicy",
    "AWS::SNS::Topic": "AWS::SNS::Subscription",
    "AWS::SQS::QueuePolicy": "AWS::SQS::Queue",
}
"""What is read of a resource has something of all resources of another type (`templates.py`)."""


class Dependence:
    """Of the resources of one template, by logical id: the names of parameters, in the template's order."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        self._parameters: Mapping[str, Any] = template.get("Parameters", {})
        self._conditions: Mapping[str, Any] = template.get("Conditions", {})
        self._resources: Mapping[str, Mapping[str, Any]] = template["Resources"]
        self._found: dict[str, tuple[str, ...]] = {}

    def of(self, logical_id: str) -> tuple[str, ...]:
        if logical_id not in self._found:
            body = self._resources[logical_id]
            also = _READS_ALL_OF.get(body["Type"])
            bodies = [body, *(each for each in self._resources.values() if each["Type"] == also)]
            found = self._reached({name for each in bodies for name in _mentioned_in_body(each)})
            self._found[logical_id] = tuple(name for name in self._parameters if name in found)
        return self._found[logical_id]

    def _reached(self, names: Iterable[str]) -> set[str]:
        """All names to which these lead."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self._behind(name)
        return found

    def _behind(self, name: str) -> Iterable[str]:
        if name in self._conditions:
            yield from _mentioned(self._conditions[name])
        if name in self._resources:
            # Whoever refers to a resource sees its name and whether it exists, and nothing else of it.
            body = self._resources[name]
            yield from _mentioned(body.get("Properties", {}).get(naming_member(body["Type"])))
            yield from filter(None, [body.get("Condition")])


def _mentioned_in_body(body: Mapping[str, Any]) -> Iterable[str]:
    yield from _mentioned(body.get("Properties", {}))
    yield from filter(None, [body.get("Condition")])


def _mentioned(value: Any) -> Iterable[str]:
    """Parameters, resources and conditions, by name. A few too many do no harm."""
    match value:
        case {"Ref": str(name)} | {"Condition": str(name)}:
            yield name
        case {"Fn::GetAtt": str(name)}:
            yield name.partition(".")[0]
        case {"Fn::GetAtt": [name, _]}:
            yield name
        case {"Fn::Sub": given}:
            text = given if isinstance(given, str) else given[0]
            yield from (name.partition(".")[0] for name in re.findall(r"\$\{([^}]+)\}", text))
            if not isinstance(given, str):
                yield from _mentioned(given[1])
        case {"Fn::If": [name, *others]}:
            yield name
            yield from _mentioned(others)
        case dict():
            for member in value.values():
                yield from _mentioned(member)
        case list():
            for item in value:
                yield from _mentioned(item)
