"""A definition that AWS refuses is refused, and what it accepts is accepted."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import CloudAccount
from local.cloud.emulator.step_functions.definitions import problems
from tests.local_cloud.resources import create_machine, create_role, failure_of

DONE = {"Done": {"Type": "Succeed"}}


def machine(states: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **members}


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        (machine(DONE, StartAt="Elsewhere"), "/StartAt: there is no state 'Elsewhere'"),
        (machine({"A": {"Type": "Pass", "Next": "B"}}), "/States/A: there is no state 'B'"),
        (machine({"A": {"Type": "Guess"}}), "/States/A/Type: 'Guess' is no type of state"),
        (machine({"A": {"Type": "Pass"}}), "/States/A: needs either Next or End"),
        (machine({"A": {"Type": "Pass", "End": True, "Next": "A"}}), "/States/A: needs either Next or End"),
        (machine({"A": {"Type": "Task", "Resource": "lambda", "End": True}}), "/States/A/Resource: 'lambda' is no ARN"),
        (
            machine({"A": {"Type": "Task", "Resource": "arn:aws:x", "TimeoutSeconds": 0.5, "End": True}}),
            "/States/A/TimeoutSeconds: 0.5 is no positive integer",
        ),
        (machine({"A": {"Type": "Pass", "Parameters": {}, "End": True}}), "/Parameters: is not supported with JSONata"),
        (
            machine({"A": {"Type": "Pass", "Output": 1, "End": True}}, QueryLanguage="JSONPath"),
            "not supported with JSONPath",
        ),
        (machine({**DONE, "Lost": {"Type": "Succeed"}}), "no state leads to Lost"),
        (
            machine({"M": {"Type": "Map", "End": True, "ItemProcessor": {"StartAt": "X", "States": {}}}}),
            "/States/M/ItemProcessor/StartAt: there is no state 'X'",
        ),
        (
            machine({"A": {"Type": "Pass", "End": True, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Gone"}]}}),
            "there is no state 'Gone'",
        ),
    ],
)
def test_problem_is_named_with_its_path(definition: dict[str, Any], said: str) -> None:
    assert any(said in problem for problem in problems(definition))


def test_sound_machine_has_no_problem() -> None:
    states = {
        "Choose": {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "Map"}], "Default": "Done"},
        "Map": {"Type": "Map", "Items": [], "ItemProcessor": machine(DONE), "Next": "Done"},
        **DONE,
    }
    assert list(problems(machine(states))) == []


def test_api_refuses(account: CloudAccount) -> None:
    with pytest.raises(ClientError, match="InvalidDefinition"):
        create_machine(account, {"A": {"Type": "Pass", "Next": "B"}})


def test_stack_refuses(account: CloudAccount) -> None:
    role = create_role(account, trusted="states.amazonaws.com")
    properties = {"RoleArn": role, "Definition": machine({"A": {"Type": "Pass", "Next": "B"}})}
    reason = failure_of(account, {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}})
    assert "there is no state 'B'" in reason
