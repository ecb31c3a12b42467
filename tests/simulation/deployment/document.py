"""A template with the names that its resources get in one place, and what is read of it.

A schedule deploys the same templates again and again, with other values for a few of their parameters. So what is read
of a resource is kept, for as long as nothing changes that it depends on. Whoever gets it must not change it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tests.infrastructure.synthesised import as_list, as_text
from tests.simulation.deployment import stack
from tests.simulation.deployment.dependence import Dependence
from tests.simulation.deployment.intrinsics import Parameters, Resolver
from tests.simulation.deployment.names import Named, Place
from tests.simulation.deployment.stack import Properties

T = TypeVar("T")
_VALUES_KEPT = 8
"""Of what is read of a resource: a machine's definition is large, and depends on many parameters."""


class Kept:
    """What was read of a template in one place."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        self.depends = Dependence(template)
        self.by_type: Mapping[str, list[str]] = defaultdict(list)
        """Logical ids. Those of custom resources stand together."""
        for logical_id, body in template["Resources"].items():
            kind = body["Type"]
            self.by_type["Custom::*" if kind.startswith("Custom::") else kind].append(logical_id)
        self._found: dict[tuple[str, str], dict[tuple[Any, ...], Any]] = {}

    def once(self, what: str, logical_id: str, values: tuple[Any, ...], make: Callable[[], T]) -> T:
        """`make`, unless that was done before for the same values of the parameters that the resource depends on."""
        of_resource = self._found.setdefault((what, logical_id), {})
        if values not in of_resource:
            made = make()
            if len(of_resource) >= _VALUES_KEPT:
                del of_resource[next(iter(of_resource))]
            of_resource[values] = made
        found: T = of_resource[values]
        return found


class Document:
    def __init__(self, template: Mapping[str, Any], place: Place, parameters: Parameters, kept: Kept) -> None:
        self.template = template
        self.place = place
        self.parameters = parameters
        self._named: dict[str, Named] = {}
        self._kept = kept
        self._values: dict[str, tuple[Any, ...]] = {}
        self.resolver = Resolver(
            template,
            pseudo={
                "AWS::AccountId": place.account,
                "AWS::Region": place.region,
                "AWS::Partition": place.partition,
                "AWS::URLSuffix": "amazonaws.com",
                "AWS::StackName": place.stack,
                "AWS::StackId": place.stack_id,
                "AWS::NotificationARNs": [],
            },
            parameters=parameters,
            reference=lambda logical_id: self.named(logical_id).ref,
            attribute=lambda logical_id, name: self.named(logical_id).attribute(name),
        )

    def named(self, logical_id: str) -> Named:
        if logical_id not in self._named:
            body = self.template["Resources"].get(logical_id)
            if body is None or not self.exists(body):
                raise LookupError(f"{logical_id} is referred to, and is no resource of {self.place.stack}.")
            self._named[logical_id] = Named(
                self.place,
                logical_id=logical_id,
                kind=body["Type"],
                given=lambda member: self.resolver.value(body.get("Properties", {}).get(member)),
            )
        return self._named[logical_id]

    def exists(self, body: Mapping[str, Any]) -> bool:
        return "Condition" not in body or self.resolver.condition(body["Condition"])

    def properties(self, logical_id: str) -> Properties:
        """Resolved."""

        def resolved() -> Properties:
            found: Properties = self.resolver.value(self.template["Resources"][logical_id].get("Properties", {}))
            return found

        return self._once("properties", logical_id, resolved)

    def _once(self, what: str, logical_id: str, make: Callable[[], T]) -> T:
        if logical_id not in self._values:
            names = self._kept.depends.of(logical_id)
            self._values[logical_id] = tuple([self.parameters.known(name) for name in names])
        return self._kept.once(what, logical_id, self._values[logical_id], make)

    def statements(self, document: Any) -> tuple[stack.Statement, ...]:
        """Of a policy's document as the template has it."""
        return tuple(self._statement(each) for each in as_list(document["Statement"]))

    def _statement(self, raw: Any) -> stack.Statement:
        if unknown := set(raw) - {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}:
            raise NotImplementedError(f"No policy of the project has {min(unknown)}: it is not read here.")
        resources: list[tuple[str, str]] = []
        for each in as_list(raw.get("Resource", [])):
            found = self.resolver.value(each)
            resources += [(one, as_text(each)) for one in as_list(found) if found is not None]
        return stack.Statement(
            sid=raw.get("Sid", ""),
            effect=raw["Effect"],
            actions=tuple(as_list(raw["Action"])),
            resources=tuple(resource for resource, _ in resources),
            texts=tuple(text for _, text in resources),
            conditions=self.resolver.value(raw.get("Condition", {})),
            principal=self.resolver.value(raw.get("Principal")),
        )

    def each(self, kind: str, read: Callable[[str, Properties, Properties], T]) -> tuple[T, ...]:
        """`read` of all resources of a type that exist: logical id, resolved properties, those of the template."""
        resources = self.template["Resources"]
        return tuple(
            self._once(
                read.__qualname__,
                logical_id,
                lambda: read(logical_id, self.properties(logical_id), resources[logical_id].get("Properties", {})),  # noqa: B023 - called at once
            )
            for logical_id in self._kept.by_type.get(kind, ())
            if self.exists(resources[logical_id])
        )

    def resources(self) -> dict[str, stack.Resource]:
        return {
            logical_id: self._once("resource", logical_id, lambda: self._resource(logical_id))  # noqa: B023 - called at once
            for logical_id, body in self.template["Resources"].items()
            if self.exists(body)
        }

    def _resource(self, logical_id: str) -> stack.Resource:
        return stack.Resource(
            type=self.template["Resources"][logical_id]["Type"],
            ref=self.named(logical_id).ref,
            properties=self.properties(logical_id),
        )
