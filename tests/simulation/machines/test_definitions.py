"""The machines that the stacks synthesise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.infrastructure.conftest import Synthesis
from tests.infrastructure.state_machines import scopes
from tests.simulation.machines.scripted import ScriptedHost, failing

MACHINES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "default": {"flywheel": ("Turn", "Promote"), "serving": ("Serve",), "analysis": ("Analyze",)},
    "entities": {"flywheel": ("Turn", "Promote"), "serving": ("Serve",), "analysis": ("Analyze",)},
    "import": {"import": ("Promote",), "serving": ("Serve",), "analysis": ("Analyze",)},
}
PARAMETERS = {"<PollSeconds>": "30", "<Evidence>": "TEST", "<ApprovalHours>": "72", '"<MapConcurrency>"': "4"}
ALL = [(variant, machine) for variant, stacks in MACHINES.items() for found in stacks.values() for machine in found]


def definition_of(synthesis: Synthesis, variant: str, machine: str) -> dict[str, Any]:
    stack = next(kind for kind, found in MACHINES[variant].items() if machine in found)
    text = json.dumps(synthesis(variant).beside(stack).definition(machine))
    for reference, value in PARAMETERS.items():
        text = text.replace(reference, value)
    definition: dict[str, Any] = json.loads(text)
    return definition


def state_of(definition: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    state: Mapping[str, Any] = definition["States"][name]
    return state


def followed(definition: Mapping[str, Any], name: str) -> Iterator[str]:
    """The states from one on, where there is one way only."""
    while name:
        yield name
        state = state_of(definition, name)
        name = state.get("Next", "") if state["Type"] in {"Pass", "Wait"} else ""


@pytest.mark.parametrize(("variant", "machine"), ALL)
def test_a_machine_whose_tasks_all_fail_fails_in_its_own_way(synthesis: Synthesis, variant: str, machine: str) -> None:
    definition = definition_of(synthesis, variant, machine)
    tasks = [name for _, states in scopes(definition) for name, state in states.items() if state["Type"] == "Task"]
    host = ScriptedHost(dict.fromkeys(tasks, failing("Refused", cause="by the test")))

    ended = host.run(definition, {"job": "films", "event": {}})

    assert (ended.status, ended.error, ended.cause) == ("FAILED", "Refused", "by the test")
    visited = [visit.state for visit in host.visits if visit.what == "entered"]
    assert visited[0] == definition["StartAt"]
    assert state_of(definition, visited[-1])["Type"] == "Fail"
    # The task that failed first was caught, and what reports it was asked for too.
    asked = [request.state for request in host.asked]
    first = list(followed(definition, definition["StartAt"]))[-1]
    assert asked[0] == first
    assert "ReportFailure" in asked
    assert host.seen("catch")[0] == (first, len(state_of(definition, first)["Catch"]) - 1, "Refused")
    host.kernel.close()


def test_a_turn_runs_to_its_end(synthesis: Synthesis) -> None:
    host = ScriptedHost({**TURN})
    definition = definition_of(synthesis, "default", "Turn")

    ended = host.run(definition, {})

    assert (ended.status, ended.output) == ("SUCCEEDED", {"reported": True})
    entered = [visit.state for visit in host.visits if visit.what == "entered"]
    assert entered.count("PrepareTrainUpload") == 2
    assert entered.count("AcceptDataset") == 2
    assert entered.count("AwaitIterationPause") == 3
    assert {request.resource for request in host.asked} == {
        *("lambda:invoke", "s3:getObject"),
        *("aws-sdk:comprehend:describeDataset", "aws-sdk:comprehend:describeFlywheelIteration"),
    }


def statuses(member: str, *found: str) -> Any:
    left = list(found)
    return lambda _request: {member: {"Status": left.pop(0) if len(left) > 1 else left[0]}}


def returning(payload: Any) -> Any:
    return lambda _request: {"Payload": payload, "StatusCode": 200}


TURN = {
    "BeginTurn": returning(
        {
            "unfinished_iteration": None,
            "test_batches": {"key": "test", "count": 0},
            "train_batches": {"key": "train", "count": 2},
        }
    ),
    "PrepareTrainUploads": lambda _request: json.dumps([{"uploads": ["a"]}, {"uploads": ["b"]}]),
    "PrepareTrainUpload": returning({}),
    "ComposeDatasets": returning({"datasets": [{"name": "n1", "split": "train"}, {"name": "n2", "split": "test"}]}),
    "RegisterDataset": returning({"dataset_arn": "arn"}),
    "AwaitDatasetAsk": statuses("DatasetProperties", "CREATING", "COMPLETED"),
    "AcceptDataset": returning({}),
    "RunIteration": returning({"iteration_id": "20260101"}),
    "AwaitIterationAsk": statuses("FlywheelIterationProperties", "TRAINING", "TRAINING", "EVALUATING", "COMPLETED"),
    "CompareMetrics": returning({"decision": "promote"}),
    "RequestPromotion": returning({}),
    "DeleteOldModels": returning({}),
    "ReportTurn": returning({"reported": True}),
}
"""What the world answers in a turn that goes well."""
