"""StartFlywheelIteration, DescribeFlywheelIteration, ListFlywheelIterationHistory."""

from __future__ import annotations

from typing import Any

from local.comprehend.errors import invalid_request, service_error
from local.comprehend.flywheels.iteration_run import IterationRun
from local.comprehend.flywheels.lake import evaluation_uri
from local.comprehend.identifiers import Scope, compact_timestamp
from local.comprehend.requests import idempotency
from local.comprehend.requests.lookup import find, newest_first_page
from local.comprehend.runtime import Runtime
from local.comprehend.state import Flywheel, Iteration, IterationStatus, RegionState


class Iterations:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def start(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        flywheel = find(region.flywheels, request["FlywheelArn"], what="flywheel")
        made = idempotency.already_made(region, operation="StartFlywheelIteration", request=request)
        if made:
            return {"FlywheelArn": flywheel.arn, "FlywheelIterationId": made}
        self._check_startable(region, flywheel)
        now = self._runtime.now()
        id_ = _free_id(flywheel, now)
        iteration = Iteration(
            id=id_,
            flywheel_arn=flywheel.arn,
            created=now,
            status=IterationStatus.EVALUATING,
            manifest_prefix=evaluation_uri(lake=flywheel.lake_uri, iteration_id=id_),
        )
        run = IterationRun(runtime=self._runtime, scope=scope, flywheel=flywheel, iteration=iteration)
        if not run.has_subject and self._runtime.settings.start_without_data != "fail_iteration":
            raise invalid_request("The flywheel has neither an active model nor training data.")
        flywheel.iterations[id_] = iteration
        flywheel.latest_iteration = id_
        idempotency.remember(region, operation="StartFlywheelIteration", request=request, resource=id_)
        run.start()
        return {"FlywheelArn": flywheel.arn, "FlywheelIterationId": id_}

    def describe(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        flywheel = find(self._runtime.region(scope).flywheels, request["FlywheelArn"], what="flywheel")
        id_ = request["FlywheelIterationId"]
        iteration = find(flywheel.iterations, id_, what="iteration", shown_by=self._runtime)
        return {"FlywheelIterationProperties": self._properties(iteration)}

    def history(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        flywheel = find(self._runtime.region(scope).flywheels, request["FlywheelArn"], what="flywheel")
        page, token = newest_first_page(flywheel.iterations.values(), request, shown_by=self._runtime)
        return {"FlywheelIterationPropertiesList": [self._properties(iteration) for iteration in page], **token}

    def _check_startable(self, region: RegionState, flywheel: Flywheel) -> None:
        settings = self._runtime.settings
        if not flywheel.usable:
            raise invalid_request(f"The flywheel is {flywheel.status}; only an ACTIVE one can iterate.")
        if flywheel.iterating:
            raise service_error(settings.second_iteration_error, "An iteration of the flywheel is running.")
        if flywheel.ingesting and settings.iteration_during_ingestion != "allow":
            raise service_error(
                settings.iteration_during_ingestion, "A dataset of the flywheel is being created; wait for it."
            )
        running = sum(other.iterating for other in region.flywheels.values())
        if running >= settings.maximum_concurrent_iterations:
            raise service_error(
                settings.concurrent_iterations_error, f"{running} iterations of the account run, the most at a time."
            )

    def _properties(self, iteration: Iteration) -> dict[str, Any]:
        evaluated, trained, settings = iteration.evaluated, iteration.trained, self._runtime.settings
        return {
            "FlywheelArn": iteration.flywheel_arn,
            "FlywheelIterationId": iteration.id,
            "CreationTime": iteration.created,
            "EndTime": iteration.ended,
            "Status": iteration.status.value,
            "Message": iteration.message,
            "EvaluatedModelArn": iteration.evaluated_model_arn if evaluated else None,
            "EvaluatedModelMetrics": evaluated and evaluated.iteration_metrics(settings),
            "TrainedModelArn": iteration.trained_model_arn,
            "TrainedModelMetrics": trained and trained.iteration_metrics(settings),
            "EvaluationManifestS3Prefix": iteration.manifest_prefix,
        }


def _free_id(flywheel: Flywheel, now: float) -> str:
    moment = now
    while (id_ := compact_timestamp(moment)) in flywheel.iterations:
        moment += 1
    return id_
