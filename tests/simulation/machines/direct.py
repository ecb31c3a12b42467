"""The plain part of JSONata, without the engine, which takes ten times as long.

Only what is plain is done here, and only with plain values. For anything else the engine is asked, so that nothing here
decides what an odd expression or an odd value means.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

UNDEFINED: Final = object()
"""What JSONata gives where there is nothing."""

Values = Mapping[str, Any]
Evaluate = Callable[[Values, Values], Any]
"""Evaluated with the variables and with the members of `$states`."""


class AskEngine(Exception):
    """The expression, or a value in it, is not plain."""


_EVERY = {"_outer_instance", "id", "position", "type", "value", "bp", "lbp", "level"}
_PARTS = {
    "path": {"steps"},
    "variable": set(),
    "name": set(),
    "string": set(),
    "number": set(),
    "value": set(),
    "binary": {"lhs", "rhs"},
    "bind": {"lhs", "rhs"},
    "block": {"expressions"},
    "unary": {"expressions"},
    "condition": {"condition", "then", "_else"},
    "function": {"procedure", "arguments"},
}
_NUMBERS: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda left, right: left / _number(right or None),
}
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compiled(node: Any) -> Evaluate:
    """What the engine's parser made of an expression, as a function. Raises AskEngine, also when it is called."""
    if not _is_plain(node):
        raise AskEngine
    match node.type:
        case "variable":
            return _path([node])
        case "path":
            return _path(node.steps)
        case "string" | "number" | "value":
            return _constant(node.value)
        case "binary" if node.value == "in":
            return _includes(compiled(node.lhs), _items(node.rhs))
        case "binary":
            return _binary(node.value, compiled(node.lhs), compiled(node.rhs))
        case "condition" if node._else is not None:
            return _condition(compiled(node.condition), compiled(node.then), compiled(node._else))
        case "function" if node.procedure.type == "variable":
            return _function(node.procedure.value, node.arguments)
        case "block":
            return _block([_bound(each) for each in node.expressions])
    raise AskEngine


def _is_plain(node: Any) -> bool:
    parts = {name for name, value in vars(node).items() if value is not None and value is not False}
    return parts <= _EVERY | _PARTS.get(node.type, set())


def _constant(value: Any) -> Evaluate:
    return lambda _variables, _states: value


def _path(steps: list[Any]) -> Evaluate:
    first, *rest = steps
    if [step.type for step in steps] != ["variable", *["name"] * len(rest)] or not all(map(_is_plain, steps)):
        raise AskEngine
    root, names = first.value, tuple(step.value for step in rest)
    if not root:
        # Two dollar signs or one: what is around the path.
        raise AskEngine

    def walk(variables: Values, states: Values) -> Any:
        value: Any = states if root == "states" else variables.get(root, UNDEFINED)
        for name in names:
            if isinstance(value, dict):
                value = value.get(name, UNDEFINED)
            elif isinstance(value, list):
                raise AskEngine
            else:
                return UNDEFINED
        return value

    return walk


def _binary(sign: str, left: Evaluate, right: Evaluate) -> Evaluate:
    if sign in _NUMBERS:
        calculate = _NUMBERS[sign]
        return lambda variables, states: _whole(
            calculate(float(_number(left(variables, states))), float(_number(right(variables, states))))
        )
    if sign in _COMPARISONS:
        return _comparison(_COMPARISONS[sign], left, right)
    if sign == "=":
        return lambda variables, states: _equal(left(variables, states), right(variables, states))
    if sign == "!=":
        return lambda variables, states: not _equal(left(variables, states), right(variables, states))
    if sign == "&":
        return lambda variables, states: _text(left(variables, states)) + _text(right(variables, states))
    if sign == "and":
        return lambda variables, states: _truth(left(variables, states)) and _truth(right(variables, states))
    if sign == "or":
        return lambda variables, states: _truth(left(variables, states)) or _truth(right(variables, states))
    raise AskEngine


def _comparison(compare: Callable[[Any, Any], bool], left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(variables: Values, states: Values) -> bool:
        first, second = left(variables, states), right(variables, states)
        if isinstance(first, str) and isinstance(second, str):
            return compare(first, second)
        return compare(_number(first), _number(second))

    return evaluate


def _condition(condition: Evaluate, then: Evaluate, otherwise: Evaluate) -> Evaluate:
    return lambda variables, states: (then if _truth(condition(variables, states)) else otherwise)(variables, states)


def _function(name: str, arguments: list[Any]) -> Evaluate:
    if len(arguments) != 1:
        raise AskEngine
    if name == "exists":
        value = compiled(arguments[0])
        return lambda variables, states: value(variables, states) is not UNDEFINED
    if name in {"floor", "ceil"}:
        value, rounded = compiled(arguments[0]), math.floor if name == "floor" else math.ceil
        return lambda variables, states: rounded(_number(value(variables, states)))
    if name == "max":
        numbers = _items(arguments[0])
        return lambda variables, states: max([_number(number(variables, states)) for number in numbers])
    raise AskEngine


def _items(node: Any) -> list[Evaluate]:
    """Of an array that is written down, with one item at least."""
    if node.type != "unary" or node.value != "[" or not node.expressions or not _is_plain(node):
        raise AskEngine
    return [compiled(item) for item in node.expressions]


def _block(expressions: list[tuple[str | None, Evaluate]]) -> Evaluate:
    def evaluate(variables: Values, states: Values) -> Any:
        inner, value = dict(variables), UNDEFINED
        for name, expression in expressions:
            value = expression(inner, states)
            if name is not None:
                inner[name] = value
        return value

    return evaluate


def _bound(node: Any) -> tuple[str | None, Evaluate]:
    """(variable, value) of `$variable := value` in a block, or no variable."""
    if node.type != "bind":
        return None, compiled(node)
    if not _is_plain(node):
        raise AskEngine
    return node.lhs.value, compiled(node.rhs)


def _includes(value: Evaluate, items: list[Evaluate]) -> Evaluate:
    def evaluate(variables: Values, states: Values) -> bool:
        sought = _text(value(variables, states))
        return sought in [_text(item(variables, states)) for item in items]

    return evaluate


def _number(value: Any) -> float:
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return value
    raise AskEngine


def _whole(value: float) -> float:
    return int(value) if value.is_integer() else value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise AskEngine


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise AskEngine


def _equal(left: Any, right: Any) -> bool:
    for value in (left, right):
        if value is UNDEFINED or isinstance(value, dict | list | float):
            raise AskEngine
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)
