"""What operators tune of one stack: `cdk deploy --parameters <stack>:<Name>=<value>`.

Numbers are parameters of the type String with a pattern. CloudFormation's own type Number takes `.5`, `072` and `60.5`
wherever a number is wanted, and hands them on as they were written, to JSONata, to JSON and to functions that cannot
read them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, overload

import aws_cdk as cdk
from constructs import Construct

MOST_DECIMALS = 6
NONE = "none"
"""The value of a parameter that can be nothing. The CDK CLI takes an empty one for "as it was"."""
LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653)


class Parameter:
    """Declared in the class of a stack's parameters, and read from an object of it as the CDK's parameter.

    It has one name: `minimum_score` is the template's MinimumScore and the functions' MINIMUM_SCORE.
    """

    def __init__(self, *, default: str, allowed: str, description: str, **properties: Any) -> None:
        """`allowed` says in words what the value must be."""
        self._allowed = allowed
        self._properties = {"type": "String", "default": default, "description": description, **properties}

    def __set_name__(self, owner: type[StackParameters], name: str) -> None:
        self.attribute = name
        self.name = name.title().replace("_", "")

    @overload
    def __get__(self, parameters: None, owner: type[StackParameters]) -> Parameter: ...
    @overload
    def __get__(self, parameters: StackParameters, owner: type[StackParameters]) -> cdk.CfnParameter: ...
    def __get__(self, parameters: StackParameters | None, owner: type[StackParameters]) -> Parameter | cdk.CfnParameter:
        return self if parameters is None else parameters.by_attribute[self.attribute]

    def add_to(self, scope: Construct) -> cdk.CfnParameter:
        must = f"{self.name} must be {self._allowed}."
        parameter = cdk.CfnParameter(scope, self.name, constraint_description=must, **self._properties)
        parameter.override_logical_id(self.name)
        return parameter


def one_of(*, allowed: tuple[str, ...], default: str, description: str) -> Parameter:
    return Parameter(
        default=default, allowed=f"one of {', '.join(allowed)}", description=description, allowed_values=list(allowed)
    )


def text(*, default: str, pattern: str, allowed: str, most_characters: int, description: str) -> Parameter:
    """`most_characters` matters to whoever hands the value on: environments, Parameter Store and policies are
    bounded."""
    return Parameter(
        default=default, allowed=allowed, description=description, allowed_pattern=pattern, max_length=most_characters
    )


def whole_number(*, default: int, least: int, most: int, description: str) -> Parameter:
    return text(
        default=str(default),
        pattern=f"^({whole_numbers(least, most)})$",
        allowed=f"a whole number from {least} to {most}, such as {default}",
        most_characters=len(str(most)),
        description=description,
    )


def number(*, default: float, least: int, most: int, description: str) -> Parameter:
    """Also a fraction."""
    return text(
        default=str(default),
        pattern=f"^({numbers(least, most)})$",
        allowed=f"a number from {least} to {most}, such as {default}, with at most {MOST_DECIMALS} decimals",
        most_characters=len(str(most)) + 1 + MOST_DECIMALS,
        description=description,
    )


def map_concurrency() -> Parameter:
    return whole_number(
        # A new account runs ten functions at a time, and more than one map may be at work.
        default=4,
        least=1,
        most=1000,
        description="How many functions a state machine runs at once for many files. The account's Lambda concurrency "
        "(10 in a new account) has to leave room for the others.",
    )


class StackParameters(Construct):
    """Has the parameters that its class declares. Their names are an interface."""

    too_long_to_publish: tuple[str, ...] = ()
    """Attributes whose values could fill a parameter of Parameter Store (8 KB) on their own."""

    log_retention_days = one_of(
        allowed=tuple(map(str, LOG_RETENTION_DAYS)),
        default="90",
        description="How long the logs of functions and state machines are kept, in days.",
    )

    def __init__(self, scope: Construct, construct_id: str, *, without: Collection[str] = ()) -> None:
        super().__init__(scope, construct_id)
        members = [member for kind in type(self).__mro__ for member in vars(kind).items()]
        self.by_attribute = {
            attribute: member.add_to(self)
            for attribute, member in members
            if isinstance(member, Parameter) and attribute not in without
        }

    @property
    def values(self) -> dict[str, str]:
        """Every parameter's value by its name in the template: what Parameter Store shows."""
        return {
            parameter.node.id: parameter.value_as_string
            for attribute, parameter in self.by_attribute.items()
            if attribute not in self.too_long_to_publish
        }

    @property
    def environment(self) -> dict[str, str]:
        """Every parameter's value by its name in the environment of a function."""
        return {name.upper(): parameter.value_as_string for name, parameter in self.by_attribute.items()}


def as_number(parameter: cdk.CfnParameter) -> float:
    """The value of a number, for a property that is one."""
    return cdk.Token.as_number(parameter.value)


def numbers(least: int, most: int) -> str:
    """A pattern for the numbers from `least` to `most`, written as JSON writes them: 0.5, not .5, 5. or 05."""
    return rf"({whole_numbers(least, most - 1)})(\.[0-9]{{1,{MOST_DECIMALS}}})?|{most}(\.0{{1,{MOST_DECIMALS}}})?"


def whole_numbers(least: int, most: int) -> str:
    """A pattern for the whole numbers from `least` (0 or more) to `most`, without leading zeros."""
    alternatives = []
    while least <= most:
        # The longest run of numbers from here that one digit and any digits after it can say: 50 to 99, 100 to 999.
        free = 0
        while least and least % 10 ** (free + 1) == 0 and least + 10 ** (free + 1) - 1 <= most:
            free += 1
        free = min(free, len(str(least)) - 1)
        size = 10**free
        digit = least // size % 10
        last = max(other for other in range(digit, 10) if least + (other - digit + 1) * size - 1 <= most)
        before = str(least)[: len(str(least)) - free - 1]
        one = str(digit) if digit == last else f"[{digit}-{last}]"
        alternatives.append(before + one + (f"[0-9]{{{free}}}" if free else ""))
        least += (last - digit + 1) * size
    return "|".join(alternatives)
