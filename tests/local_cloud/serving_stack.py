"""The Serving stack beside a deployed flywheel, and clients of its endpoint."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from flywheel.records.serving import STATE_KEY, ServingState, ServingStatus
from tests.local_cloud.pipeline import LONG, NAME, Pipeline, as_csv
from tests.local_cloud.resources import change_parameters, delete_stack, until

SERVING_STACK = f"{NAME}-serving"
SMOKE_TEST_KEY = "serving/smoke.csv"
Answer = tuple[str, float]


@dataclass(kw_only=True)
class Serving:
    pipeline: Pipeline
    assembly: Path
    is_deployed: bool = False

    def deploy(self, **parameters: str) -> None:
        """Parameters that are not given keep their values."""
        given = {"PollSeconds": "30", **parameters}
        if self.is_deployed:
            change_parameters(self.pipeline.account, SERVING_STACK, given)
            return
        qualified = {f"{SERVING_STACK}:{key}": value for key, value in given.items()}
        self.pipeline.account.deploy(self.assembly, stacks=[SERVING_STACK], parameters=qualified)
        self.is_deployed = True

    def destroy(self) -> None:
        delete_stack(self.pipeline.account, SERVING_STACK)
        self.is_deployed = False

    def run(self) -> dict[str, Any]:
        """What the schedule does: one run of the serve machine, to its end."""
        stepfunctions = self.pipeline.account.client("stepfunctions")
        started = stepfunctions.start_execution(stateMachineArn=self.machine_arn)["executionArn"]

        def ended() -> dict[str, Any] | None:
            found: dict[str, Any] = stepfunctions.describe_execution(executionArn=started)
            return None if found["status"] == "RUNNING" else found

        return until(ended, patience=LONG)

    def at_rest(self) -> None:
        """Wait until no run is under way."""
        stepfunctions = self.pipeline.account.client("stepfunctions")

        def done() -> bool:
            listed = stepfunctions.list_executions(stateMachineArn=self.machine_arn, statusFilter="RUNNING")
            return not listed["executions"]

        until(done, patience=LONG)

    def failed_runs(self) -> int:
        stepfunctions = self.pipeline.account.client("stepfunctions")
        listed = stepfunctions.list_executions(stateMachineArn=self.machine_arn, statusFilter="FAILED")
        return len(listed["executions"])

    @property
    def machine_arn(self) -> str:
        account = self.pipeline.account
        return f"arn:aws:states:{account.region}:{account.account}:stateMachine:{SERVING_STACK}-serve"

    @property
    def endpoint_arn(self) -> str:
        account = self.pipeline.account
        resource = self.pipeline.deployment.kind.arn_resource
        return f"arn:aws:comprehend:{account.region}:{account.account}:{resource}-endpoint/{NAME}"

    def endpoint(self) -> dict[str, Any] | None:
        comprehend = self.pipeline.account.client("comprehend")
        try:
            found: dict[str, Any] = comprehend.describe_endpoint(EndpointArn=self.endpoint_arn)["EndpointProperties"]
        except comprehend.exceptions.ResourceNotFoundException:
            return None
        return found

    def becomes(self, status: str | None, **properties: Any) -> dict[str, Any]:
        """The endpoint once it has this status (None: is gone) and these properties."""

        def find() -> dict[str, Any] | None:
            found = self.endpoint()
            if status is None:
                return {"gone": True} if found is None else None
            wanted = {"Status": status, **properties}
            return found if found and {key: found.get(key) for key in wanted} == wanted else None

        return until(find, patience=LONG)

    def state(self) -> ServingState:
        return self.pipeline.deployment.intake.require(STATE_KEY, ServingState)

    def state_becomes(self, status: ServingStatus) -> ServingState:
        def find() -> ServingState | None:
            found = self.pipeline.deployment.intake.read(STATE_KEY, ServingState)
            return found if found is not None and found.status is status else None

        return until(find, patience=LONG)

    def parameters(self) -> dict[str, str]:
        """What Parameter Store holds about serving."""
        ssm = self.pipeline.account.client("ssm")
        prefix = f"/comprehend-flywheel/{NAME}/"
        names = [f"{prefix}{name}" for name in ("serving", "endpoint-arn")]
        found = ssm.get_parameters(Names=names)["Parameters"]
        return {parameter["Name"].removeprefix(prefix): parameter["Value"] for parameter in found}

    def limits(self) -> list[tuple[int, int]]:
        """The least and most units of each scalable target."""
        scaling = self.pipeline.account.client("application-autoscaling")
        targets = scaling.describe_scalable_targets(ServiceNamespace="comprehend")["ScalableTargets"]
        return [(target["MinCapacity"], target["MaxCapacity"]) for target in targets]

    def smoke_test(self, rows: list[tuple[str, str]]) -> None:
        """Put the labelled file there that SMOKE_TEST_KEY names."""
        self.pipeline.drop(SMOKE_TEST_KEY, as_csv(rows))

    def classify(self, text: str) -> Answer:
        """The best class of a text, with its score."""
        return _ask(self.pipeline.account.client("comprehend"), self.endpoint_arn, text)

    @contextmanager
    def under_load(self, text: str, *, pause: float = 0.1) -> Iterator[Load]:
        """A client that asks the endpoint about a text ten times a second while the block runs, and tries nothing
        again."""
        comprehend = self.pipeline.account.endpoint.session().client(
            "comprehend", config=Config(retries={"total_max_attempts": 1})
        )
        load = Load()
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                began = time.monotonic()
                try:
                    load.answers.append(_ask(comprehend, self.endpoint_arn, text))
                except ClientError as error:
                    load.errors.append(str(error))
                stop.wait(max(0.0, pause - (time.monotonic() - began)))

        client = threading.Thread(target=ask)
        client.start()
        try:
            yield load
        finally:
            stop.set()
            client.join()


@dataclass(kw_only=True)
class Load:
    answers: list[Answer] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def _ask(comprehend: Any, endpoint_arn: str, text: str) -> Answer:
    found = comprehend.classify_document(EndpointArn=endpoint_arn, Text=text)["Classes"]
    best = max(found, key=lambda item: item["Score"])
    return best["Name"], best["Score"]
