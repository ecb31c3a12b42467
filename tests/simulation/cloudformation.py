"""CloudFormation and custom resources: it invokes their functions, and waits for what these send to its address."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

from tests.simulation.api import Caller

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tests.simulation.acting import Acting
    from tests.simulation.deployment.stack import CustomResource, Stack
    from tests.simulation.world import World

_LOOK_EVERY = 10.0
_LATEST = 300.0
"""That an event waits in Lambda's queue here."""
_TIMEOUT = 3600.0
"""Where a resource gives no ServiceTimeout."""
_KEPT = ("ServiceToken", "ServiceTimeout")


class DeploymentFailed(Exception):
    """What was there before goes on."""


class CustomResources:
    """Of all stacks of a world. What waits must be called in a process."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._there: dict[tuple[str, str], dict[str, tuple[CustomResource, str]]] = {}
        """By account and stack: each resource with its physical id, by logical id."""
        self._undone: set[tuple[str, str, str]] = set()
        """By account, stack and logical id: what could not be changed, nor changed back."""
        self._answers: dict[str, dict[str, Any] | None] = {}
        """By address; None: it is waited for."""
        self._count = 0
        self._statuses: dict[str, str] = {}
        """Of stacks, by id."""

    def apply(self, stack: Stack) -> None:
        """Create, change and delete what the stack has more, otherwise and no more than before.

        Raises DeploymentFailed, after which `apply` of the former stack goes back. If that fails, too, `apply` of the
        former stack is ContinueUpdateRollback.
        """
        there = self._there.setdefault((stack.account, stack.name), {})
        self._statuses[stack.id] = "UPDATE_IN_PROGRESS" if there else "CREATE_IN_PROGRESS"
        wanted = {each.logical_id: each for each in stack.custom_resources}
        for name, resource in wanted.items():
            known = there.get(name)
            if known is None:
                try:
                    there[name] = (resource, self._ask(stack, resource, "Create"))
                except DeploymentFailed:
                    self._statuses[stack.id] = "UPDATE_ROLLBACK_IN_PROGRESS" if there else "ROLLBACK_IN_PROGRESS"
                    with suppress(DeploymentFailed):
                        self._ask(stack, resource, "Delete", physical="never-created")
                    raise
            elif _given(known[0]) != _given(resource) or (stack.account, stack.name, name) in self._undone:
                there[name] = (resource, known[1])
                self._undone.add((stack.account, stack.name, name))
                there[name] = (resource, self._ask(stack, resource, "Update", former=known[0], physical=known[1]))
                self._undone.remove((stack.account, stack.name, name))
        for name in [name for name in there if name not in wanted]:
            self._statuses[stack.id] = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
            self._delete(stack, name)

    def answer(self, operation: str, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:  # noqa: ARG002 - as every service
        """Of CloudFormation's own requests, to a stack that is worked on."""
        if operation != "DescribeStacks":
            raise NotImplementedError(f"The simulated CloudFormation has no {operation}.")
        return {"Stacks": [{"StackStatus": self._statuses[parameters["StackName"]]}]}

    def delete(self, stack: Stack) -> None:
        """All of a stack that is destroyed, while its functions are still there. Raises DeploymentFailed."""
        self._statuses[stack.id] = "DELETE_IN_PROGRESS"
        for name in list(reversed(self._there.get((stack.account, stack.name), {}))):
            self._delete(stack, name)

    def _delete(self, stack: Stack, name: str) -> None:
        there = self._there[stack.account, stack.name]
        resource, physical = there[name]
        self._ask(stack, resource, "Delete", physical=physical)
        del there[name]

    def _ask(
        self,
        stack: Stack,
        resource: CustomResource,
        kind: str,
        *,
        former: CustomResource | None = None,
        physical: str = "",
    ) -> str:
        """The physical id. Raises DeploymentFailed."""
        world, kernel = self._world, self._world.kernel
        self._count += 1
        url = f"https://cloudformation-custom-resource-response.s3.amazonaws.com/{self._count}"
        event: dict[str, Any] = {
            "RequestType": kind,
            "ServiceToken": resource.function,
            "ResponseURL": url,
            "StackId": stack.id,
            "RequestId": f"{self._count:08d}-cafe-0000-0000-000000000000",
            "ResourceType": resource.type,
            "LogicalResourceId": resource.logical_id,
            "ResourceProperties": _as_sent(resource.properties),
        }
        if physical:
            event["PhysicalResourceId"] = physical
        if former is not None:
            event["OldResourceProperties"] = _as_sent(former.properties)
        self._answers[url] = None
        world.tell("CloudFormation", f"{kind} {resource.type}")
        world.visits[f"cloudformation/{kind} {resource.type}"] += 1
        # Lambda's queue loses no event; it may hand one over late, and twice.
        for delay in world.weather.deliveries("CloudFormation") or (0.5,):
            kernel.later(
                min(delay, _LATEST),
                lambda: world.functions.invoke_asynchronously(resource.function, event, on_failure=lambda: None),
            )
        last = kernel.now + float(resource.properties.get("ServiceTimeout", _TIMEOUT))
        while self._answers[url] is None and kernel.now < last:
            kernel.sleep(_LOOK_EVERY)
        answer = self._answers.pop(url) or {"Status": "FAILED", "Reason": "It did not answer in time."}
        world.tell("CloudFormation", f"{kind} {resource.type}: {answer['Status']}: {answer['Reason']}")
        world.visits[f"cloudformation/{kind} {resource.type}/{answer['Status']}"] += 1
        if answer["Status"] != "SUCCESS":
            raise DeploymentFailed(f"{resource.type}: {answer['Reason']}")
        return str(answer["PhysicalResourceId"])

    def take_answer(self, url: str, body: bytes, who: Acting) -> None:
        """What a function puts to the address that it was given. Raises URLError if that fails."""
        weather, kernel = self._world.weather, self._world.kernel
        kernel.sleep(weather.latency("s3") + weather.before_request("s3", "PutObject", who, changes=True))
        strike = weather.strike("s3", "PutObject", who, conditional=False)
        waited_for = url in self._answers and self._answers[url] is None
        # Else it is ignored: a second answer, or one that comes too late.
        if waited_for and (strike is None or strike.carried_out):
            self._answers[url] = json.loads(body)
        if strike is not None:
            raise URLError(strike.said)
        kernel.sleep(weather.latency("s3") + weather.after_request("s3", "PutObject", who, changes=True))


