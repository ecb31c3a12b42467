"""Stopping, time-outs, redriving, callbacks and nested executions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.simulation.api import ApiError
from tests.simulation.kernel import BEGINNING
from tests.simulation.machines.execution import Execution
from tests.simulation.machines.host import TaskFailed, TaskRequest
from tests.simulation.machines.nested import result_of
from tests.simulation.machines.scripted import (
    ScriptedHost,
    distributed,
    failing,
    holding,
    inline,
    machine,
    taking,
    task,
)

DAY = 86_400.0


def callback(**more: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Arguments": {"token": "{% $states.context.Task.Token %}"},
        **more,
    }


def token_of(host: ScriptedHost, number: int = -1) -> str:
    token = host.asked[number].token
    assert token is not None
    assert host.asked[number].arguments == {"token": token}
    return token


def refusal(call: Any, *arguments: Any) -> str:
    with pytest.raises(ApiError) as refused:
        call(*arguments)
    return refused.value.code


def asked(host: ScriptedHost) -> list[str]:
    return [request.state for request in host.asked]


# Stopping and time-outs


def test_a_stopped_execution_does_nothing_more_and_its_task_goes_on() -> None:
    host = ScriptedHost({"Ask": taking(10)})
    ends: list[str | None] = []
    execution = host.execution(
        machine(("Ask", task()), ("Then", task())), on_end=lambda ended: ends.append(ended.status)
    )
    execution.start()
    host.let_pass(5)

    execution.stop("Wrong", "by hand")
    execution.stop("Again")
    host.let_pass(100)

    assert (execution.status, execution.error, execution.cause) == ("ABORTED", "Wrong", "by hand")
    assert (execution.stop_date, ends) == (BEGINNING + 5, ["ABORTED"])
    assert (asked(host), host.answered) == (["Ask"], ["Ask"])
    assert host.given_up == host.asked
    assert execution.history[-1].type == "ExecutionAborted"


def test_a_stop_at_the_moment_of_an_answer_leaves_no_trace_of_it() -> None:
    host = ScriptedHost()
    execution = host.execution(machine(("Ask", task()), ("Then", task())))

    def stop(_request: TaskRequest) -> str:
        execution.stop()
        return "result"

    host.answers["Ask"] = stop
    execution.start()
    host.let_pass(100)

    assert (execution.status, asked(host)) == ("ABORTED", ["Ask"])


def test_an_execution_that_is_stopped_before_its_first_state_enters_none() -> None:
    host = ScriptedHost()
    execution = host.execution(machine(("Ask", task())))
    execution.start()
    execution.stop()
    host.let_pass(1)

    assert [event.type for event in execution.history] == ["ExecutionStarted", "ExecutionAborted"]


def test_a_stop_reaches_iterations_and_children() -> None:
    both = {
        "Type": "Parallel",
        "Branches": [
            machine(("Each", inline(("Ask", task()), ("Then", task()), Items=[1, 2]))),
            machine(("Every", distributed(("Inquire", task()), ("Afterwards", task())))),
        ],
    }
    host = ScriptedHost({"Every": holding(1, 2), "Ask": taking(10), "Inquire": taking(10)})
    execution = host.run(machine(("Both", both)), {"key": "k"}, seconds=5)

    execution.stop()
    host.let_pass(100)

    assert sorted(asked(host)) == ["Ask", "Ask", "Every", "Inquire", "Inquire"]
    assert {request.execution.status for request in host.asked} == {"ABORTED"}
    assert sorted(host.answered) == ["Ask", "Ask", "Every", "Inquire", "Inquire"]


def test_the_machines_time_is_up_in_the_middle_of_a_wait_and_counts_anew_after_a_redrive() -> None:
    host = ScriptedHost()
    states = machine(("Rest", {"Type": "Wait", "Seconds": 50}), ("Ask", task()), TimeoutSeconds=30)

    execution = host.run(states, seconds=40)
    assert (execution.status, execution.stop_date) == ("TIMED_OUT", BEGINNING + 30)

    execution.redrive()
    host.let_pass(100)
    assert (execution.status, execution.stop_date) == ("SUCCEEDED", BEGINNING + 50)


def test_the_time_from_before_a_redrive_does_not_count_after_it() -> None:
    host = ScriptedHost()
    execution = host.run(machine(("Rest", {"Type": "Wait", "Seconds": 50}), TimeoutSeconds=30), seconds=25)
    execution.stop()
    execution.redrive()
    host.let_pass(100)

    assert (execution.status, execution.stop_date) == ("SUCCEEDED", BEGINNING + 50)


# Redriving


def test_a_redrive_goes_on_with_the_state_that_failed_its_input_and_its_variables() -> None:
    host = ScriptedHost({"Ask": failing("Bad", "Bad", "Bad", None)})
    ask = task(
        Arguments=["{% $states.input %}", "{% $known %}", "{% $states.context.Execution.RedriveCount %}"],
        Assign={"known": "lost"},
        Retry=[{"ErrorEquals": ["Bad"], "IntervalSeconds": 1, "MaxAttempts": 1}],
    )
    states = machine(("First", task(Assign={"known": "yes"}, Output="kept")), ("Ask", ask))
    execution = host.run(states, seconds=100)
    assert execution.status == "FAILED"

    execution.redrive()
    assert (execution.status, execution.error, execution.stop_date) == ("RUNNING", None, None)
    host.let_pass(100)

    assert (execution.status, execution.output) == ("SUCCEEDED", ["kept", "yes", 1])
    # The retrier has its attempt again.
    assert asked(host) == ["First", "Ask", "Ask", "Ask", "Ask"]
    assert [request.retry for request in host.asked] == [0, 0, 1, 0, 1]
    assert (execution.redrive_count, execution.redrive_date) == (1, BEGINNING + 100)
    assert host.seen("redriven") == [("Ask", None, None)]
    entered = [event.state for event in execution.history if event.type.endswith("StateEntered")]
    assert entered == ["First", "Ask"]


def test_a_redrive_after_a_caught_failure_enters_the_fail_state_again() -> None:
    host = ScriptedHost({"Ask": failing("Bad")})
    ask = task(Catch=[{"ErrorEquals": ["States.ALL"], "Next": "No"}])
    execution = host.run(machine(("Ask", ask), ("No", {"Type": "Fail", "Error": "Told"})), seconds=10)

    execution.redrive()
    host.let_pass(10)

    assert (execution.status, execution.error, asked(host)) == ("FAILED", "Told", ["Ask"])


def test_what_was_stopped_is_asked_for_again() -> None:
    host = ScriptedHost({"Ask": taking([10, 1])})
    execution = host.run(machine(("Ask", task())), seconds=5)
    execution.stop()
    execution.redrive()
    host.let_pass(100)

    assert (execution.status, execution.stop_date) == ("SUCCEEDED", BEGINNING + 6)
    assert asked(host) == ["Ask", "Ask"]


@pytest.mark.parametrize("seed", range(8))
def test_a_redrive_at_the_moment_of_the_stop_is_an_attempt_like_any_other(seed: int) -> None:
    host = ScriptedHost({"Ask": taking(10)}, seed=seed)
    execution = host.run(machine(("Ask", task()), ("Then", task())), seconds=5)
    execution.stop()
    execution.redrive()
    host.let_pass(5)
    assert execution.status == "RUNNING", "What the first attempt gave is nobody's."

    execution.stop()
    host.let_pass(100)

    assert (execution.status, asked(host)) == ("ABORTED", ["Ask", "Ask"])
    assert host.given_up == host.asked


def test_a_wait_goes_on_where_it_would_be() -> None:
    host = ScriptedHost()
    execution = host.run(machine(("Rest", {"Type": "Wait", "Seconds": 100})), seconds=40)
    execution.stop()
    host.let_pass(20)
    execution.redrive()
    host.let_pass(100)

    assert execution.stop_date == BEGINNING + 100


@pytest.mark.parametrize(("days", "code"), [(13.9, None), (14.1, "ExecutionNotRedrivable")])
def test_14_days_after_its_end_an_execution_is_not_redriven_any_more(days: float, code: str | None) -> None:
    host = ScriptedHost({"Ask": failing("Bad", None)})
    execution = host.run(machine(("Ask", task())), seconds=days * DAY)

    if code is None:
        execution.redrive()
    else:
        assert refusal(execution.redrive) == code


def test_what_runs_or_has_succeeded_is_not_redriven() -> None:
    host = ScriptedHost({"Ask": taking(10)})
    execution = host.run(machine(("Ask", task())), seconds=5)
    assert refusal(execution.redrive) == "ExecutionNotRedrivable"
    host.let_pass(10)
    assert execution.status == "SUCCEEDED"
    assert refusal(execution.redrive) == "ExecutionNotRedrivable"


def by_argument(**answers: Any) -> Any:
    return lambda request: answers[request.arguments](request)


@pytest.mark.parametrize("kind", [inline, distributed])
def test_only_iterations_that_have_not_succeeded_are_redriven_each_where_it_failed(kind: Any) -> None:
    host = ScriptedHost(
        {
            "Each": holding("a", "b", "c", "d"),
            "Ask": by_argument(a=taking(1), b=taking(2), c=taking(3), d=taking(4)),
            "Then": by_argument(a=taking(1), b=failing("Bad", None, after=1), c=taking(1), d=taking(1)),
        }
    )
    items = {"Items": ["a", "b", "c", "d"]} if kind is inline else {}
    each = kind(("Ask", task()), ("Then", task()), MaxConcurrency=3, **items)
    execution = host.run(machine(("Each", each)), {"key": "k"}, seconds=100)

    # Until 3: a is through, b has failed in its second state, c has asked for its second one, d for its first one.
    assert (execution.status, execution.stop_date) == ("FAILED", BEGINNING + 3)
    before = len(host.asked)
    execution.redrive()
    host.let_pass(100)

    again = [(request.state, request.arguments) for request in host.asked[before:]]
    assert sorted(again) == [("Ask", "d"), ("Then", "b"), ("Then", "c"), ("Then", "d")]
    assert {request.execution.redrive_count for request in host.asked[before:]} == {1}
    assert (execution.status, execution.output) == ("SUCCEEDED", ["a", "b", "c", "d"])


def test_only_branches_that_have_not_succeeded_are_redriven() -> None:
    host = ScriptedHost({"Left": failing("Bad", None, after=2), "Right": taking(1)})
    both = {"Type": "Parallel", "Branches": [machine(("Left", task())), machine(("Right", task()))]}
    execution = host.run(machine(("Both", both)), {"a": 1}, seconds=10)

    execution.redrive()
    host.let_pass(10)

    assert (execution.status, execution.output) == ("SUCCEEDED", [{"a": 1}, {"a": 1}])
    assert sorted(asked(host)) == ["Left", "Left", "Right"]


def test_a_map_whose_results_were_too_large_is_done_all_again() -> None:
    sizes = iter([200_000, 200_000, 2, 2])
    host = ScriptedHost({"Ask": lambda _request: "x" * next(sizes)})
    execution = host.run(machine(("Each", inline(("Ask", task()), Items=[1, 2]))), seconds=10)
    assert execution.error == "States.DataLimitExceeded"

    execution.redrive()
    host.let_pass(10)

    assert execution.output == ["xx", "xx"]


def test_a_map_run_whose_items_could_not_be_read_begins_with_the_redrive() -> None:
    host = ScriptedHost({"Each": failing("S3.NoSuchKeyException")})
    execution = host.run(machine(("Each", distributed(("Ask", task())))), {"key": "k"}, seconds=10)
    assert execution.error == "States.ItemReaderFailed"

    host.answers["Each"] = holding(1, 2)
    execution.redrive()
    host.let_pass(10)

    assert execution.output == [1, 2]


# Callbacks


def test_an_answer_to_the_token_is_the_result() -> None:
    host = ScriptedHost({"Ask": taking(2, "what the function returns is nobody's")})
    execution = host.run(machine(("Ask", callback(TimeoutSeconds=3600))), seconds=60)
    assert execution.status == "RUNNING"
    token = token_of(host)

    execution.task_succeeded(token, {"by": "somebody"})
    host.let_pass(10)

    assert (execution.output, execution.stop_date) == ({"by": "somebody"}, BEGINNING + 60)
    assert refusal(execution.task_succeeded, token, None) == "TaskTimedOut"
    assert refusal(execution.task_failed, "another") == "InvalidToken"


def test_a_refusal_fails_the_state() -> None:
    host = ScriptedHost()
    ask = callback(Catch=[{"ErrorEquals": ["Declined"], "Next": "Done"}])
    execution = host.run(machine(("Ask", ask), ("Done", {"Type": "Succeed"})), seconds=60)

    execution.task_failed(token_of(host), "Declined", "too early")
    host.let_pass(1)

    assert execution.output == {"Error": "Declined", "Cause": "too early"}


def test_a_token_is_good_for_one_attempt() -> None:
    host = ScriptedHost()
    ask = callback(TimeoutSeconds=10, Retry=[{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 5}])
    execution = host.run(machine(("Ask", ask)), seconds=17)
    assert len(host.asked) == 2

    assert refusal(execution.task_succeeded, token_of(host, 0), 1) == "TaskTimedOut"
    execution.task_succeeded(token_of(host, 1), 2)
    host.let_pass(1)
    assert execution.output == 2


def test_a_token_of_an_ended_execution_is_refused_even_at_that_moment() -> None:
    host = ScriptedHost()
    execution = host.run(machine(("Ask", callback())), seconds=17)
    execution.stop()

    assert refusal(execution.task_succeeded, token_of(host), 1) == "TaskTimedOut"


def test_the_function_that_should_pass_the_token_on_fails() -> None:
    host = ScriptedHost({"Ask": failing("Lambda.Unknown", after=5)})
    execution = host.run(machine(("Ask", callback())), seconds=4)
    token = token_of(host)
    host.let_pass(10)
    assert execution.error == "Lambda.Unknown"
    assert refusal(execution.task_succeeded, token, 1) == "TaskTimedOut"


def test_an_answer_before_the_function_fails_counts() -> None:
    host = ScriptedHost({"Ask": failing("Lambda.Unknown", after=5)})
    execution = host.run(machine(("Ask", callback())), seconds=4)
    execution.task_succeeded(token_of(host), 1)
    host.let_pass(10)

    assert execution.output == 1


def test_a_function_that_answers_itself_and_then_fails_has_answered() -> None:
    def answer(request: TaskRequest) -> Any:
        request.execution.task_succeeded(request.token or "", 1)
        raise TaskFailed("Lambda.Unknown")

    host = ScriptedHost({"Ask": answer})

    assert host.run(machine(("Ask", callback()))).output == 1


def test_a_late_heartbeat_fails_the_state() -> None:
    host = ScriptedHost()
    ask = callback(TimeoutSeconds=100, HeartbeatSeconds=10)
    execution = host.run(machine(("Ask", ask)), seconds=8)
    execution.task_beat(token_of(host))
    host.let_pass(9)
    assert execution.status == "RUNNING"
    host.let_pass(9)

    assert (execution.error, execution.stop_date) == ("States.HeartbeatTimeout", BEGINNING + 18)


# Nested executions


def nesting(inner_answer: Any) -> tuple[ScriptedHost, list[Execution]]:
    """A world in which the task Nest starts an execution that asks for Inner."""
    host = ScriptedHost({"Inner": inner_answer})
    started: list[Execution] = []

    def nest(request: TaskRequest) -> Any:
        started.append(host.execution(machine(("Inner", task())), request.arguments["Input"], name="nested"))
        started[-1].start()
        return result_of(started[-1])

    host.answers["Nest"] = nest
    host.on_abandoned = lambda: started[-1].stop()
    return host, started


NEST = {
    "Type": "Task",
    "Resource": "arn:aws:states:::states:startExecution.sync:2",
    "Arguments": {"Input": {"a": 1}},
}


def test_the_output_of_a_nested_execution_is_its_value() -> None:
    host, _ = nesting(taking(5))
    ended = host.run(machine(("Nest", {**NEST, "Output": "{% $states.result.Output %}"})))

    assert (ended.output, ended.stop_date) == ({"a": 1}, BEGINNING + 5)


def test_a_nested_execution_that_fails_tells_how_in_the_cause() -> None:
    host, _ = nesting(failing("Bad"))
    ended = host.run(machine(("Nest", NEST)))

    assert ended.error == "States.TaskFailed"
    cause = json.loads(ended.cause or "")
    assert (cause["Status"], cause["Error"], cause["Cause"]) == ("FAILED", "Bad", "why")


def test_a_nested_execution_is_stopped_with_the_one_that_waits() -> None:
    host, started = nesting(taking(50))
    execution = host.run(machine(("Nest", NEST)), seconds=5)
    execution.stop()
    host.let_pass(100)

    assert (started[0].status, started[0].stop_date) == ("ABORTED", BEGINNING + 5)


def test_a_schedule_replays_exactly() -> None:
    def story(seed: int) -> list[tuple[float, str, str]]:
        def answer(request: TaskRequest) -> Any:
            request.execution.kernel.sleep(request.execution.kernel.random("load").choice([1, 2]))
            if request.execution.kernel.random("load").random() < 0.3:
                raise TaskFailed("Bad")

        host = ScriptedHost({"Ask": answer}, seed=seed)
        retry = [{"ErrorEquals": ["Bad"], "JitterStrategy": "FULL"}]
        execution = host.run(machine(("Each", inline(("Ask", task(Retry=retry)), Items=list(range(9))))))
        return [(event.moment, event.type, str(event.details)) for event in execution.history]

    assert story(3) == story(3)
    assert story(3) != story(4)
