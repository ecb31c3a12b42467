from __future__ import annotations

from typing import Any

import pytest

from tests.simulation.kernel import BEGINNING
from tests.simulation.machines.errors import STATE_BYTES
from tests.simulation.machines.execution import MOST_EVENTS
from tests.simulation.machines.scripted import ScriptedHost, machine, taking, task


def test_a_pass_writes_and_assigns_with_the_variables_from_before() -> None:
    first = {"Type": "Pass", "Assign": {"number": 1, "word": "{% $states.input.word %}"}}
    second = {
        "Type": "Pass",
        "Assign": {"number": "{% $number + 1 %}", "before": "{% $number %}"},
        "Output": {"n": "{% $number %}"},
    }
    third = {"Type": "Succeed", "Output": ["{% $states.input.n %}", "{% $number %}", "{% $before %}", "{% $word %}"]}

    ended = ScriptedHost().run(machine(("One", first), ("Two", second), ("Three", third)), {"word": None})

    assert ended.output == [1, 2, 1, None]


@pytest.mark.parametrize(("number", "came"), [(1, "one"), (2, "two"), (3, "other")])
def test_a_choice_takes_the_first_rule_that_holds_with_what_it_assigns(number: int, came: str) -> None:
    choice = {
        "Type": "Choice",
        "Choices": [
            {"Condition": "{% $states.input.number = 1 %}", "Next": "Tell", "Assign": {"came": "one"}},
            {"Condition": "{% $states.input.number <= 2 %}", "Next": "Tell", "Assign": {"came": "two"}},
        ],
        "Default": "Tell",
        "Assign": {"came": "other"},
    }
    host = ScriptedHost()

    ended = host.run(
        machine(("Choose", choice), ("Tell", {"Type": "Pass", "Output": "{% $came %}"})), {"number": number}
    )

    assert ended.output == came
    assert host.seen("choice") == [("Choose", {1: 0, 2: 1, 3: None}[number], None)]


@pytest.mark.parametrize(
    ("condition", "error"),
    [("{% false %}", "States.NoChoiceMatched"), ("{% 'yes' %}", "States.QueryEvaluationError")],
)
def test_a_choice_without_an_answer_fails_the_execution(condition: str, error: str) -> None:
    choice = {"Type": "Choice", "Choices": [{"Condition": condition, "Next": "Done"}]}

    ended = ScriptedHost().run(machine(("Choose", choice), ("Done", {"Type": "Succeed"})))

    assert (ended.status, ended.error) == ("FAILED", error)


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [
        ({"Seconds": "{% $states.input.seconds * 2 %}"}, 40),
        ({"Seconds": 0}, 0),
        ({"Timestamp": "2026-01-01T01:00:00Z"}, 3600),
        ({"Timestamp": "2025-01-01T01:00:00Z"}, 0),
    ],
)
def test_a_wait_takes_its_time(wait: dict[str, Any], seconds: float) -> None:
    ended = ScriptedHost().run(machine(("Rest", {"Type": "Wait", **wait, "Output": "done"})), {"seconds": 20})

    assert (ended.output, ended.stop_date) == ("done", BEGINNING + seconds)


@pytest.mark.parametrize("wait", [{"Seconds": -1}, {"Seconds": "{% 'x' %}"}, {"Timestamp": "2026-01-01"}])
def test_a_wait_that_is_none_fails_the_execution(wait: dict[str, Any]) -> None:
    ended = ScriptedHost().run(machine(("Rest", {"Type": "Wait", **wait})))

    assert (ended.status, ended.error) == ("FAILED", "States.QueryEvaluationError")


def test_a_fail_says_why() -> None:
    fail = {"Type": "Fail", "Error": "{% $states.input.Error %}", "Cause": "fixed"}

    ended = ScriptedHost().run(machine(("No", fail)), {"Error": "Mine"})

    assert (ended.status, ended.error, ended.cause, ended.output) == ("FAILED", "Mine", "fixed", None)


