"""The world and the app of a deployment that a test has for itself."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING, Any

from flywheel.faults.fault_names import PASSING
from local.comprehend.settings import Settings
from tests.simulation.acting import Acting
from tests.simulation.api import ApiError, Caller
from tests.simulation.app import FLYWHEEL_WITH_MODEL, App
from tests.simulation.deployment.synthesis import context_of, synthesised, templates_of
from tests.simulation.kernel import Process
from tests.simulation.schedule.plan import KINDS
from tests.simulation.world import World

if TYPE_CHECKING:
    from tests.simulation.deployment.stack import Stack
    from tests.simulation.machines.host import Visit

SETTINGS = Settings().merged(
    {
        **dict.fromkeys((name for name in Settings.model_fields if name.endswith("_seconds")), 0),
        "minimum_per_label": "none",
    }
)
"""Comprehend takes no time, and datasets as small as tests like them."""
PARAMETERS = {
    "MinimumDocumentsPerLabel": "5",
    "MinimumScore": "0",
    "MinimumImprovement": "0",
    "MaximumRegression": "1",
    "MaximumLabelRegression": "1",
    "ModelsToKeep": "1000",
    "MaximumBadLinesPercent": "50",
    "TriggerOnUpload": "true",
}
"""Nothing stands in the way of a test that is about something else."""


class NotGranted(Exception):
    """A function asked for what its role does not grant."""


class ObservedWorld(World):
    """Hears of the states that executions enter, and of what functions are refused."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.lock = RLock()
        """Held at each step, and for each request of somebody outside, who may be in another thread."""
        self.entered: Callable[[Visit], None] | None = None
        self.refused: dict[tuple[str, str, str], ApiError] = {}
        """What S3 answers to an operation on a version of a key."""
        self.failing: dict[str, ApiError] = {}
        """What a service answers to everything."""
        self.retries: Counter[tuple[str, str | None]] = Counter()
        """How often a state tried again, by its name and the error."""
        self.invoked: dict[str, list[Any]] = {}
        """Events that functions got, by ARN."""
        self.noted: dict[str, list[Mapping[str, Any]]] = {}
        """Requests of the operations that a test has put here."""
        begin = self.functions.begin

        def noted(arn: str, event: Any) -> Process[Any]:
            self.invoked.setdefault(arn, []).append(event)
            return begin(arn, event)

        self.functions.begin = noted  # type: ignore[method-assign]  # each of a test's invocations comes by here

    def ask(
        self, service: str, operation: str, parameters: Mapping[str, Any], who: Acting, *, attempts: int = 9
    ) -> dict[str, Any]:
        """What the test itself asks is repeated at once; a function that it invokes is waited for."""
        if self.kernel.in_process:
            return super().ask(service, operation, parameters, who, attempts=attempts)
        if service == "lambda":
            process = self.kernel.start(lambda: self.ask(service, operation, parameters, who), name=who.who)
            process.when_done(lambda: None)
            while not process.done:
                self.kernel.step()
            if process.error is not None:
                raise process.error
            return process.result or {}
        for attempt in range(1, attempts + 1):
            try:
                with self.lock:
                    return super().ask(service, operation, parameters, who)
            except ApiError as error:
                if attempt == attempts or not (error.code in PASSING or error.status >= 500):
                    raise
        raise AssertionError("the loop ends with an answer or an error")

    def _carried_out(
        self, service: str, operation: str, parameters: Mapping[str, Any], caller: Caller
    ) -> dict[str, Any]:
        if operation in self.noted:
            self.noted[operation].append(parameters)
        if service in self.failing:
            raise self.failing[service]
        if self.refused and service == "s3":
            source = parameters.get("CopySource", parameters)
            error = self.refused.get((operation, source.get("Key", ""), source.get("VersionId", "")))
            if error is not None:
                raise error
        try:
            return super()._carried_out(service, operation, parameters, caller)
        except ApiError as error:
            if "because no identity-based policy" in str(error) and self._is_function(caller):
                # It may make do without: the test must not.
                self.kernel.failures.append(NotGranted(str(error)))
            raise

    def _is_function(self, caller: Caller) -> bool:
        """And no test that takes its role on."""
        return self.kernel.in_process and any(
            caller == Caller(account=of, role=each.role) for each, of in self.functions.known.values()
        )

    def visited(self, visit: Visit, machine: str) -> None:
        super().visited(visit, machine)
        if visit.what == "retry":
            self.retries[visit.state, visit.error] += 1
        if self.entered is not None and visit.what in ("entered", "redriven"):
            self.entered(visit)


