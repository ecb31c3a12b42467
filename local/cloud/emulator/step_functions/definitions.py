"""State machine definitions: the mistakes that AWS refuses when a machine is created.

MiniStack checks only the syntax of JSONata expressions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from local.cloud.emulator.ministack import provisioners, stepfunctions
from local.cloud.emulator.step_functions import task_limits

_TYPES = frozenset({"Pass", "Task", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"})
_ENDS_ITSELF = frozenset({"Choice", "Succeed", "Fail"})
_JSONPATH_FIELDS = frozenset(
    "InputPath OutputPath ResultPath Parameters ResultSelector ItemsPath SecondsPath TimestampPath TimeoutSecondsPath "
    "HeartbeatSecondsPath Variable".split()
)
_JSONATA_FIELDS = frozenset({"Arguments", "Output", "Items"})


class InvalidDefinition(Exception):
    """What CloudFormation shows as the reason of a refused machine."""


def teach() -> None:
    validate, definition_of = stepfunctions._validate_definition_jsonata, provisioners._sfn_definition

    def validate_all(text: Any) -> str | None:
        try:
            found = list(problems(json.loads(text)))
        except (TypeError, ValueError) as error:
            return f"INVALID_JSON_DESCRIPTION: {error}"
        if found:
            return "SCHEMA_VALIDATION_FAILED: " + "; ".join(found)
        refused: str | None = validate(text)
        return refused

    def checked_definition(properties: dict[str, Any]) -> Any:
        text = definition_of(properties)
        refused = validate_all(text)
        if refused:
            raise InvalidDefinition(
                f"Invalid State Machine Definition: '{refused}' (AWSStepFunctions; Status Code: 400)"
            )
        return text

    stepfunctions._validate_definition_jsonata = validate_all
    provisioners._sfn_definition = checked_definition


def problems(machine: dict[str, Any], *, language: str = "JSONPath", at: str = "") -> Iterator[str]:
    """What is wrong with a machine, or the part of one at the path `at`, in words; nothing when it can be created."""
    language = machine.get("QueryLanguage", language)
    states = machine.get("States") or {}
    if machine.get("StartAt") not in states:
        yield f"{at}/StartAt: there is no state {machine.get('StartAt')!r}"
    for name, state in states.items():
        yield from _state_problems(
            state, states, language=state.get("QueryLanguage", language), at=f"{at}/States/{name}"
        )
    unreachable = sorted(states.keys() - _reached(machine.get("StartAt"), states))
    if unreachable:
        yield f"{at}/States: no state leads to {', '.join(unreachable)}"


def _state_problems(state: dict[str, Any], states: dict[str, Any], *, language: str, at: str) -> Iterator[str]:
    kind = state.get("Type")
    if kind not in _TYPES:
        yield f"{at}/Type: {kind!r} is no type of state"
        return
    for target in _successors(state):
        if target not in states:
            yield f"{at}: there is no state {target!r}"
    if kind not in _ENDS_ITSELF and bool(state.get("End")) == bool(state.get("Next")):
        yield f"{at}: needs either Next or End"
    if kind == "Task" and not str(state.get("Resource", "")).startswith("arn:"):
        yield f"{at}/Resource: {state.get('Resource')!r} is no ARN"
    for field in task_limits.FIELDS:
        if kind == "Task" and not isinstance(state.get(field, ""), str) and not task_limits.is_limit(state[field]):
            yield f"{at}/{field}: {state[field]!r} is no positive integer"
    forbidden = _JSONPATH_FIELDS if language == "JSONata" else _JSONATA_FIELDS
    for field in sorted(forbidden & state.keys()):
        yield f"{at}/{field}: is not supported with {language}"
    for number, branch in enumerate(state.get("Branches", [])):
        yield from problems(branch, language=language, at=f"{at}/Branches[{number}]")
    for part in ("ItemProcessor", "Iterator"):
        if part in state:
            yield from problems(state[part], language=language, at=f"{at}/{part}")


def _successors(state: dict[str, Any]) -> list[str]:
    nested = [*state.get("Catch", []), *state.get("Choices", [])]
    found = [state.get("Next"), state.get("Default"), *(rule.get("Next") for rule in nested)]
    return [target for target in found if target is not None]


def _reached(start: Any, states: dict[str, Any]) -> set[Any]:
    reached: set[Any] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in reached and name in states:
            reached.add(name)
            waiting.extend(_successors(states[name]))
    return reached
