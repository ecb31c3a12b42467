"""Runs the steps of the serve machine in this process; see turn_driver."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flywheel.comprehend.endpoint import EndpointService
from flywheel.comprehend.live_endpoint import LiveEndpoint
from flywheel.comprehend.scaling import EndpointScaling
from flywheel.confidence import NO_THRESHOLDS
from flywheel.promotions.take_back import take_back
from flywheel.records.serving import LEASE_KEY, ServingStatus, smoke_test_key, smoke_test_of
from flywheel.records.thresholds import thresholds_of
from flywheel.serving.bring_endpoint import EndpointController, Serving
from flywheel.serving.smoke_test import Trial, ask_endpoint, find_documents, result_of
from flywheel.store.lease import held
from tests.pipeline.in_process_cloud import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Callable

    from flywheel.serving.target import EndpointTarget
    from tests.pipeline.deployment import PromotingDeployment

LEASE = timedelta(minutes=2)
_MOST_CHANGES = 20
_WAIT_SECONDS = 300.0
_POLL = timedelta(seconds=30)


@dataclass(kw_only=True)
class ServingRun:
    """One execution, and any that follow it: each begins by looking at everything."""

    at: PromotingDeployment
    role_arn: str | None = None
    waits: list[str] = field(default_factory=list)
    """The reasons for which it had to come back."""
    smoke_test_failed: bool = False

    @property
    def endpoint_arn(self) -> str:
        return f"arn:aws:comprehend:{REGION}:{ACCOUNT}:{self.at.kind.arn_resource}-endpoint/{self.at.name}"

    def server(self) -> EndpointController:
        clients = self.at.functions.clients
        return EndpointController(
            endpoints=EndpointService(comprehend=clients["comprehend"], arn=self.endpoint_arn),
            scaling=EndpointScaling(
                scaling=clients["application-autoscaling"], kind=self.at.kind, endpoint_arn=self.endpoint_arn
            ),
            pipeline=self.at.pipeline,
            role_arn=self.role_arn,
        )

    def step(self, target: EndpointTarget | None, *, replaced: bool = False, holder: str = "a run") -> Serving:
        at = self.at
        with (
            at.acting_as("bring_endpoint"),
            held(LEASE_KEY, holder=holder, intake=at.intake, now=at.now(), lasts=LEASE),
        ):
            return self.server().bring(target, now=at.now(), replaced=replaced)

    def run(self, target: EndpointTarget | None) -> Serving:
        """To its end. What kills this process goes through. Leaves in `smoke_test_failed` what the machine puts out."""
        replaced = False
        for _ in range(_MOST_CHANGES):
            serving = self.step(target, replaced=replaced)
            replaced = replaced or serving.replaced
            if serving.settled:
                break
            self.waits.append(serving.reason)
            self._wait(serving)
        else:
            raise AssertionError(f"{_MOST_CHANGES} changes and still not settled: {serving.reason}")
        if serving.trial is Trial.DUE and target is not None and serving.model_arn is not None:
            self._try(target, serving.model_arn)
        tested = smoke_test_of(serving.model_arn, intake=self.at.intake) if serving.model_arn else None
        self.smoke_test_failed = False
        if tested is not None and serving.trial is not Trial.NOT_WANTED:
            self.smoke_test_failed = not tested.passed
            with self.at.acting_as("report_serving"):
                take_back(tested, pipeline=self.at.pipeline)
        return serving

    def _try(self, target: EndpointTarget, model_arn: str) -> None:
        at = self.at
        with at.acting_as("smoke_test", smoke_test_key=target.smoke_test_key):
            documents = find_documents(
                target.smoke_test_key,
                intake=at.intake,
                kind=at.kind,
                task=at.service.task_of(model_arn),
                delimiter="|",
            )
            endpoint = LiveEndpoint(
                comprehend=at.functions.clients["comprehend"], kind=at.kind, arn=self.endpoint_arn, clock=at.now
            )
            thresholds = thresholds_of(model_arn, intake=at.intake) if at.kind.has_thresholds else NO_THRESHOLDS
            tested = result_of(
                ask_endpoint(documents, endpoint=endpoint, thresholds=thresholds),
                model_arn=model_arn,
                endpoint_arn=self.endpoint_arn,
                key=target.smoke_test_key,
                minimum=target.smoke_test_minimum,
                now=at.now(),
            )
            at.intake.write(smoke_test_key(model_arn), tested)

    def endpoint(self) -> dict[str, Any] | None:
        """As anybody sees it."""
        comprehend = self.at.comprehend
        try:
            found: dict[str, Any] = comprehend.describe_endpoint(EndpointArn=self.endpoint_arn)["EndpointProperties"]
        except comprehend.exceptions.ResourceNotFoundException:
            return None
        return found

    def limits(self) -> list[tuple[int, int]]:
        targets = self.at.cloud.clients["application-autoscaling"].describe_scalable_targets(
            ServiceNamespace="comprehend", ResourceIds=[self.endpoint_arn]
        )["ScalableTargets"]
        return [(target["MinCapacity"], target["MaxCapacity"]) for target in targets]

    def _wait(self, serving: Serving) -> None:
        """What Step Functions does: until the endpoint is not changing any more, and answers with its model."""
        if serving.status is ServingStatus.CREATING and self.endpoint() is None:
            # It was made a moment ago and does not show; the machine waits before it looks.
            self.at.cloud.clock.advance(_POLL)
        self.wait_until(lambda endpoint: _is_settled(endpoint, serving))

    def wait_until(self, reached: Callable[[dict[str, Any]], bool]) -> None:
        """Until the endpoint has `reached` its state, or is gone."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while (found := self.endpoint()) and not reached(found):
            assert time.monotonic() < deadline, found
            time.sleep(0.005)


def _is_settled(endpoint: dict[str, Any], serving: Serving) -> bool:
    if endpoint["Status"] == "IN_SERVICE" and serving.status is not ServingStatus.DELETING:
        return serving.model_arn in (None, endpoint["ModelArn"])
    return endpoint["Status"] in {"IN_SERVICE", "FAILED"}
