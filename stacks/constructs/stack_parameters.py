"""What operators tune of one stack: `cdk deploy --parameters <stack>:<Name>=<value>`.

Numbers are parameters of the type String with a pattern. CloudFormation's own type Number takes `.5`, `072` and `60.5`
wherever a number is wanted, and hands them on as they were written, to JSONata, to JSON and to functions that cannot
read them.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from constructs import Construct

MOST_DECIMALS = 6
NONE = "none"
"""The value of a parameter that can be nothing. The CDK CLI takes an empty one for "as it was"."""
LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653)


class StackParameters(Construct):
    """The parameters' names are an interface; `values` is what Parameter Store shows."""

    log_retention_days: cdk.CfnParameter

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self._parameters: dict[str, cdk.CfnParameter] = {}

    @property
    def values(self) -> dict[str, str]:
        """Every tunable with its value, as a string."""
        return {name: parameter.value_as_string for name, parameter in self._parameters.items()}

    def _log_retention_days(self) -> cdk.CfnParameter:
        return self._one_of(
            "LogRetentionDays",
            default="90",
            allowed=tuple(map(str, LOG_RETENTION_DAYS)),
            description="How long the logs of functions and state machines are kept, in days.",
        )

    def _map_concurrency(self) -> cdk.CfnParameter:
        return self._whole_number(
            "MapConcurrency",
            # A new account runs ten functions at a time, and more than one map may be at work.
            default=4,
            least=1,
            most=1000,
            description=(
                "How many functions a state machine runs at once for many files. The account's Lambda concurrency (10 "
                "in a new account) has to leave room for the others."
            ),
        )

    def _one_of(self, name: str, *, default: str, allowed: tuple[str, ...], description: str) -> cdk.CfnParameter:
        return self._add(
            name,
            type="String",
            default=default,
            allowed_values=list(allowed),
            description=description,
            constraint_description=f"{name} must be one of {', '.join(allowed)}.",
        )

    def _whole_number(self, name: str, *, default: int, least: int, most: int, description: str) -> cdk.CfnParameter:
        return self._text(
            name,
            default=str(default),
            pattern=f"^({whole_numbers(least, most)})$",
            allowed=f"a whole number from {least} to {most}, such as {default}",
            most_characters=len(str(most)),
            description=description,
        )

    def _number(self, name: str, *, default: float, least: int, most: int, description: str) -> cdk.CfnParameter:
        """Also a fraction."""
        return self._text(
            name,
            default=str(default),
            pattern=f"^({numbers(least, most)})$",
            allowed=f"a number from {least} to {most}, such as {default}, with at most {MOST_DECIMALS} decimals",
            most_characters=len(str(most)) + 1 + MOST_DECIMALS,
            description=description,
        )

    def _text(
        self, name: str, *, default: str, pattern: str, allowed: str, description: str, most_characters: int
    ) -> cdk.CfnParameter:
        """`most_characters` matters to whoever hands the value on: environments, Parameter Store and policies are
        bounded."""
        return self._add(
            name,
            type="String",
            default=default,
            allowed_pattern=pattern,
            max_length=most_characters,
            description=description,
            constraint_description=f"{name} must be {allowed}.",
        )

    def _add(self, name: str, **properties: Any) -> cdk.CfnParameter:
        parameter = cdk.CfnParameter(self, name, **properties)
        parameter.override_logical_id(name)
        self._parameters[name] = parameter
        return parameter


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
