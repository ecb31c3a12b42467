"""Brings the endpoint to its target, one change at a time.

Each call reads the whole state again and makes at most one change, so that it can be killed at any point and repeated.
If the target changes while the endpoint is changing, the new target is followed after that change has ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.comprehend.endpoint import Endpoint, EndpointFailed, EndpointStatus
from flywheel.comprehend.flywheel import FOUND_WITHIN
from flywheel.records.serving import STATE_KEY, ServingState, ServingStatus, failed_smoke_test_of, smoke_test_of
from flywheel.serving.report_serving import write_state
from flywheel.serving.served_model import ServedModel, find_served_model
from flywheel.serving.smoke_test import Trial, trial_of

if TYPE_CHECKING:
    from flywheel.comprehend.endpoint import EndpointService
    from flywheel.comprehend.scaling import EndpointScaling
    from flywheel.pipeline import Pipeline
    from flywheel.serving.target import EndpointTarget


@dataclass(frozen=True, kw_only=True)
class Serving:
    """The state of the endpoint after a call."""

    status: ServingStatus
    reason: str
    settled: bool
    """The endpoint has reached its target. Otherwise the serve machine waits and calls again."""
    model_arn: str | None = None
    """The model that the endpoint serves, or will serve once it is settled."""
    trial: Trial = Trial.NOT_WANTED
    replaced: bool = False
    """A FAILED endpoint was deleted."""


@dataclass(frozen=True, kw_only=True)
class EndpointController:
    """Creates, changes and deletes the endpoint. The caller must hold the lease at LEASE_KEY."""

    endpoints: EndpointService
    scaling: EndpointScaling
    pipeline: Pipeline
    role_arn: str | None
    """The endpoint's data access role, for models that are encrypted with a customer managed key."""

    def bring(self, target: EndpointTarget | None, *, now: datetime, replaced: bool) -> Serving:
        """Make at most one change. `replaced`: this execution has deleted a FAILED endpoint before.

        Raises EndpointRefused, and EndpointFailed if the endpoint fails again.
        """
        endpoint = self.endpoints.describe()
        served = None
        if target is None or not target.inference_units:
            status, reason = ServingStatus.NOT_WANTED, "InferenceUnits is 0."
        elif not target.in_hours(now):
            status, reason = ServingStatus.OUT_OF_HOURS, f"The serving hours begin by {target.hours_start} (UTC)."
        else:
            served = find_served_model(pipeline=self.pipeline)
            status, reason = ServingStatus.NO_MODEL, "" if served else self._why_no_model()
        if target is None or served is None:
            return self._remove(endpoint, status=status, reason=reason, now=now)
        return self._serve(endpoint, target=target, served=served, replaced=replaced, now=now)

    def _why_no_model(self) -> str:
        active = self.pipeline.service.find_active_model()
        failed = failed_smoke_test_of(active, intake=self.pipeline.intake) if active else None
        if failed is not None:
            return f"The active model was not promoted, and no other can serve. {failed.sentence}"
        return "No model has been promoted yet."

    def _remove(self, endpoint: Endpoint | None, *, status: ServingStatus, reason: str, now: datetime) -> Serving:
        if endpoint is None and self._may_not_show_yet(now):
            # Without waiting for it, it would stay and cost money, and nothing deletes it once the stack is gone.
            reason = "It was asked for a moment ago and does not show yet; it is deleted as soon as it does."
            return Serving(status=ServingStatus.CREATING, reason=reason, settled=False)
        if endpoint is None:
            self.scaling.stop()
            self.pipeline.published.forget_endpoint()
            return Serving(status=status, reason=reason, settled=True)
        self._delete(endpoint)
        return Serving(status=ServingStatus.DELETING, reason=reason, settled=False)

    def _may_not_show_yet(self, now: datetime) -> bool:
        state = self.pipeline.intake.read(STATE_KEY, ServingState)
        return state is not None and state.status is ServingStatus.CREATING and now - state.since < FOUND_WITHIN

    def _serve(
        self, endpoint: Endpoint | None, *, target: EndpointTarget, served: ServedModel, replaced: bool, now: datetime
    ) -> Serving:
        if endpoint is None:
            return self._create(target=target, served=served, now=now)
        match endpoint.status:
            case EndpointStatus.FAILED:
                self._delete(endpoint)
                if replaced:
                    raise EndpointFailed(f"The endpoint failed again: {endpoint.message}")
                reason = f"It has failed and is replaced: {endpoint.message}"
                return Serving(status=ServingStatus.DELETING, reason=reason, settled=False, replaced=True)
            case EndpointStatus.DELETING:
                reason = "It is being deleted, and made anew after that."
                return Serving(status=ServingStatus.DELETING, reason=reason, settled=False)
            case EndpointStatus.CREATING:
                return _under_way(ServingStatus.CREATING, "It takes some minutes.", served)
            case EndpointStatus.UPDATING:
                return _under_way(ServingStatus.UPDATING, "It answers meanwhile.", served)
            case EndpointStatus.IN_SERVICE:
                return self._adjust(endpoint, target=target, served=served)

    def _create(self, *, target: EndpointTarget, served: ServedModel, now: datetime) -> Serving:
        # Written first, so that later runs know of the endpoint even if this one is killed.
        write_state(
            status=ServingStatus.CREATING,
            reason="The endpoint is being created.",
            model_arn=served.model_arn,
            endpoint_arn=self.endpoints.arn,
            intake=self.pipeline.intake,
            now=now,
        )
        self.endpoints.create(
            flywheel_arn=served.flywheel_arn,
            model_arn=served.model_arn,
            units=target.inference_units,
            role_arn=self.role_arn,
            tags=self.pipeline.service.tags(),
        )
        return _under_way(ServingStatus.CREATING, "It takes some minutes.", served)

    def _adjust(self, endpoint: Endpoint, *, target: EndpointTarget, served: ServedModel) -> Serving:
        self.pipeline.published.publish_endpoint(endpoint.arn)
        # One that is bound to a flywheel follows it by itself.
        bound_to_another = served.flywheel_arn is None and endpoint.model_arn != served.model_arn
        if endpoint.flywheel_arn != served.flywheel_arn or bound_to_another:
            self.endpoints.move(
                flywheel_arn=served.flywheel_arn,
                model_arn=served.model_arn,
                role_arn=self.role_arn,
                units=endpoint.desired_units,
            )
            return _under_way(ServingStatus.UPDATING, f"It moves to {served.flywheel_arn or served.model_arn}.", served)
        if endpoint.model_arn not in (None, served.model_arn):
            return _under_way(ServingStatus.UPDATING, f"It follows the flywheel to {served.model_arn}.", served)
        if not target.scales:
            self.scaling.stop()
        if (units := _units_to_change_to(endpoint, target)) is not None:
            self.endpoints.scale(units)
            return _under_way(
                ServingStatus.UPDATING, f"It changes from {endpoint.desired_units} to {units} units.", served
            )
        if target.scales:
            self.scaling.scale_between(target.inference_units, target.most_units)
        trial = trial_of(
            tested=smoke_test_of(served.model_arn, intake=self.pipeline.intake),
            key=target.smoke_test_key,
            since=served.since,
        )
        return Serving(
            status=ServingStatus.IN_SERVICE,
            reason=f"The endpoint answers with {served.model_arn}.",
            settled=True,
            model_arn=served.model_arn,
            trial=trial,
        )

    def _delete(self, endpoint: Endpoint) -> None:
        self.pipeline.published.forget_endpoint()
        self.scaling.stop()
        if endpoint.status is not EndpointStatus.DELETING:
            self.endpoints.delete()


def _units_to_change_to(endpoint: Endpoint, target: EndpointTarget) -> int | None:
    if endpoint.desired_units is None:
        return None
    units = min(max(endpoint.desired_units, target.inference_units), target.most_units)
    return None if units == endpoint.desired_units else units


def _under_way(status: ServingStatus, reason: str, served: ServedModel) -> Serving:
    return Serving(status=status, reason=reason, settled=False, model_arn=served.model_arn)
