"""JSONata as Step Functions evaluates it: null is not undefined, and what gives nothing is an error."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from jsonata import Jsonata  # type: ignore[import-untyped]  # it has no types
from jsonata.jexception import JException  # type: ignore[import-untyped]  # it has no types
from jsonata.utils import Utils  # type: ignore[import-untyped]  # it has no types

from tests.infrastructure.state_machines import variables as variables_of
from tests.simulation.machines.errors import QUERY, StateFailed

UNDEFINED: Final = object()
"""What JSONata gives where there is nothing."""

Values = Mapping[str, Any]
Template = Callable[[Values, Values], Any]
"""Evaluated with the variables and with the members of `$states`. Raises StateFailed."""

_NAME = r"[A-Za-z_]\w*"
_PATH = rf"\$({_NAME})((?:\.{_NAME})*)"
_DIRECT = re.compile(_PATH, re.ASCII)
_OR_TEXT = re.compile(rf"\$exists\(({_PATH})\) \? \1 : '([^'\\]*)'", re.ASCII)
_WORDS = frozenset({"and", "or", "in", "null", "true", "false", "function"})
_MISSING = re.compile(r"\$(now|millis|random|uuid|eval|hash|range|partition|shuffle)\b")
_OF_STATES = re.compile(r"\$states\b(?:\.(\w+))?")


class _AskEngine(Exception):
    """A value is not what the direct way can look into."""


class Expression:
    """One expression, without its braces."""

    def __init__(self, text: str) -> None:
        found = _MISSING.search(text)
        if found:
            raise NotImplementedError(f"The simulation has no JSONata function ${found[1]}, which {text} asks for.")
        self.text = text
        self._direct = _direct(text)
        if self._direct is None:
            # What does not parse is refused here, as AWS refuses the machine.
            _ = self._engine, self._variables

    @functools.cached_property
    def _engine(self) -> Any:
        engine = Jsonata(self.text)
        engine.register_lambda("parse", lambda text: _to_engine(json.loads(text)))
        engine.output_convert_nulls = False
        return engine

    @functools.cached_property
    def _variables(self) -> tuple[str, ...]:
        return tuple(sorted(variables_of(self.text)))

    @functools.cached_property
    def _members(self) -> frozenset[str]:
        """Of `$states`, those that are looked at; the empty name for all."""
        return frozenset(_OF_STATES.findall(self.text))

    @property
    def is_direct(self) -> bool:
        """Whether the engine is asked only where the path leads into an array."""
        return self._direct is not None

    def value(self, variables: Values, states: Values) -> Any:
        """The expression's value as plain Python, UNDEFINED if there is none. Raises StateFailed."""
        if self._direct is not None:
            try:
                return self._direct(variables, states)
            except _AskEngine:
                pass
        return self.ask(variables, states)

    def ask(self, variables: Values, states: Values) -> Any:
        """`value` by the engine."""
        bound = {}
        for name in self._variables:
            if name not in variables:
                raise _unassigned(self.text, name)
            bound[name] = _to_engine(variables[name])
        if self._members:
            every = "" in self._members
            bound["states"] = {
                name: _to_engine(value) for name, value in states.items() if every or name in self._members
            }
        try:
            return _from_engine(self._engine.evaluate(None, bound))
        except (JException, json.JSONDecodeError) as error:
            raise StateFailed(QUERY, f"The JSONata expression '{self.text}' failed: {error}") from error


@functools.cache
def expression(text: str) -> Expression:
    return Expression(text)


def template(value: Any, field: str) -> Template:
    """A field of a state that may hold expressions at any depth."""
    if not _has_expression(value):
        return lambda _variables, _states: value
    if isinstance(value, str):
        return _required(value, field)
    if isinstance(value, list):
        items = [template(item, f"{field}[{number}]") for number, item in enumerate(value)]
        return lambda variables, states: [item(variables, states) for item in items]
    members = [(name, template(member, f"{field}/{name}")) for name, member in value.items()]
    return lambda variables, states: {name: member(variables, states) for name, member in members}


def _required(value: str, field: str) -> Template:
    found = expression(value.removeprefix("{%").removesuffix("%}").strip())

    def evaluate(variables: Values, states: Values) -> Any:
        result = found.value(variables, states)
        if result is UNDEFINED:
            raise StateFailed(
                QUERY,
                f"The JSONata expression '{found.text}' specified for the field '{field}' returned nothing.",
            )
        return result

    return evaluate


def _has_expression(value: Any) -> bool:
    match value:
        case str():
            return value.startswith("{%") and value.endswith("%}")
        case dict():
            return any(_has_expression(member) for member in value.values())
        case list():
            return any(_has_expression(item) for item in value)
    return False


def _direct(text: str) -> Template | None:
    """The simplest forms without the engine: a path of names, and a path with a text in its place."""
    found = _DIRECT.fullmatch(text)
    if found:
        return _path(text, found[1], found[2])
    found = _OR_TEXT.fullmatch(text)
    if not found:
        return None
    path, otherwise = _path(text, found[2], found[3]), found[4]
    if path is None:
        return None

    def path_or_text(variables: Values, states: Values) -> Any:
        value = path(variables, states)
        return otherwise if value is UNDEFINED else value

    return path_or_text


def _path(text: str, name: str, rest: str) -> Template | None:
    steps = tuple(rest.split(".")[1:])
    if not _WORDS.isdisjoint(steps):
        return None

    def walk(variables: Values, states: Values) -> Any:
        if name == "states":
            value: Any = states
        elif name in variables:
            value = variables[name]
        else:
            raise _unassigned(text, name)
        for step in steps:
            if isinstance(value, dict):
                value = value.get(step, UNDEFINED)
            elif isinstance(value, list):
                raise _AskEngine
            else:
                return UNDEFINED
        return value

    return walk


def _unassigned(text: str, name: str) -> StateFailed:
    return StateFailed(QUERY, f"The JSONata expression '{text}' reads the variable ${name}, which was not assigned.")


def _to_engine(value: Any) -> Any:
    """A copy, because the engine takes None for undefined, and may keep what it was given."""
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, dict):
        return {name: _to_engine(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_to_engine(item) for item in value]
    return value


def _from_engine(value: Any, *, inside: bool = False) -> Any:
    if value is Utils.NULL_VALUE:
        return None
    match value:
        case None:
            return None if inside else UNDEFINED
        case bool() | str() | int():
            return value
        case float():
            return int(value) if value.is_integer() else value
        case dict():
            return {name: _from_engine(member, inside=True) for name, member in value.items()}
        case list():
            return [_from_engine(item, inside=True) for item in value]
    raise StateFailed(QUERY, f"A JSONata expression gave {type(value).__name__}, which is no JSON.")
