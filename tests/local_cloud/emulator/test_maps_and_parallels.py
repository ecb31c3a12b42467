"""Parallel and Map states in JSONata, inline and distributed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from local.cloud import CloudAccount
from tests.local_cloud.resources import allow, create_bucket, create_machine, create_role, run


def branch(**states: Any) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def distributed(states: dict[str, Any], **map_: Any) -> dict[str, Any]:
    processor = {**branch(**states), "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    return {"Type": "Map", "ItemProcessor": processor, "End": True, **map_}


def machine_with_map(
    account: CloudAccount,
    map_: dict[str, Any],
    *,
    before: Mapping[str, Any] | None = None,
    permissions: Sequence[Mapping[str, Any]] = (),
) -> str:
    """A machine of a Map that may start its children."""
    role = create_role(account, allow("states:StartExecution"), *permissions, trusted="states.amazonaws.com")
    return create_machine(account, {**(before or {}), "Map": map_}, role=role)


ECHO = {"Echo": {"Type": "Pass", "End": True}}
FAIL_ON_TWO = {
    "Which": {
        "Type": "Choice",
        "Choices": [{"Condition": "{% $states.input = 2 %}", "Next": "Bad"}],
        "Default": "Good",
    },
    "Bad": {"Type": "Fail", "Error": "Two"},
    "Good": {"Type": "Succeed"},
}


def test_parallel_takes_arguments_gives_output_and_keeps_variables_apart(account: CloudAccount) -> None:
    states = {
        "Before": {"Type": "Pass", "Assign": {"seen": "outer"}, "Next": "Both"},
        "Both": {
            "Type": "Parallel",
            "Arguments": {"given": "{% $states.input.n %}"},
            "Branches": [
                branch(
                    Left={"Type": "Pass", "Assign": {"seen": "left"}, "Next": "LeftEnd"},
                    LeftEnd={"Type": "Pass", "Output": "{% $seen & $string($states.input.given) %}", "End": True},
                ),
                branch(Right={"Type": "Wait", "Seconds": 1, "Output": "{% $seen %}", "End": True}),
            ],
            "Assign": {"results": "{% $states.result %}"},
            "Output": {"joined": "{% $join($states.result, '+') %}"},
            "Next": "After",
        },
        "After": {
            "Type": "Pass",
            "Output": {"joined": "{% $states.input.joined %}", "results": "{% $results %}", "seen": "{% $seen %}"},
            "End": True,
        },
    }
    output = run(account, create_machine(account, states), {"n": 1})["output"]
    assert output == {"joined": "left1+outer", "results": ["left1", "outer"], "seen": "outer"}


def test_distributed_map_reads_items_from_s3_with_the_machines_role(account: CloudAccount) -> None:
    bucket = create_bucket(account)
    account.client("s3").put_object(Bucket=bucket, Key="manifest.json", Body=json.dumps([{"n": n} for n in range(5)]))
    map_ = distributed(
        {"Twice": {"Type": "Pass", "Output": "{% $states.input.n * $states.input.factor %}", "End": True}},
        ItemReader={
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Arguments": {"Bucket": bucket, "Key": "{% $states.input.key %}"},
        },
        ItemSelector={"n": "{% $states.context.Map.Item.Value.n %}", "factor": "{% $states.input.factor %}"},
        MaxConcurrency="{% $states.input.concurrency %}",
        Output={"sum": "{% $sum($states.result) %}"},
    )
    value = {"key": "manifest.json", "factor": 10, "concurrency": 2}
    denied = run(account, machine_with_map(account, map_), value)
    assert denied["error"] == "S3.S3Exception"
    readable = allow("s3:GetObject", on=f"arn:aws:s3:::{bucket}/*")
    assert run(account, machine_with_map(account, map_, permissions=[readable]), value)["output"] == {"sum": 100}


def test_distributed_map_needs_the_right_to_start_its_children(account: CloudAccount) -> None:
    denied = run(account, create_machine(account, {"Map": distributed(ECHO, Items=[1])}))
    assert "states:StartExecution" in denied["cause"]


def test_children_have_a_context_of_their_own(account: CloudAccount) -> None:
    child = {"Tell": {"Type": "Pass", "Output": "{% $states.context.Execution.Id %}", "End": True}}
    described = run(account, machine_with_map(account, distributed(child, Items=[1, 2])))
    assert len(set(described["output"])) == 2
    assert described["executionArn"] not in described["output"]
    peeks = {"Peek": {"Type": "Pass", "Output": "{% $outer %}", "End": True}}
    before = {"Set": {"Type": "Pass", "Assign": {"outer": 1}, "Next": "Map"}}
    machine = machine_with_map(account, distributed(peeks, Items=[1]), before=before)
    assert run(account, machine)["error"] == "States.ExceedToleratedFailureThreshold"


@pytest.mark.parametrize(
    ("tolerance", "status"),
    [
        ({}, "FAILED"),
        ({"ToleratedFailureCount": 1}, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 40}, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 10}, "FAILED"),
    ],
)
def test_tolerated_failures(account: CloudAccount, tolerance: dict[str, int], status: str) -> None:
    described = run(account, machine_with_map(account, distributed(FAIL_ON_TWO, Items=[1, 2, 3], **tolerance)))
    assert described["status"] == status
    runs = account.client("stepfunctions").list_map_runs(executionArn=described["executionArn"])["mapRuns"]
    counts = account.client("stepfunctions").describe_map_run(mapRunArn=runs[0]["mapRunArn"])["itemCounts"]
    assert (counts["succeeded"], counts["failed"], counts["total"]) == (2, 1, 3)


def test_batches(account: CloudAccount) -> None:
    batcher = {"MaxItemsPerBatch": 2, "BatchInput": {"common": "{% $states.input.c %}"}}
    map_ = distributed(ECHO, Items="{% [1..5] %}", ItemBatcher=batcher)
    output = run(account, machine_with_map(account, map_), {"c": "x"})["output"]
    assert [batch["Items"] for batch in output] == [[1, 2], [3, 4], [5]]
    assert {batch["BatchInput"]["common"] for batch in output} == {"x"}


def test_error_of_an_inline_iteration_is_caught_on_the_map(account: CloudAccount) -> None:
    states = {
        "Map": {
            "Type": "Map",
            "Items": [1, 2, 3],
            "ItemProcessor": branch(**FAIL_ON_TWO),
            "Catch": [{"ErrorEquals": ["Two"], "Output": "{% $states.errorOutput.Error %}", "Next": "Caught"}],
            "End": True,
        },
        "Caught": {"Type": "Succeed"},
    }
    assert run(account, create_machine(account, states))["output"] == "Two"
