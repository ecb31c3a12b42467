from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.simulation.kernel import BEGINNING
from tests.simulation.machines.scripted import ScriptedHost, failing, machine, taking, task

CAUGHT = {"Type": "Pass", "Output": "{% {'caught': $states.input} %}", "End": True}


def test_a_task_is_asked_for_with_its_arguments_and_its_result_is_the_output() -> None:
    host = ScriptedHost({"Ask": lambda request: {"Payload": {"seen": request.arguments["Payload"]["number"]}}})
    ask = task(
        Arguments={"FunctionName": "f", "Payload": {"number": "{% $states.input.number + 1 %}"}},
        Output="{% $states.result.Payload %}",
    )

    ended = host.run(machine(("Ask", ask)), {"number": 4})

    assert (ended.status, ended.output) == ("SUCCEEDED", {"seen": 5})
    assert host.asked[0].resource == "lambda:invoke"
    assert ended.stop_date == ended.start_date == BEGINNING


def test_a_task_without_arguments_is_given_the_input() -> None:
    host = ScriptedHost()

    assert host.run(machine(("Ask", task())), {"a": [1, None]}).output == {"a": [1, None]}


def test_retries_back_off_up_to_the_longest_delay_and_each_retrier_counts_for_itself() -> None:
    host = ScriptedHost({"Ask": failing("A", "B", "A", "A", "B", "A", None)})
    retry = [
        {"ErrorEquals": ["A"], "IntervalSeconds": 10, "BackoffRate": 3, "MaxDelaySeconds": 60, "MaxAttempts": 4},
        {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 2},
    ]

    ended = host.run(machine(("Ask", task(Retry=retry))))

    assert ended.status == "SUCCEEDED"
    # A waits 10, 30, 60, 60; B waits 1, 2.
    assert host.times == [0, 10, 11, 41, 101, 103, 163]
    assert [request.retry for request in host.asked] == [0, 1, 2, 3, 4, 5, 6]
    assert host.seen("retry")[:2] == [("Ask", 0, "A"), ("Ask", 1, "B")]


def test_the_retrier_that_takes_an_error_is_the_only_one_for_it() -> None:
    host = ScriptedHost({"Ask": failing("A")})
    retry = [{"ErrorEquals": ["A"], "MaxAttempts": 1}, {"ErrorEquals": ["States.ALL"], "MaxAttempts": 9}]

    ended = host.run(machine(("Ask", task(Retry=retry))))

    assert (ended.status, ended.error, ended.cause) == ("FAILED", "A", "why")
    assert host.times == [0, 1]


def test_a_jittered_retry_waits_a_part_that_the_seed_decides() -> None:
    def times(seed: int) -> list[float]:
        host = ScriptedHost({"Ask": failing("A")}, seed=seed)
        retry = {"ErrorEquals": ["A"], "IntervalSeconds": 100, "MaxAttempts": 3, "JitterStrategy": "FULL"}
        host.run(machine(("Ask", task(Retry=[retry]))))
        return host.times

    first = times(1)

    assert first == times(1)
    assert first != times(2)
    delays = [after - before for before, after in itertools.pairwise(first)]
    assert all(0 < delay < 100 * 2**number for number, delay in enumerate(delays))


def test_the_first_catcher_that_takes_the_error_catches_it() -> None:
    host = ScriptedHost({"Ask": failing("B")})
    catch = [
        {"ErrorEquals": ["A"], "Next": "Wrong"},
        {"ErrorEquals": ["States.TaskFailed"], "Next": "Right"},
        {"ErrorEquals": ["States.ALL"], "Next": "Wrong"},
    ]
    states = machine(("Ask", task(Catch=catch, End=True)), ("Wrong", {"Type": "Fail"}), ("Right", CAUGHT))

    assert host.run(states).output == {"caught": {"Error": "B", "Cause": "why"}}
    assert host.seen("catch") == [("Ask", 1, "B")]