class SmallApp(App):
    """One of other labels than the synthesised, in as many generations as a test likes. Nothing runs on a schedule."""

    def __init__(
        self, world: World, *, labels: tuple[str, ...], starts_turns: bool, name: str | None = None, **more: Any
    ) -> None:
        super().__init__(world, **more)
        self.labels = labels
        self.settings: Mapping[str, Any] = {}
        """Further ones of cdk.json."""
        self.of_resource: dict[str, Any] = {}
        """Properties that a custom resource of the flywheel has in the place of those that the settings give it."""
        self._starts_turns = starts_turns
        self._name = name

    @property
    def name(self) -> str:
        return self._name or super().name

    def templates(self) -> Mapping[str, Mapping[str, Any]]:
        found = self._relabelled() if self.kind in KINDS else super().templates()
        if self.of_resource:
            found = copy.deepcopy(dict(found))
            for resource in found[f"{self.name}-flywheel"]["Resources"].values():
                if resource["Type"] == FLYWHEEL_WITH_MODEL:
                    resource["Properties"].update(self.of_resource)
        return {name: template for name, template in found.items() if name.rpartition("-")[2] in self.parameters}

    def _relabelled(self) -> Mapping[str, Mapping[str, Any]]:
        return relabelled(self.kind, self.labels, self.generation, self.name, self.settings)

    def resolved(self, name: str, template: Mapping[str, Any], parameters: Mapping[str, str]) -> Stack:
        published = tuple(sorted(self.world.published(self.account).items()))
        key = (
            name,
            self.account,
            self.kind,
            self.labels,
            self.generation,
            json.dumps([self.settings, self.of_resource]),
            tuple(sorted(parameters.items())),
            published,
        )
        if key not in _resolved:
            stack = super().resolved(name, template, parameters)
            mappings = stack.event_source_mappings
            if not self._starts_turns:
                mappings = tuple(each for each in mappings if "StartTurn" not in each.function)
            rules = tuple(rule for rule in stack.rules if not rule.schedule)
            _resolved[key] = replace(stack, event_source_mappings=mappings, rules=rules)
        return _resolved[key]


left: list[World] = []
"""Of deployments that nobody uses any more."""


def close_worlds() -> None:
    while left:
        left.pop().close()


_resolved: dict[Any, Stack] = {}
_templates: dict[Any, dict[str, Any]] = {}


def relabelled(
    kind: str, labels: tuple[str, ...], generation: int, name: str, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """The templates of `KINDS[kind]`, and of further settings, with other labels and other names: nothing else depends
    on them."""
    key = (kind, labels, generation, name, json.dumps(settings))
    if key not in _templates:
        context = context_of(KINDS[kind])
        former = sorted(context.get("labels") or context["entity_types"])
        new = sorted(labels)
        text = json.dumps(synthesised({**context, **settings}) if settings else templates_of(KINDS[kind]))
        text = re.sub(r"news-[0-9a-f]{8}\b", f"news-{generation:08x}", text)
        for before, after in ((former, new), ([{"Type": name} for name in former], [{"Type": name} for name in new])):
            text = text.replace(json.dumps(before), json.dumps(after))
        text = text.replace(_in_a_text(former), _in_a_text(new))
        text = text.replace(r"\"generation\": 1,", rf"\"generation\": {generation},")
        _templates[key] = json.loads(text if name == "news" else re.sub(r"\bnews\b", name, text))
    return _templates[key]


def _in_a_text(names: list[str]) -> str:
    """As JSON within a JSON text."""
    return json.dumps(json.dumps(names))[1:-1]


def parameters_of(values: Mapping[str, object]) -> dict[str, str]:
    """By the names of the template."""
    return {"".join(word.capitalize() for word in name.split("_")): _text(value) for name, value in values.items()}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
