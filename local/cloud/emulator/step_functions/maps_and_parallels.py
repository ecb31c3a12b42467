"""Parallel and Distributed Map states in JSONata.

MiniStack runs both, but ignores their `Output` and `Assign`, does not evaluate expressions in a Distributed Map's
reader, items and limits, and knows no batches.
"""

from __future__ import annotations

import contextvars
import copy
import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from local.cloud.emulator.ministack import responses, stepfunctions
from local.cloud.emulator.request_sizes import STATE_BYTES
from local.cloud.emulator.step_functions.state_machine_roles import authorise

_DEFAULT_CONCURRENCY = 64
_COUNTS = (
    *("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total"),
    *("resultsWritten", "failuresNotRedrivable", "pendingRedrive"),
)


def teach() -> None:
    run_branches = stepfunctions._run_parallel_branches

    def run_parallel(state: dict[str, Any], value: Any, execution: dict[str, Any], context: dict[str, Any]) -> Any:
        if stepfunctions._state_query_language(state, context) != "JSONata":
            return run_branches(state, value, execution, context)
        taken = stepfunctions._apply_jsonata_arguments(state, value, context)
        results, _ = run_branches(state, taken, execution, context)
        return _leave(state, value, results, context)

    stepfunctions._run_parallel_branches = run_parallel
    stepfunctions._run_distributed_map = _run_distributed_map


def _leave(state: dict[str, Any], value: Any, results: Any, context: dict[str, Any]) -> tuple[Any, str | None]:
    """Output and next state of a state whose branches or iterations gave `results`."""
    if stepfunctions._state_query_language(state, context) == "JSONata":
        output = stepfunctions._apply_jsonata_output(state, value, context, result=results, default=results)
        stepfunctions._apply_state_assign(state, value, context, result=results)
    else:
        selected = stepfunctions._apply_result_selector(state, results)
        output = stepfunctions._apply_output_path(
            state, stepfunctions._apply_result_path(state, value, selected), context
        )
    return output, stepfunctions._next_or_end(state)


@dataclass(kw_only=True)
class _MapRun:
    """A Distributed Map under way: its record in MiniStack's store, and what its children gave."""

    record: dict[str, Any]
    states: dict[str, Any]
    start: str
    results: list[Any]
    failed: int = 0
    counting: threading.Lock = field(default_factory=threading.Lock)

    def count(self, before: str, after: str) -> None:
        with self.counting:
            for counts in (self.record["itemCounts"], self.record["executionCounts"]):
                counts[before] -= 1
                counts[after] += 1
            self.failed += after == "failed"


def _run_distributed_map(
    state: dict[str, Any],
    value: Any,
    effective: Any,
    iterator: dict[str, Any],
    execution: dict[str, Any],
    context: dict[str, Any],
) -> tuple[Any, str | None]:
    evaluate = _evaluator(state, value, context)
    authorise("arn:aws:states:::states:startExecution", {"StateMachineArn": execution["stateMachineArn"]})
    items = _items(state, value, effective, context)
    inputs = [_selected(state, value, effective, context, number, item) for number, item in enumerate(items)]
    inputs = _batched(inputs, evaluate("ItemBatcher"))
    run = _new_run(state, execution, iterator, len(inputs))
    concurrency = int(evaluate("MaxConcurrency") or 0) or min(len(inputs), _DEFAULT_CONCURRENCY) or 1
    run.record["maxConcurrency"] = int(evaluate("MaxConcurrency") or 0)

    with ThreadPoolExecutor(max_workers=concurrency) as pool:
        children = [
            pool.submit(contextvars.copy_context().run, _run_child, run, number, child_input, execution, context)
            for number, child_input in enumerate(inputs)
        ]
    for child in children:
        child.result()
    exceeded = _exceeded(run.failed, len(inputs), evaluate)
    run.record.update(status="FAILED" if exceeded else "SUCCEEDED", stopDate=responses.now_iso())
    if exceeded:
        raise stepfunctions._ExecutionError(
            "States.ExceedToleratedFailureThreshold", "The specified tolerated failure threshold was exceeded"
        )
    if len(json.dumps(run.results).encode()) > STATE_BYTES:
        raise stepfunctions._ExecutionError(
            "States.DataLimitExceeded",
            "The results of the Map Run are larger than the maximum number of bytes service limit.",
        )
    return _leave(state, value, run.results, context)


def _evaluator(state: dict[str, Any], value: Any, context: dict[str, Any]) -> Any:
    def evaluate(name: str) -> Any:
        """A field of the state that may be an expression, None when it is absent."""
        found = state.get(name)
        if stepfunctions._state_query_language(state, context) == "JSONata":
            return stepfunctions._apply_jsonata_template(found, value, context)
        return found

    return evaluate


def _items(state: dict[str, Any], value: Any, effective: Any, context: dict[str, Any]) -> list[Any]:
    jsonata = stepfunctions._state_query_language(state, context) == "JSONata"
    reader = state.get("ItemReader")
    if reader is not None:
        if jsonata:
            reader = stepfunctions._apply_jsonata_template(reader, value, context)
        arguments = stepfunctions._resolve_params_obj(
            reader.get("Arguments") or reader.get("Parameters") or {}, effective, context
        )
        _authorise_reader(reader["Resource"], arguments)
        items = stepfunctions._read_map_items(
            {**reader, "Parameters": arguments, "Arguments": None}, effective, context
        )
    elif jsonata and "Items" in state:
        items = stepfunctions._jsonata_state_field(state, "Items", "array", value, context)
    else:
        items = stepfunctions._resolve_path_or_ctx(state.get("ItemsPath", "$"), effective, context)
    return items if isinstance(items, list) else [items]