def test_what_a_catcher_writes_and_assigns_counts_and_not_the_states_own() -> None:
    host = ScriptedHost({"Ask": failing("B", cause=None)})
    ask = task(
        Output={"own": True},
        Assign={"own": 1},
        Catch=[
            {
                "ErrorEquals": ["States.ALL"],
                "Next": "Tell",
                "Output": {"cause": "{% $exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : '' %}"},
                "Assign": {"error": "{% $states.errorOutput.Error %}"},
            }
        ],
    )
    tell = {"Type": "Pass", "Output": {"in": "{% $states.input %}", "error": "{% $error %}"}}

    assert host.run(machine(("Ask", ask), ("Tell", tell))).output == {"in": {"cause": ""}, "error": "B"}


@pytest.mark.parametrize(
    ("error", "name", "taken"),
    [
        ("X", "States.ALL", True),
        ("X", "States.TaskFailed", True),
        ("States.QueryEvaluationError", "States.ALL", True),
        ("States.Timeout", "States.TaskFailed", False),
        ("States.Timeout", "States.ALL", True),
        ("States.HeartbeatTimeout", "States.Timeout", True),
        ("States.Runtime", "States.ALL", False),
        ("States.DataLimitExceeded", "States.ALL", False),
        ("States.DataLimitExceeded", "States.TaskFailed", False),
        ("States.DataLimitExceeded", "States.DataLimitExceeded", True),
    ],
)
def test_which_names_take_an_error(error: str, name: str, taken: bool) -> None:
    host = ScriptedHost({"Ask": failing(error)})
    ask = task(Catch=[{"ErrorEquals": [name], "Next": "Caught"}], End=True)

    ended = host.run(machine(("Ask", ask), ("Caught", CAUGHT)))

    assert ended.status == ("SUCCEEDED" if taken else "FAILED")


def test_a_task_whose_time_is_up_goes_on_while_the_execution_does_too() -> None:
    host = ScriptedHost({"Ask": taking([100.0, 1.0])})
    ask = task(TimeoutSeconds=30, Retry=[{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 5}])

    ended = host.run(machine(("Ask", ask)))

    assert ended.status == "SUCCEEDED"
    assert ended.stop_date == BEGINNING + 36
    assert host.times == [0, 35]
    assert len(host.answered) == 2, "The first attempt has come to its end as well."
    assert host.given_up == host.asked[:1]


def test_a_result_that_comes_after_a_time_out_is_nobodys() -> None:
    host = ScriptedHost({"Ask": taking(10.0, {"late": True})})
    ask = task(TimeoutSeconds=5, Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "Rest"}], End=True)
    rest = {"Type": "Wait", "Seconds": 60}

    assert host.run(machine(("Ask", ask), ("Rest", rest))).output == {"Error": "States.Timeout"}


@pytest.mark.parametrize("seconds", [0, -1, 1.5, "soon", None, True])
def test_a_limit_that_is_no_number_of_seconds_fails_the_state(seconds: Any) -> None:
    host = ScriptedHost()
    ask = task(TimeoutSeconds="{% $states.input.seconds %}")

    ended = host.run(machine(("Ask", ask)), {"seconds": seconds})

    assert (ended.status, ended.error) == ("FAILED", "States.QueryEvaluationError")
    assert not host.asked


def test_an_output_that_cannot_be_evaluated_is_retried_and_caught_like_the_tasks_own_failure() -> None:
    host = ScriptedHost()
    ask = task(
        Output="{% $states.result.absent %}",
        Assign={"assigned": True},
        Retry=[{"ErrorEquals": ["States.QueryEvaluationError"], "MaxAttempts": 1}],
        Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Tell"}],
    )
    tell = {"Type": "Pass", "Output": "{% $states.input.Error %}"}

    assert host.run(machine(("Ask", ask), ("Tell", tell))).output == "States.QueryEvaluationError"
    assert len(host.asked) == 2


def test_a_field_that_the_simulation_does_not_know_is_named() -> None:
    with pytest.raises(NotImplementedError, match="Credentials in Task Ask"):
        ScriptedHost().run(machine(("Ask", task(Credentials={"RoleArn": "r"}))))


def test_a_defect_of_the_world_is_not_taken_for_a_failed_task() -> None:
    def defect(_request: Any) -> Any:
        raise KeyError("a defect")

    host = ScriptedHost({"Ask": defect})

    with pytest.raises(KeyError, match="a defect"):
        host.run(machine(("Ask", task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Done"}])), ("Done", CAUGHT)))
