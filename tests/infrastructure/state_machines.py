"""What holds for every state machine's definition, and how tests look into one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonata import Jsonata  # type: ignore[import-untyped]  # it has no types
from jsonata.utils import Utils  # type: ignore[import-untyped]  # it has no types

States = dict[str, dict[str, Any]]
_JSONPATH_FIELDS = {"InputPath", "OutputPath", "ResultPath", "Parameters", "ResultSelector", "ItemsPath"}
_PARAMETERS = {"PollSeconds": "30", "Evidence": "HOLDOUT", "ApprovalHours": "72"}


def scopes(definition: dict[str, Any]) -> Iterator[tuple[str, States]]:
    """(StartAt, states) of the machine and of every map in it."""
    yield definition["StartAt"], definition["States"]
    for state in definition["States"].values():
        if state["Type"] == "Map":
            yield from scopes(state["ItemProcessor"])


def successors(state: dict[str, Any]) -> set[str]:
    followers = {state.get("Next"), state.get("Default")}
    followers |= {rule["Next"] for rule in [*state.get("Catch", []), *state.get("Choices", [])]}
    return {name for name in followers if name}


def tasks(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for _, found in scopes(definition):
        yield from ((name, state) for name, state in found.items() if state["Type"] == "Task")


def follows(states: States, name: str) -> list[str]:
    """The states that come after this one, up to the next choice or the end."""
    found = []
    while "Next" in states[name]:
        name = states[name]["Next"]
        found.append(name)
    return found


def expressions(value: Any) -> Iterator[str]:
    match value:
        case str() if value.startswith("{%"):
            yield value.removeprefix("{%").removesuffix("%}")
        case dict():
            for member in value.values():
                yield from expressions(member)
        case list():
            for member in value:
                yield from expressions(member)


def evaluate(expression: str, *, parameters: dict[str, str] | None = None, **variables: Any) -> Any:
    """An expression of a definition, with these values of the stack's parameters, or usual ones."""
    parsed = _parsed(expression.removeprefix("{%").removesuffix("%}"), {**_PARAMETERS, **(parameters or {})})
    for name, value in variables.items():
        # The engine takes None for "undefined".
        parsed.assign(name, Utils.NULL_VALUE if value is None else value)
    return parsed.evaluate(None)


def check(definition: dict[str, Any]) -> None:
    """Every state is reached and ends somewhere, and all speak JSONata that parses."""
    assert definition["QueryLanguage"] == "JSONata"
    for start, found in scopes(definition):
        reached, waiting = set(), {start}
        while waiting:
            name = waiting.pop()
            reached.add(name)
            waiting |= successors(found[name]) - reached
        assert reached == set(found)
        for name, state in found.items():
            ends = state["Type"] in {"Succeed", "Fail"} or state.get("End") is True
            assert ends or successors(state), name
            assert not _JSONPATH_FIELDS & set(state), name
    written = list(expressions(definition))
    assert written
    for expression in written:
        _parsed(expression, _PARAMETERS)


def _parsed(expression: str, parameters: dict[str, str]) -> Any:
    for name, value in parameters.items():
        expression = expression.replace(f"<{name}>", value)
    return Jsonata(expression)