def test_the_context_tells_where_the_state_is() -> None:
    host = ScriptedHost({"Ask": taking(5)})
    ask = task(
        Arguments="{% $states.context %}", TimeoutSeconds=3, Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
    )

    ended = host.run(machine(("Rest", {"Type": "Wait", "Seconds": 60}), ("Ask", ask)), {"a": 1})

    assert ended.error == "States.Timeout"
    assert host.asked[1].arguments == {
        "Execution": {
            "Id": "arn:aws:states:us-east-1:111122223333:execution:machine:first",
            "Input": {"a": 1},
            "Name": "first",
            "RoleArn": "arn:aws:iam::111122223333:role/machine",
            "StartTime": "2026-01-01T00:00:00.000Z",
            "RedriveCount": 0,
        },
        "StateMachine": {"Id": "arn:aws:states:us-east-1:111122223333:stateMachine:machine", "Name": "machine"},
        "State": {"Name": "Ask", "EnteredTime": "2026-01-01T00:01:00.000Z", "RetryCount": 1},
    }


@pytest.mark.parametrize(("characters", "fits"), [(STATE_BYTES - 2, True), (STATE_BYTES - 1, False)])
def test_what_a_state_gives_may_have_256_kib(characters: int, fits: bool) -> None:
    # A text has two quotation marks.
    host = ScriptedHost({"Ask": lambda _request: "x" * characters})
    ask = task(Output="small", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Done"}])

    ended = host.run(machine(("Ask", ask), ("Done", {"Type": "Succeed"})))

    assert ended.error == (None if fits else "States.DataLimitExceeded")


def test_arguments_that_are_too_large_are_not_sent() -> None:
    host = ScriptedHost()

    ended = host.run(machine(("Ask", task(Arguments=["{% $states.input %}"] * 2))), "x" * (STATE_BYTES // 2))

    assert (ended.error, host.asked) == ("States.DataLimitExceeded", [])


def test_bytes_count_and_not_characters() -> None:
    # The character has three bytes.
    large = {"Type": "Pass", "Output": "{% $states.input.x & $states.input.x %}"}

    ended = ScriptedHost().run(machine(("Large", large)), {"x": "€" * (STATE_BYTES // 6 + 1)})

    assert ended.error == "States.DataLimitExceeded"


def test_a_history_of_25000_events_ends_the_execution_whatever_the_machine_catches() -> None:
    again = {
        "Type": "Map",
        "Items": [1],
        "ItemProcessor": {"StartAt": "Turn", "States": {"Turn": {"Type": "Pass", "Next": "Turn"}}},
        "Catch": [{"ErrorEquals": ["States.ALL", "States.Runtime"], "Next": "Done"}],
    }

    ended = ScriptedHost().run(machine(("Again", again), ("Done", {"Type": "Succeed"})))

    assert (ended.status, ended.error) == ("FAILED", "States.Runtime")
    assert len(ended.history) == MOST_EVENTS
    assert ended.why_not_redrivable is not None


def test_the_history_has_the_events_of_step_functions() -> None:
    ended = ScriptedHost().run(machine(("Ask", task()), ("Done", {"Type": "Succeed"})))

    assert [(event.type, event.state) for event in ended.history] == [
        ("ExecutionStarted", None),
        ("TaskStateEntered", "Ask"),
        ("TaskScheduled", "Ask"),
        ("TaskStarted", "Ask"),
        ("TaskSucceeded", "Ask"),
        ("TaskStateExited", "Ask"),
        ("SucceedStateEntered", "Done"),
        ("SucceedStateExited", "Done"),
        ("ExecutionSucceeded", None),
    ]


def test_what_is_no_part_of_the_definitions_is_refused_by_its_name() -> None:
    with pytest.raises(NotImplementedError, match="JSONata only"):
        ScriptedHost().run(machine(("A", {"Type": "Pass"}), QueryLanguage="JSONPath"))
    batched = {"Type": "Map", "ItemProcessor": machine(("B", {"Type": "Succeed"})), "ItemBatcher": {}}
    with pytest.raises(NotImplementedError, match="ItemBatcher in Map A"):
        ScriptedHost().run(machine(("A", batched)))
