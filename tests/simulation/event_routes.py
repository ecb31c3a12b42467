"""What services tell EventBridge of what happened, and what EventBridge does with it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tests.simulation.deployment.service_requests import require_target, require_target_dead_letter

if TYPE_CHECKING:
    from tests.simulation.deployment.stack import Rule, Target
    from tests.simulation.machines.execution import Execution
    from tests.simulation.services.s3 import ObjectEvent
    from tests.simulation.services.ssm import ParameterEvent
    from tests.simulation.world import World

_UNNAMED = re.compile("[0-9a-f]{16}")
"""What only the schedule starts, such as a look at the endpoint, is no part of a story unless it fails."""


class EventRoutes:
    def __init__(self, world: World) -> None:
        self._world = world

    def object_changed(self, event: ObjectEvent) -> None:
        self._world.events.publish(event.account, "aws.s3", event.detail_type, event.detail)

    def parameter_changed(self, event: ParameterEvent) -> None:
        self._world.events.publish(event.account, "aws.ssm", "Parameter Store Change", event.detail)

    def execution_changed(self, account: str, execution: Execution) -> None:
        if not (execution.status in ("RUNNING", "SUCCEEDED") and _UNNAMED.fullmatch(execution.name)):
            machine = execution.machine.name.rpartition("-")[0]
            said = f": {execution.error}: {execution.cause}" if execution.error else ""
            self._world.tell(f"{machine} {execution.name}", f"is {execution.status}{said}")
        detail: dict[str, Any] = {
            "executionArn": execution.arn,
            "stateMachineArn": execution.machine.arn,
            "name": execution.name,
            "status": execution.status,
            "startDate": int((execution.start_date or 0) * 1000),
            "stopDate": None if execution.stop_date is None else int(execution.stop_date * 1000),
            "input": json.dumps(execution.input),
            "output": json.dumps(execution.output) if execution.status == "SUCCEEDED" else None,
            "error": execution.error,
            "cause": execution.cause,
            "redriveCount": execution.redrive_count,
            "redriveDate": None if execution.redrive_date is None else int(execution.redrive_date * 1000),
        }
        self._world.changes["stepfunctions"] = self._world.changes.get("stepfunctions", 0) + 1
        self._world.events.publish(account, "aws.states", "Step Functions Execution Status Change", detail)

    def deliver(self, account: str, rule: Rule, target: Target, content: Any) -> None:
        deliveries = self._world.weather.deliveries(rule.name)
        if len(deliveries) != 1:
            self._world.tell("EventBridge", f"{'loses' if not deliveries else 'repeats'} an event of {rule.name}")
        for delay in deliveries:
            self._world.kernel.later(delay, lambda: self._hand_over(account, rule, target, content))

    def _hand_over(self, account: str, rule: Rule, target: Target, content: Any) -> None:
        require_target(self._world.roles, rule, target, account=account)

        def undelivered() -> None:
            require_target_dead_letter(self._world.roles, rule, target, account=account)
            self._world.undelivered.append((target.arn, content))

        service = target.arn.split(":")[2]
        if service == "sqs":
            self._world.sqs.deliver(target.arn, json.dumps(content))
        elif service == "lambda":
            self._world.functions.invoke_asynchronously(target.arn, content, on_failure=undelivered)
        elif service == "states":
            name = f"{self._world.kernel.random('executions').getrandbits(64):016x}"
            self._world.states.start(target.arn, name, json.dumps(content))
        else:
            raise NotImplementedError(f"EventBridge does not deliver to {target.arn} here.")
