from __future__ import annotations

from typing import Any

import pytest

from tests.simulation.kernel import BEGINNING
from tests.simulation.machines.errors import STATE_BYTES
from tests.simulation.machines.host import TaskFailed, TaskRequest
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


def bad(*numbers: int, after: float = 1.0) -> Any:
    """Fails for these items."""

    def answer(request: TaskRequest) -> Any:
        request.execution.kernel.sleep(after)
        if request.arguments in numbers:
            raise TaskFailed("Bad", str(request.arguments))
        return request.arguments

    return answer


def slowly_bad(request: TaskRequest) -> Any:
    """Each item takes as many seconds as it says, and 2 fails."""
    return bad(2, after=request.arguments)(request)


def test_iterations_run_side_by_side_so_many_at_once_and_give_their_outputs_in_order() -> None:
    host = ScriptedHost({"Ask": taking([4, 1, 1, 1])})
    each = inline(("Ask", task()), Items="{% $states.input.items %}", MaxConcurrency=2)

    ended = host.run(machine(("Each", each)), {"items": [1, 2, None, 4]})

    assert ended.output == [1, 2, None, 4]
    assert host.times == [0, 0, 1, 2]
    assert sorted(host.seen("iteration")) == [("Each", number, None) for number in range(4)]


def test_a_map_of_nothing_gives_nothing() -> None:
    assert ScriptedHost().run(machine(("Each", inline(("Ask", task()), Items=[])))).output == []


def test_items_that_are_no_array_fail_the_state() -> None:
    each = inline(("Ask", task()), Items="{% $states.input %}", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Done"}])

    ended = ScriptedHost().run(machine(("Each", each), ("Done", {"Type": "Succeed"})), {"a": 1})

    assert ended.output["Error"] == "States.QueryEvaluationError"


def test_an_iteration_reads_the_variables_around_it_and_keeps_its_own() -> None:
    begin = {"Type": "Pass", "Assign": {"outer": "there"}}
    inner = {"Type": "Pass", "Assign": {"inner": "{% $states.input.seen %}"}}
    then = {"Type": "Pass", "Output": "{% $inner & $outer %}"}
    each = inline(
        ("Inner", inner),
        ("Then", then),
        Items=["a", "b"],
        ItemSelector={
            "seen": "{% $string($states.context.Map.Item.Index) & $states.context.Map.Item.Value & $outer %}"
        },
    )
    after = {"Type": "Pass", "Output": "{% $inner %}"}

    whole = machine(("Begin", begin), ("Each", each), ("After", after))
    host = ScriptedHost()
    ended = host.run(whole)

    assert ended.error == "States.QueryEvaluationError", "$inner is not to be seen outside."
    host = ScriptedHost()
    assert host.run(machine(("Begin", begin), ("Each", each))).output == ["0atherethere", "1btherethere"]


def test_states_within_an_iteration_see_its_item() -> None:
    tell = {"Type": "Pass", "Output": "{% $states.context.Map.Item %}"}

    ended = ScriptedHost().run(machine(("Each", inline(("Tell", tell), Items=["a"]))))

    assert ended.output == [{"Index": 0, "Value": "a"}]


def test_the_first_iteration_that_fails_fails_the_map_and_ends_the_others_but_not_their_tasks() -> None:
    host = ScriptedHost({"Ask": slowly_bad, "Then": taking(100)})
    each = inline(
        ("Ask", task()),
        ("Then", task()),
        ("Never", task()),
        Items=[1, 2, 3],
        MaxConcurrency=2,
        Catch=[{"ErrorEquals": ["Bad"], "Next": "Rest"}],
    )

    ended = host.run(machine(("Each", each), ("Rest", {"Type": "Wait", "Seconds": 1000})))

    assert (ended.status, ended.output) == ("SUCCEEDED", {"Error": "Bad", "Cause": "2"})
    assert ended.stop_date == BEGINNING + 1002
    assert host.times == [0, 0, 1], "The third was never begun, the first did not come to its last state."
    assert [request.state for request in host.given_up] == ["Then"]
    assert "Then" in host.answered, "It has gone on."


def test_a_map_that_is_retried_begins_anew() -> None:
    host = ScriptedHost({"Ask": failing(None, "Bad", None)})
    each = inline(
        ("Ask", task()),
        Items=[1, 2],
        MaxConcurrency=1,
        Retry=[{"ErrorEquals": ["Bad"], "IntervalSeconds": 7}],
    )

    ended = host.run(machine(("Each", each)))

    assert ended.status == "SUCCEEDED"
    assert host.times == [0, 0, 7, 7]


def test_the_branches_of_a_parallel_run_side_by_side() -> None:
    host = ScriptedHost({"Left": taking(5, "left"), "Right": taking(3, "right")})
    both = {
        "Type": "Parallel",
        "Branches": [machine(("Left", task())), machine(("Right", task()))],
        "Arguments": {"for": "both"},
    }

    ended = host.run(machine(("Both", both)))

    assert (ended.output, ended.stop_date) == (["left", "right"], BEGINNING + 5)
    assert [request.arguments for request in host.asked] == [{"for": "both"}] * 2


def test_a_branch_that_fails_fails_the_parallel() -> None:
    host = ScriptedHost({"Left": failing("Bad", after=1), "Right": taking(3, "right")})
    both = {"Type": "Parallel", "Branches": [machine(("Left", task())), machine(("Right", task()))]}

    ended = host.run(machine(("Both", both)))

    assert (ended.status, ended.error, ended.stop_date) == ("FAILED", "Bad", BEGINNING + 1)


def test_children_of_a_distributed_map_are_executions_that_know_no_variables() -> None:
    host = ScriptedHost({"Each": holding("a", "b")})
    begin = {"Type": "Pass", "Assign": {"outer": "there"}, "Output": {"key": "items.json"}}
    child = {"Type": "Pass", "Output": "{% [$states.context.Execution.Input, $states.context.StateMachine.Name] %}"}
    each = distributed(("Tell", child), ItemSelector={"item": "{% $states.context.Map.Item.Value & $outer %}"})

    ended = host.run(machine(("Begin", begin), ("Each", each)))

    assert ended.output == [[{"item": "athere"}, "machine/Each"], [{"item": "bthere"}, "machine/Each"]]
    assert (host.asked[0].resource, host.asked[0].arguments) == (
        "s3:getObject",
        {"Bucket": "bucket", "Key": "items.json"},
    )

    reading = distributed(("Tell", {"Type": "Pass", "Output": "{% $outer %}"}))
    host = ScriptedHost({"Each": holding("a")})
    assert host.run(machine(("Begin", begin), ("Each", reading))).error == "States.ExceedToleratedFailureThreshold"


def test_children_have_names_that_the_seed_decides() -> None:
    def names(seed: int) -> list[str]:
        host = ScriptedHost({"Each": holding(1, 2)}, seed=seed)
        host.run(machine(("Each", distributed(("Ask", task())))), {"key": "k"})
        children = [request.execution for request in host.asked[1:]]
        assert all(
            child.arn.startswith(f"arn:aws:states:us-east-1:111122223333:execution:machine/Each:{child.name}")
            for child in children
        )
        return [child.name for child in children]

    assert names(1) == names(1)
    assert len({*names(1), *names(2)}) == 4


@pytest.mark.parametrize(
    ("tolerance", "status"),
    [
        ({}, "FAILED"),
        ({"ToleratedFailurePercentage": 100}, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 50}, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 49}, "FAILED"),
        ({"ToleratedFailureCount": 2}, "SUCCEEDED"),
        ({"ToleratedFailureCount": 1}, "FAILED"),
        ({"ToleratedFailureCount": "{% 2 %}", "ToleratedFailurePercentage": 10}, "FAILED"),
    ],
)
def test_so_many_children_may_fail(tolerance: dict[str, Any], status: str) -> None:
    host = ScriptedHost({"Each": holding(1, 2, 3, 4), "Ask": bad(2, 3)})
    each = distributed(("Ask", task()), Output={}, **tolerance)

    ended = host.run(machine(("Each", each)), {"key": "k"})

    assert ended.status == status
    assert ended.error == (None if status == "SUCCEEDED" else "States.ExceedToleratedFailureThreshold")


