"""JSONata as Step Functions evaluates it: null is not undefined, and what gives nothing is an error."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

from jsonata import Jsonata  # type: ignore[import-untyped]  # it has no types
from jsonata.jexception import JException  # type: ignore[import-untyped]  # it has no types
from jsonata.utils import Utils  # type: ignore[import-untyped]  # it has no types

from tests.infrastructure.state_machines import variables as variables_of
from tests.simulation.machines.direct import UNDEFINED, AskEngine, Evaluate, Values, compiled
from tests.simulation.machines.errors import QUERY, StateFailed

Template = Evaluate
"""Raises StateFailed."""

_MISSING = re.compile(r"\$(now|millis|random|uuid|eval|hash|range|partition|shuffle)\b")
_OF_STATES = re.compile(r"\$states\b(?:\.(\w+))?")


class Expression:
    """One expression, without its braces."""

    def __init__(self, text: str) -> None:
        found = _MISSING.search(text)
        if found:
            raise NotImplementedError(f"The simulation has no JSONata function ${found[1]}, which {text} asks for.")
        self.text = text
        # What does not parse is refused here, as AWS refuses the machine.
        self._engine = Jsonata(text)
        self._engine.register_lambda("parse", lambda text: _to_engine(json.loads(text)))
        self._engine.output_convert_nulls = False
        self._variables = tuple(sorted(variables_of(text)))
        # Of `$states`, those members that are looked at; the empty name for all.
        self._members = frozenset(_OF_STATES.findall(text))
        self._direct: Evaluate | None
        try:
            self._direct = compiled(self._engine.ast)
        except AskEngine:
            self._direct = None

    @property
    def is_direct(self) -> bool:
        """Whether the engine is asked only if a value is not plain."""
        return self._direct is not None

    def value(self, variables: Values, states: Values) -> Any:
        """The expression's value as plain Python, UNDEFINED if there is none. Raises StateFailed."""
        for name in self._variables:
            if name not in variables:
                raise StateFailed(
                    QUERY, f"The JSONata expression '{self.text}' reads the variable ${name}, which was not assigned."
                )
        if self._direct is not None:
            try:
                return self._direct(variables, states)
            except AskEngine:
                pass
        return self.ask(variables, states)

    def ask(self, variables: Values, states: Values) -> Any:
        """`value` by the engine."""
        bound = {name: _to_engine(variables[name]) for name in self._variables}
        if self._members:
            every = "" in self._members
            bound["states"] = {
                name: _to_engine(value) for name, value in states.items() if every or name in self._members
            }
        try:
            return _from_engine(self._engine.evaluate(None, bound))
        # The engine stumbles over some operands that JSONata refuses, such as null where a number should be.
        except (JException, ValueError, ArithmeticError, TypeError, AttributeError) as error:
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
