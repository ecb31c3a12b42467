"""The simulated Step Functions' API: answers that are eventually consistent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulation.api import ACCOUNT, ApiError, Caller
from tests.simulation.deployment.stack import Machine
from tests.simulation.machines.scripted import ScriptedHost, failing, machine, task
from tests.simulation.services.states import States

ARN = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:machine"
ANYBODY = Caller(account=ACCOUNT)


class World:
    """A machine that fails 300 seconds after its beginning, and 300 seconds after its redrive succeeds."""

    def __init__(self) -> None:
        self.host = ScriptedHost({"Fail": failing("Wrong", None, after=300.0)})
        self.states = States(self.host.kernel, host_of=lambda _machine, _account: self.host, on_status=lambda *_: None)
        definition = {"QueryLanguage": "JSONata", **machine(("Fail", task()))}
        added = Machine(logical_id="Machine", name="machine", arn=ARN, definition=definition, role="machine")
        self.states.add(added, account=ACCOUNT)

    def ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.states.answer(operation, parameters, ANYBODY)

    def described(self, execution: str) -> str:
        """Its status."""
        try:
            found = self.ask("DescribeExecution", executionArn=execution)
        except ApiError as error:
            return error.code
        assert ("stopDate" in found) is (found["status"] != "RUNNING")
        assert ("error" in found) is (found["status"] == "FAILED")
        assert ("output" in found) is (found["status"] == "SUCCEEDED")
        return str(found["status"])

    def listed(self, status: str) -> int:
        return len(self.ask("ListExecutions", stateMachineArn=ARN, statusFilter=status)["executions"])


@pytest.fixture
def world() -> World:
    return World()


def test_what_has_happened_is_told_at_once(world: World) -> None:
    execution = world.ask("StartExecution", stateMachineArn=ARN, name="first")["executionArn"]
    assert (world.described(execution), world.listed("RUNNING")) == ("RUNNING", 1)
    world.host.let_pass(300)
    assert (world.described(execution), world.listed("RUNNING"), world.listed("FAILED")) == ("FAILED", 0, 1)


def test_what_has_happened_is_told_later(world: World) -> None:
    world.states.behind = 60.0
    execution = world.ask("StartExecution", stateMachineArn=ARN, name="first")["executionArn"]
    assert (world.described(execution), world.listed("RUNNING")) == ("ExecutionDoesNotExist", 0)
    world.host.let_pass(60)
    assert (world.described(execution), world.listed("RUNNING")) == ("RUNNING", 1)
    world.host.let_pass(240)
    assert (world.described(execution), world.listed("RUNNING"), world.listed("FAILED")) == ("RUNNING", 1, 0)
    world.host.let_pass(60)
    assert (world.described(execution), world.listed("FAILED")) == ("FAILED", 1)
    world.ask("RedriveExecution", executionArn=execution)
    assert world.described(execution) == "FAILED"
    world.host.let_pass(60)
    assert world.described(execution) == "RUNNING"
    world.host.let_pass(300)
    assert world.described(execution) == "SUCCEEDED"


def test_each_answer_is_behind_by_a_time_of_its_own(world: World) -> None:
    world.states.behind = 60.0
    execution = world.ask("StartExecution", stateMachineArn=ARN, name="first")["executionArn"]
    world.host.let_pass(30)
    assert {world.described(execution) for _ in range(50)} == {"RUNNING", "ExecutionDoesNotExist"}
