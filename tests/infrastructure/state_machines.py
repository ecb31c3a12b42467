"""What holds for every state machine's definition, and how tests look into one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonata import Jsonata  # type: ignore[import-untyped]  # it has no types
from jsonata.parser import Parser  # type: ignore[import-untyped]  # it has no types
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


def unassigned(definition: dict[str, Any], *, known: frozenset[str] = frozenset()) -> set[tuple[str, str]]:
    """(state, variable) that a state reads and some way to it did not assign: Step Functions fails it there.

    `known` are the variables of the scope around. A state assigns on its way to Next and to a choice, not where it is
    caught: there the Assign of the Catch counts.
    """
    found, start = definition["States"], definition["StartAt"]
    sure: dict[str, frozenset[str]] = {start: known}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        for follower, assigned in _ways_on(found[name]):
            before = sure.get(follower)
            now = sure[name] | assigned
            now = now if before is None else now & before
            if now != before:
                sure[follower] = now
                waiting.append(follower)
    missing = {
        (name, variable)
        for name, state in found.items()
        for expression in expressions({part: value for part, value in state.items() if part != "ItemProcessor"})
        for variable in variables(expression) - sure.get(name, known)
    }
    for name, state in found.items():
        if state["Type"] == "Map":
            missing |= unassigned(state["ItemProcessor"], known=sure.get(name, known))
    return missing


def _ways_on(state: dict[str, Any]) -> Iterator[tuple[str, frozenset[str]]]:
    """(follower, variables assigned on the way)"""
    own = frozenset(state.get("Assign", {}))
    for rule in state.get("Catch", []):
        yield rule["Next"], frozenset(rule.get("Assign", {}))
    for rule in state.get("Choices", []):
        yield rule["Next"], frozenset(rule.get("Assign", {}))
    for field in ("Next", "Default"):
        if field in state:
            yield state[field], own


def variables(expression: str) -> set[str]:
    """What a JSONata expression reads of what surrounds it: not what it binds itself, not functions, not $states."""
    read: set[str] = set()
    bound = {"", "$", "states"}

    def walk(node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                walk(item)
        if not isinstance(node, Parser.Symbol):
            return
        kind = node.type
        if kind == "variable":
            read.add(node.value)
        if kind == "bind":
            bound.add(node.lhs.value)
        if kind == "lambda":
            bound.update(argument.value for argument in node.arguments)
        for name, value in vars(node).items():
            called = kind in {"function", "partial"} and name == "procedure" and value.type == "variable"
            if not called:
                walk(value)

    walk(_parsed(expression, _PARAMETERS).ast)
    return read - bound


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
