"""What schedules reach: every state, catch, retry and choice of the machines, every claim, act and kill point.

A simulation that never gets to the critical place proves nothing about it; `unreached_places` names those that it need
not get to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.simulation.acts import ACTS
from tests.simulation.api import ACCOUNT
from tests.simulation.claims import ALWAYS, AT_REST, AT_THE_END
from tests.simulation.deployment.synthesis import FLYWHEELS, IMPORTING, templates_of
from tests.simulation.deployment.templates import resolve_app
from tests.simulation.machines.host import Visit

_ASKED = "function asks "
_OFTEN = 5000
_FATES = ("killed before", "killed after", "suspended before", "suspended after", "abandoned before")


def key_of(machine: str, visit: Visit) -> str:
    """How a visit is counted: by machine, state, and which rule, catcher or retrier it was."""
    what = visit.what
    if what == "choice":
        return f"{machine}/{visit.state}/choice {'default' if visit.number is None else visit.number}"
    if what in ("catch", "retry"):
        return f"{machine}/{visit.state}/{what} {visit.number}"
    return f"{machine}/{visit.state}/{what}"


def places(visits: Mapping[str, int]) -> set[str]:
    """All that a nightly run should reach; the kill points depend on what is often visited."""
    found = {place for kind in (*FLYWHEELS, IMPORTING) for place in _of_machines(kind)}
    found |= {f"claim/{claim.__name__}" for claim in (*ALWAYS, *AT_THE_END, *AT_REST)}
    found |= {f"act/{kind}" for kind in ACTS}
    return found | set(_kill_points(visits))


def _kill_points(visits: Mapping[str, int]) -> Iterator[str]:
    """Before and after each change that functions often make. What they seldom do, such as the deletion of an
    endpoint, is not done often enough to be met by everything that can happen to it."""
    for place, times in visits.items():
        if place.startswith(_ASKED) and times >= _OFTEN:
            operation = place.removeprefix(_ASKED)
            yield from (f"{fate} {operation}" for fate in _FATES)


def asked(service: str, operation: str) -> str:
    """How a change that a function asks for is counted."""
    return f"{_ASKED}{service}:{operation}"


def _of_machines(kind: str) -> Iterator[str]:
    for stack in resolve_app(templates_of(kind), account=ACCOUNT).values():
        for machine in stack.machines:
            yield from _of_states(machine.logical_id, machine.definition["States"])


def _of_states(machine: str, states: Mapping[str, Any]) -> Iterator[str]:
    for name, state in states.items():
        yield f"{machine}/{name}/entered"
        for number, _ in enumerate(state.get("Choices", ())):
            yield f"{machine}/{name}/choice {number}"
        if "Default" in state:
            yield f"{machine}/{name}/choice default"
        for number, _ in enumerate(state.get("Catch", ())):
            yield f"{machine}/{name}/catch {number}"
        for number, _ in enumerate(state.get("Retry", ())):
            yield f"{machine}/{name}/retry {number}"
        if "ItemProcessor" in state:
            yield from _of_states(machine, state["ItemProcessor"]["States"])