def test_too_many_failures_end_what_runs_and_begin_nothing_more() -> None:
    host = ScriptedHost({"Each": holding(1, 2, 3, 4), "Ask": taking([1, 10]), "Then": failing("Bad")})
    each = distributed(("Ask", task()), ("Then", task()), MaxConcurrency=2)

    ended = host.run(machine(("Each", each)), {"key": "k"})

    assert ended.stop_date == BEGINNING + 1
    children = {request.execution.name: request.execution for request in host.asked[1:]}
    assert sorted(str(child.status) for child in children.values()) == ["ABORTED", "FAILED"]
    assert host.answered.count("Ask") == 2, "The other's function has gone on."


@pytest.mark.parametrize(
    "answer",
    [failing("S3.NoSuchKeyException"), lambda _request: "no json", lambda _request: '{"a": 1}'],
    ids=["no object", "no JSON", "no array"],
)
def test_items_that_cannot_be_read_fail_the_state(answer: Any) -> None:
    host = ScriptedHost({"Each": answer})
    each = distributed(("Ask", task()), Retry=[{"ErrorEquals": ["States.ItemReaderFailed"], "MaxAttempts": 2}])

    ended = host.run(machine(("Each", each)), {"key": "k"})

    assert (ended.status, ended.error) == ("FAILED", "States.ItemReaderFailed")
    assert len(host.asked) == 3


def test_the_results_of_a_distributed_map_may_have_256_kib() -> None:
    host = ScriptedHost({"Each": holding(1, 2), "Ask": lambda _request: "x" * (STATE_BYTES // 2)})

    ended = host.run(machine(("Each", distributed(("Ask", task()), Output={}))), {"key": "k"})

    assert ended.error == "States.DataLimitExceeded"
