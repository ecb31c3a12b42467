"""What the tasks of state machines ask for: functions, other machines, and services in the machine's own name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tests.simulation import clients
from tests.simulation.acting import Acting
from tests.simulation.api import ApiError, Caller
from tests.simulation.clients import Unanswered
from tests.simulation.deployment.service_requests import require_distributed_map, require_task
from tests.simulation.functions import FunctionFailed, outcome_of
from tests.simulation.machines.host import TaskFailed, TaskRequest, Visit
from tests.simulation.machines.nested import result_of

if TYPE_CHECKING:
    from tests.simulation.deployment.stack import Machine
    from tests.simulation.machines.execution import Execution
    from tests.simulation.world import World

_PREFIXES = {"ssm": "Ssm", "comprehend": "Comprehend", "s3": "S3", "events": "EventBridge", "states": "StepFunctions"}
"""How the names of a service's errors begin."""
_REFUSALS = {"lambda": "Lambda.AWSLambdaException", "states": "StepFunctions.AWSStepFunctionsException"}
"""Names of a refusal by IAM; of other services it is the service's general one."""
_FUNCTION_GONE = "Lambda.ResourceNotFoundException"


class MachineHost:
    """Of the executions of one machine."""

    def __init__(self, world: World, machine: Machine, account: str) -> None:
        self.kernel = world.kernel
        self._world = world
        self._machine = machine
        self._acting = Acting(
            world=world, caller=Caller(account=account, role=machine.role), environment={}, who=machine.name
        )
        self._labels = dict(_labels(machine.definition["States"]))
        self._nested: dict[int, Execution] = {}
        """What tasks of .sync wait for."""

    def abandoned(self, request: TaskRequest) -> None:
        execution = self._nested.get(id(request))
        if execution is not None:
            execution.stop()

    def visited(self, visit: Visit) -> None:
        self._world.visited(visit, self._machine.logical_id)

    def run_task(self, task: TaskRequest) -> Any:
        """Raises TaskFailed."""
        self._require(task)
        kind, _, rest = task.resource.partition(":")
        self._meet_weather(task)
        if kind == "lambda":
            return self._invoke(task)
        if kind == "states":
            return self._run_nested(task)
        if task.resource == "s3:getObject":
            return self._ask("s3", "getObject", task.arguments)["Body"]
        if kind == "aws-sdk":
            service, _, operation = rest.partition(":")
            return self._ask(service, operation, task.arguments)
        if kind == "events":
            entries = [{**entry, "Detail": _as_text(entry["Detail"])} for entry in task.arguments["Entries"]]
            return self._ask(kind, rest, {"Entries": entries})
        return self._ask(kind, rest, task.arguments)

    def _meet_weather(self, task: TaskRequest) -> None:
        """Raises TaskFailed if the service refuses this."""
        service = task.resource.removeprefix("aws-sdk:").partition(":")[0]
        asked = "stepfunctions" if service == "states" else service
        state = f"{self._machine.name}/{task.state}"
        code = self._world.weather.refused_task(self._machine.logical_id, state, asked)
        if code is not None:
            self._world.tell(task.execution.name, f"{task.state} is refused: {code}")
            prefix = _PREFIXES.get(service, "Lambda")
            raise TaskFailed(f"{prefix}.{_modelled(asked, code, prefix)}", "The simulation wants it so.")

    def _invoke(self, task: TaskRequest) -> dict[str, Any]:
        world, arguments = self._world, task.arguments
        arn = arguments["FunctionName"]
        self.kernel.sleep(world.weather.latency("lambda"))
        if arn not in world.functions.known:
            raise TaskFailed(_FUNCTION_GONE, f"Function not found: {arn}")
        refused = world.weather.refused_invocation(world.functions.known[arn][0].name)
        if refused is not None:
            raise TaskFailed(refused, "The simulation wants it so.")
        process = world.functions.begin(arn, arguments.get("Payload", {}))
        world.waiting[process.name] = task.execution
        process.when_done(lambda: world.waiting.pop(process.name, None))
        if world.weather.unanswered_invocation():
            world.tell(process.name, "gives no answer to Step Functions, and goes on")
            process.join(at_most=60)
            raise TaskFailed("Lambda.ClientExecutionTimeoutException", "The client gave up.")
        process.join()
        try:
            return {"StatusCode": 200, "Payload": outcome_of(process)}
        except FunctionFailed as failed:
            cause = json.dumps({"errorMessage": failed.message, "errorType": failed.error})
            raise TaskFailed(failed.error, cause) from None

    def _run_nested(self, task: TaskRequest) -> dict[str, Any]:
        arguments = task.arguments
        asked = {"stateMachineArn": arguments["StateMachineArn"], "input": json.dumps(arguments.get("Input", {}))}
        if "Name" in arguments:
            asked["name"] = arguments["Name"]
        try:
            arn = self._world.states.answer("StartExecution", asked, self._acting.caller)["executionArn"]
        except ApiError as error:
            raise TaskFailed(f"StepFunctions.{_named(error.code)}", error.message) from None
        execution = self._world.states.executions[arn]
        self._nested[id(task)] = execution
        execution.wait()
        return result_of(execution)

    def _ask(self, service: str, operation: str, arguments: Any) -> dict[str, Any]:
        """One attempt: Step Functions leaves retries to the state."""
        name = operation[0].upper() + operation[1:]
        prefix = _PREFIXES[service]
        try:
            answer = self._world.ask(service, name, arguments, self._acting, attempts=1)
        except ApiError as error:
            raise TaskFailed(f"{prefix}.{_modelled(service, error.code, prefix)}", error.message) from None
        except Unanswered:
            raise TaskFailed(f"{prefix}.SdkClientException", "Unable to execute HTTP request") from None
        found: dict[str, Any] = json.loads(json.dumps(answer, default=_text))
        return found

    def _require(self, task: TaskRequest) -> None:
        """Raises TaskFailed where the machine's role does not allow what the task asks for."""
        roles, caller = self._world.roles, self._acting.caller
        try:
            require_task(roles, caller, f"arn:aws:states:::{task.resource}", task.arguments)
            if task.resource == "s3:getObject":
                label = self._labels[task.state]
                redriven = task.execution.redrive_count > 0
                require_distributed_map(roles, caller, self._machine, label=label, redriven=redriven)
        except ApiError as error:
            service = task.resource.removeprefix("aws-sdk:").partition(":")[0]
            self._world.tell(task.execution.name, f"{task.state} may not: {error.message}")
            raise TaskFailed(
                _REFUSALS.get(service) or f"{_PREFIXES[service]}.{_PREFIXES[service]}Exception", error.message
            ) from None


def _labels(states: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Of distributed maps, by state."""
    for name, state in states.items():
        if "ItemReader" in state:
            yield name, state.get("Label", name)
        if "ItemProcessor" in state:
            yield from _labels(state["ItemProcessor"]["States"])


def _as_text(value: Any) -> str:
    """This integration takes a Detail as text or as an object."""
    return value if isinstance(value, str) else json.dumps(value)


def _text(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value.read().decode()


def _named(code: str) -> str:
    return code if code.endswith("Exception") else f"{code}Exception"


def _modelled(service: str, code: str, prefix: str) -> str:
    """An error that the SDK has no class for arrives under the service's general name."""
    model = clients.model_of(service)
    return _named(code) if code in model.shape_names else f"{prefix}Exception"
