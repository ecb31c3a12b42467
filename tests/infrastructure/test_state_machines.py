"""What holds for every state machine of every stack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infrastructure.raised_errors import handlers_that_raise
from tests.infrastructure.state_machines import scopes, tasks, unassigned, variables
from tests.infrastructure.synthesised import Synthesised

MACHINES = [("flywheel", "Turn"), ("flywheel", "Promote"), ("serving", "Serve"), ("analysis", "Analyze")]
CREATION = ("flywheel", "CreationCreate")
"""Of a flywheel that begins with a model."""


@pytest.fixture(params=[*MACHINES, CREATION], ids=[name for _, name in [*MACHINES, CREATION]])
def definition(initial_model: Synthesised, request: pytest.FixtureRequest) -> dict[str, Any]:
    kind, name = request.param
    return initial_model.beside(kind).definition(name)


def test_these_are_all(default: Synthesised) -> None:
    count = sum(
        len(default.beside(kind).of_type("AWS::StepFunctions::StateMachine"))
        for kind in ("flywheel", "serving", "analysis")
    )
    assert count == len(MACHINES)


def test_no_state_reads_a_variable_that_some_way_to_it_does_not_assign(definition: dict[str, Any]) -> None:
    assert unassigned(definition) == set()


@pytest.mark.parametrize(("kind", "machine"), [*MACHINES, CREATION])
def test_a_function_is_called_by_a_state_of_its_own_name(initial_model: Synthesised, kind: str, machine: str) -> None:
    """Besides, one may be called by states that say what for. There are two of PrepareUpload: one for each split."""
    stack = initial_model.beside(kind)
    names = {f"<{function.logical_id}.Arn>": name for name, function in stack.functions().items()}
    called = {state["Arguments"]["FunctionName"] for _, state in calls(stack.definition(machine))}
    states = {name for name, _ in calls(stack.definition(machine))} | {"PrepareUpload"}
    assert {names[function].title().replace("_", "") for function in called} <= states


@pytest.mark.parametrize("kind", ["first", "serving", "analysis"])
@pytest.mark.parametrize("app", ["initial_model", "importing"])
def test_a_function_that_can_be_busy_is_called_again_and_no_other(
    request: pytest.FixtureRequest, app: str, kind: str
) -> None:
    synthesised: Synthesised = request.getfixturevalue(app)
    stack = synthesised.first if kind == "first" else synthesised.beside(kind)
    names = {f"<{function.logical_id}.Arn>": name for name, function in stack.functions().items()}
    can_be_busy = handlers_that_raise("ServiceBusy")
    for machine in stack.of_type("AWS::StepFunctions::StateMachine"):
        for name, state in calls(stack.definition(machine.logical_id)):
            again = any("ServiceBusy" in rule["ErrorEquals"] for rule in state["Retry"])
            assert again == (names[state["Arguments"]["FunctionName"]] in can_be_busy), name


def calls(definition: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(name, state) for name, state in tasks(definition) if "FunctionName" in state["Arguments"]]


@pytest.mark.parametrize(
    ("kind", "machine", "times"), [("flywheel", "Turn", 1), ("serving", "Serve", 20), ("analysis", "Analyze", 1)]
)
def test_an_execution_may_take_as_long_as_all_that_it_waits_for(
    default: Synthesised, kind: str, machine: str, times: int
) -> None:
    """`times`: how often an execution may wait for the same."""
    definition = default.beside(kind).definition(machine)
    assert definition["TimeoutSeconds"] >= times * sum(waits(definition)) + sum(durations(definition))


def test_a_promotion_may_take_as_long_as_people_and_two_runs_of_serving(default: Synthesised) -> None:
    promotion = default.definition("Promote")
    run = default.beside("serving").definition("Serve")["TimeoutSeconds"]
    assert waits(promotion) == []
    assert promotion["TimeoutSeconds"] >= 720 * 3600 + 2 * run + sum(durations(promotion))


def test_a_change_of_the_endpoint_is_given_up_before_cloudformation_gives_up(default: Synthesised) -> None:
    """Then a removal that takes too long is answered with the reason."""
    serving = default.beside("serving")
    (removal,) = serving.of_type("Custom::EndpointRemoval")
    (change,) = waits(serving.definition("Serve"))
    assert change + 600 <= int(removal.properties["ServiceTimeout"])


def test_a_creation_is_given_up_before_cloudformation_gives_up(initial_model: Synthesised) -> None:
    (flywheel,) = initial_model.of_type("Custom::FlywheelWithModel")
    definition = initial_model.definition("CreationCreate")
    budgets = waits(definition)
    (busy,) = [
        sum(retry["IntervalSeconds"] * retry["BackoffRate"] ** n for n in range(retry["MaxAttempts"]))
        for retry in definition["States"]["ChangeFlywheel"]["Retry"]
        if retry["ErrorEquals"] == ["ServiceBusy"]
    ]
    assert len(budgets) == 2, "creation and deletion"
    assert max(budgets) + busy + 300 <= int(flywheel.properties["ServiceTimeout"])
    assert definition["TimeoutSeconds"] >= max(budgets) + sum(durations(definition))


def waits(definition: dict[str, Any]) -> list[int]:
    """The budgets of the waits for Comprehend, in seconds."""
    return [
        int(found[1])
        for _, states in scopes(definition)
        for state in states.values()
        for choice in state.get("Choices", [])
        if (found := re.search(r"\$\w+Seconds >= (\d+)", choice["Condition"]))
    ]


def durations(definition: dict[str, Any]) -> Iterator[float]:
    """How long each task may take with all its retries, in seconds, without what it waits for."""
    for _, task in tasks(definition):
        seconds = task.get("TimeoutSeconds", 60)
        attempt = seconds if isinstance(seconds, int) else 0
        yield attempt
        for retry in task.get("Retry", []):
            for number in range(retry["MaxAttempts"]):
                pause = retry["IntervalSeconds"] * retry["BackoffRate"] ** number
                yield attempt + min(pause, retry.get("MaxDelaySeconds", pause))


class TestTheWalk:
    """The check itself."""

    @pytest.mark.parametrize(
        ("expression", "read"),
        [
            ("$run", {"run"}),
            ("$states.input.run", set()),
            ("$max([1, $floor($waited / 100)])", {"waited"}),
            ("($found := $states.result; $found.a = $target ? $found.b : 1)", {"target"}),
            ("{'reason': $why, 'n': $map($all, function($one) { $one + $more })}", {"why", "all", "more"}),
            ("$parts.key", {"parts"}),
            ("a[$n].b[x = $m]", {"n", "m"}),
        ],
    )
    def test_finds_what_an_expression_reads(self, expression: str, read: set[str]) -> None:
        assert variables(expression) == read

    @pytest.mark.parametrize(
        ("first", "missing"),
        [
            ({"Type": "Task", "Assign": {"run": 1}, "Next": "Read"}, set()),
            ({"Type": "Task", "Next": "Read"}, {("Read", "run")}),
            # Caught, the state has assigned nothing.
            (
                {"Type": "Task", "Assign": {"run": 1}, "Next": "Read", "Catch": [{"Next": "Read"}]},
                {("Read", "run")},
            ),
            (
                {
                    "Type": "Task",
                    "Assign": {"run": 1},
                    "Next": "Read",
                    "Catch": [{"Next": "Read", "Assign": {"run": 2}}],
                },
                set(),
            ),
            (
                {"Type": "Choice", "Assign": {"run": 1}, "Default": "Read", "Choices": [{"Next": "Read"}]},
                {("Read", "run")},
            ),
            # A variable that a map's state assigns stays in the map; what was there before reaches into it.
            (
                {
                    "Type": "Map",
                    "Next": "Read",
                    "ItemProcessor": {
                        "StartAt": "Inside",
                        "States": {
                            "Inside": {"Type": "Pass", "Output": "{% $other %}", "Assign": {"run": 1}, "End": True}
                        },
                    },
                },
                {("Read", "run"), ("Inside", "other")},
            ),
        ],
    )
    def test_goes_every_way(self, first: dict[str, Any], missing: set[tuple[str, str]]) -> None:
        states = {"First": first, "Read": {"Type": "Pass", "Output": {"a": ["{% $run %}"]}, "End": True}}
        assert unassigned({"StartAt": "First", "States": states}) == missing