def _authorise_reader(resource: str, arguments: dict[str, Any]) -> None:
    action = "listObjectsV2" if resource.endswith(":listObjectsV2") else "getObject"
    authorise(f"arn:aws:states:::aws-sdk:s3:{action}", arguments)


def _selected(
    state: dict[str, Any], value: Any, effective: Any, context: dict[str, Any], number: int, item: Any
) -> Any:
    selector = state.get("ItemSelector") or state.get("Parameters")
    if not selector:
        return item
    inner = {**context, "Map": {"Item": {"Index": number, "Value": item}}}
    if stepfunctions._state_query_language(state, context) == "JSONata":
        return stepfunctions._apply_jsonata_template(selector, value, inner)
    return stepfunctions._resolve_params_obj(selector, effective, inner)


def _batched(inputs: list[Any], batcher: dict[str, Any] | None) -> list[Any]:
    """The inputs of the children: the items one by one, or in batches of the size and bytes that ItemBatcher names."""
    if not batcher:
        return inputs
    size = int(batcher.get("MaxItemsPerBatch") or len(inputs) or 1)
    limit = int(batcher.get("MaxInputBytesPerBatch") or STATE_BYTES)
    common = {"BatchInput": batcher["BatchInput"]} if "BatchInput" in batcher else {}
    envelope = len(json.dumps({**common, "Items": []}).encode())
    batches: list[list[Any]] = []
    taken = 0
    for item in inputs:
        needed = len(json.dumps(item).encode()) + len(", ")
        if not batches or len(batches[-1]) >= size or taken + needed > limit:
            batches.append([])
            taken = envelope
        batches[-1].append(item)
        taken += needed
    return [{**common, "Items": batch} for batch in batches]


def _new_run(state: dict[str, Any], execution: dict[str, Any], iterator: dict[str, Any], total: int) -> _MapRun:
    _, _, _, region, account, _, name, *_ = execution["stateMachineArn"].split(":")
    label = f"{name}/{state.get('Label') or uuid.uuid4()}"
    zero = dict.fromkeys(_COUNTS, 0)
    record = {
        "mapRunArn": f"arn:aws:states:{region}:{account}:mapRun:{label}:{uuid.uuid4()}",
        "executionArn": execution["executionArn"],
        "status": "RUNNING",
        "startDate": responses.now_iso(),
        "maxConcurrency": 0,
        "toleratedFailurePercentage": 0.0,
        "toleratedFailureCount": 0,
        "itemCounts": {**zero, "total": total, "pending": total},
        "executionCounts": {**zero, "total": total, "pending": total},
        "redriveCount": 0,
        "_stateMachineArn": f"arn:aws:states:{region}:{account}:stateMachine:{label}",
    }
    stepfunctions._map_runs[record["mapRunArn"]] = record
    return _MapRun(record=record, states=iterator["States"], start=iterator["StartAt"], results=[None] * total)


def _run_child(run: _MapRun, number: int, child_input: Any, execution: dict[str, Any], context: dict[str, Any]) -> None:
    """One child execution: a history and a context object of its own, and none of the parent's variables."""
    name = str(uuid.uuid4())
    machine_arn = run.record["_stateMachineArn"]
    prefix = machine_arn.replace(":stateMachine:", ":execution:")
    child = {
        "executionArn": f"{prefix}:{name}",
        "stateMachineArn": machine_arn,
        "name": name,
        "status": "RUNNING",
        "startDate": responses.now_iso(),
        "stopDate": None,
        "input": json.dumps(child_input),
        "inputDetails": {"included": True},
        "output": None,
        "outputDetails": {"included": True},
        "mapRunArn": run.record["mapRunArn"],
        "events": [],
        "testCase": execution.get("testCase"),
        "mockAttempts": {},
    }
    inner = copy.deepcopy({name: part for name, part in context.items() if name != "variables"})
    inner["variables"] = {}
    inner["Execution"] = {
        **inner["Execution"],
        "Id": child["executionArn"],
        "Input": child_input,
        "Name": name,
        "StartTime": child["startDate"],
    }
    inner["StateMachine"] = {"Id": machine_arn, "Name": machine_arn.partition(":stateMachine:")[2]}
    stepfunctions._executions[child["executionArn"]] = child
    run.count("pending", "running")
    try:
        run.results[number] = stepfunctions._run_sub_machine(run.states, run.start, child_input, child, inner)
    except stepfunctions._ExecutionError as error:
        child.update(status="FAILED", error=error.error, cause=error.cause, stopDate=responses.now_iso())
        run.count("running", "failed")
    else:
        child.update(status="SUCCEEDED", output=json.dumps(run.results[number]), stopDate=responses.now_iso())
        run.count("running", "succeeded")


def _exceeded(failed: int, total: int, evaluate: Any) -> bool:
    """Whether more children failed than the state tolerates: none, unless it says how many."""
    if not failed:
        return False
    count, percentage = evaluate("ToleratedFailureCount"), evaluate("ToleratedFailurePercentage")
    if count is None and percentage is None:
        return True
    over_count = count is not None and failed > int(count)
    return over_count or (percentage is not None and failed * 100 > float(percentage) * total)
