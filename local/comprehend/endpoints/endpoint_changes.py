"""What becomes of endpoints in the background: made, brought to what is desired, taken down."""

from __future__ import annotations

from functools import partial

from local.comprehend.runtime import Runtime
from local.comprehend.state import Endpoint, EndpointStatus, Flywheel, Model, RegionState
from local.comprehend.workers.worker_processes import WorkerDiedError


class EndpointChanges:
    """All public methods expect the caller to hold the lock.

    Until a change is done the endpoint answers with what it had before it, and a model serves only once it is loaded:
    no answer is late or missing because of a change.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def create(self, region: RegionState, endpoint: Endpoint) -> None:
        """Bring a new endpoint into service."""
        self._start(region, endpoint, ready_at=endpoint.created + self._runtime.settings.endpoint_creation_seconds)

    def update(self, region: RegionState, endpoint: Endpoint) -> None:
        """Bring an endpoint that is IN_SERVICE to what is desired of it."""
        endpoint.status, endpoint.modified = EndpointStatus.UPDATING, self._runtime.now()
        self._start(region, endpoint, ready_at=endpoint.modified + self._runtime.settings.endpoint_update_seconds)

    def follow(self, region: RegionState, flywheel: Flywheel) -> None:
        """Bring the endpoints that are bound to the flywheel to its active model."""
        delay = self._runtime.settings.endpoint_follow_delay_seconds
        moment = self._runtime.now() + delay
        for endpoint in region.endpoints.values():
            if endpoint.flywheel_arn != flywheel.arn:
                continue
            if not delay:
                self._catch_up(region, endpoint)
            else:
                self._runtime.start(partial(self._catch_up_at, moment, region, endpoint), fail=partial(_fail, endpoint))

    def delete(self, region: RegionState, endpoint: Endpoint) -> None:
        """Take an endpoint down, whatever it does."""
        endpoint.status = EndpointStatus.DELETING
        gone_at = self._runtime.now() + self._runtime.settings.endpoint_deletion_seconds
        self._runtime.forget(region, endpoint.arn, at=gone_at)

    def _start(self, region: RegionState, endpoint: Endpoint, *, ready_at: float) -> None:
        self._runtime.start(
            partial(self._converge, region, endpoint, during=endpoint.status, ready_at=ready_at),
            fail=partial(_fail, endpoint),
        )

    def _converge(self, region: RegionState, endpoint: Endpoint, *, during: EndpointStatus, ready_at: float) -> None:
        problem = self._loading_problem(endpoint.desired_model)
        self._runtime.wait_until(ready_at)
        fault = self._runtime.faults.for_resource("endpoint") if during is EndpointStatus.CREATING else None
        with self._runtime.lock:
            if endpoint.status is not during:
                # Deleted in the meantime.
                return
            if fault or problem:
                _fail(endpoint, fault.message if fault else problem)
                return
            endpoint.model, endpoint.units = endpoint.desired_model, endpoint.desired_units
            endpoint.role_arn = endpoint.desired_role_arn
            endpoint.status = EndpointStatus.IN_SERVICE
            self._catch_up(region, endpoint)

    def _loading_problem(self, model: Model) -> str | None:
        try:
            self._runtime.predictors.run(model.kind.load_model, model.path)
        except WorkerDiedError as error:
            return f"An internal error occurred: {error}"
        return None

    def _catch_up_at(self, moment: float, region: RegionState, endpoint: Endpoint) -> None:
        self._runtime.wait_until(moment)
        with self._runtime.lock:
            self._catch_up(region, endpoint)

    def _catch_up(self, region: RegionState, endpoint: Endpoint) -> None:
        """Follow the active model. In the middle of another change that waits for its end, which comes here again."""
        flywheel = region.flywheels.get(endpoint.flywheel_arn or "")
        active = region.models.get(flywheel.active_model_arn or "") if flywheel else None
        if active and active is not endpoint.model and endpoint.status is EndpointStatus.IN_SERVICE:
            endpoint.desired_model = active
            self.update(region, endpoint)


def _fail(endpoint: Endpoint, message: str | None) -> None:
    endpoint.status, endpoint.message = EndpointStatus.FAILED, message
