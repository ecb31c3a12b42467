"""The console's picture of a machine is of the machine that is deployed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from ops.verbs import picture
from tests.infrastructure.state_machines import scopes
from tests.infrastructure.synthesised import Synthesised

_DOES_SOMETHING = {"Task", "Map"}
_NO_STEP = {
    "ReportFailure",
    "ReportDeclined",
    "ReportRefusal",
    "ReportSuperseded",
    "ReportTimeout",
    "ReportSmokeTest",
    "ReportFailedTest",
}
"""Ends that the execution's status tells."""


def order(definition: dict[str, Any]) -> list[str]:
    """The states of the machine itself, each as early as any way leads to it."""
    found, waiting = [], [definition["StartAt"]]
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found.append(name)
            state = definition["States"][name]
            waiting += [rule["Next"] for rule in state.get("Choices", [])]
            waiting += [name for name in (state.get("Default"), state.get("Next")) if name]
    return found


def steps(names: Iterable[str], of: Mapping[str, str]) -> list[str | None]:
    return [picture._step(name, of) for name in names]


@pytest.fixture(params=["turn", "promotion", "imports"])
def machine(
    request: pytest.FixtureRequest, default: Synthesised, importing: Synthesised
) -> tuple[Any, Mapping[str, str]]:
    match request.param:
        case "turn":
            return default.definition("Turn"), picture.TURN
        case "promotion":
            left_out = picture.WHERE_MODELS_ARE_IMPORTED
            return default.definition("Promote"), picture.steps_without(picture.PROMOTION, left_out)
    left_out = picture.WHERE_MODELS_ARE_TRAINED
    return importing.definition("Promote"), picture.steps_without(picture.PROMOTION, left_out)


def test_every_step_is_there_and_every_state_that_does_something_is_of_a_step(
    machine: tuple[Any, Mapping[str, str]],
) -> None:
    definition, shown = machine
    doing = [name for name, state in definition["States"].items() if state["Type"] in _DOES_SOMETHING]
    assert set(steps(doing, shown)) - {None} == set(shown)
    of_none = {name for name in doing if picture._step(name, shown) is None}
    assert of_none - _NO_STEP <= {"FindServing"}, "a step that the picture lacks"


def test_no_state_within_a_map_is_taken_for_a_step(machine: tuple[Any, Mapping[str, str]]) -> None:
    definition, shown = machine
    for _, states in list(scopes(definition))[1:]:
        assert set(steps(states, shown)) == {None}


def test_steps_stand_in_the_order_in_which_they_are_taken(machine: tuple[Any, Mapping[str, str]]) -> None:
    definition, shown = machine
    ways = {name: definition["States"][name] for name in order(definition)}
    names = list(shown)
    for name, state in ways.items():
        here, after = picture._step(name, shown), picture._step(state.get("Next") or "", shown)
        if here and after:
            assert names.index(here) <= names.index(after), (here, after)