def destroy(world: World, stack: Stack, first: Collection[str] = ()) -> None:
    """What is not kept, without custom resources and flywheels; of `first` those of these logical ids. Its roles
    stay: nobody takes them on any more."""
    there = world.published(stack.account)
    for rule in stack.rules:
        if not first or rule.logical_id in first:
            world.events.remove(rule, account=stack.account)
    for parameter in stack.parameters:
        if parameter.name in there and (not first or parameter.logical_id in first):
            world.ssm.answer("DeleteParameter", {"Name": parameter.name}, Caller(account=stack.account))
    if first:
        return
    for mapping in stack.event_source_mappings:
        world.polling.remove(mapping)
    for machine in stack.machines:
        world.states.remove(machine.arn)
    for function in stack.functions:
        world.functions.remove(function.arn)


def _given(resource: CustomResource) -> dict[str, Any]:
    """That the resource differs by: not by the function that answers for it."""
    return {name: value for name, value in _as_sent(resource.properties).items() if name not in _KEPT}


def _as_sent(properties: Mapping[str, Any]) -> dict[str, Any]:
    """CloudFormation sends numbers and truth values as text."""
    found: dict[str, Any] = json.loads(json.dumps(dict(properties)))
    return {name: _text(value) for name, value in found.items()}


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else value
