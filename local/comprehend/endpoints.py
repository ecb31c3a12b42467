"""CreateEndpoint, UpdateEndpoint, DescribeEndpoint, DeleteEndpoint, ListEndpoints, for document classifiers."""

from __future__ import annotations

from typing import Any

from local.comprehend import idempotency
from local.comprehend.endpoint_changes import EndpointChanges
from local.comprehend.errors import ComprehendError, in_use, invalid_request, limit_exceeded, not_found, unavailable
from local.comprehend.flywheels import find_flywheel
from local.comprehend.identifiers import Scope
from local.comprehend.paging import in_time, newest_first_page, require_one_filter
from local.comprehend.runtime import Runtime
from local.comprehend.state import USABLE_MODEL, DocumentClassifier, Endpoint, EndpointStatus, RegionState
from local.comprehend.tags import checked_tags


class Endpoints:
    def __init__(self, runtime: Runtime, changes: EndpointChanges) -> None:
        self._runtime = runtime
        self._changes = changes

    def create(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        made = idempotency.already_made(region, operation="CreateEndpoint", within="", request=request)
        if made:
            return _created(region.endpoints[made])
        model_arn, flywheel_arn = request.get("ModelArn"), request.get("FlywheelArn")
        if (model_arn is None) == (flywheel_arn is None):
            raise invalid_request("Give either ModelArn or FlywheelArn.")
        model = _model_of(region, model_arn=model_arn, flywheel_arn=flywheel_arn)
        name, units, role, now = (
            request["EndpointName"],
            request["DesiredInferenceUnits"],
            request.get("DataAccessRoleArn"),
            self._runtime.now(),
        )
        self._require_role(model, role)
        tags = checked_tags(request.get("Tags", []), present={})
        arn = scope.endpoint_arn(name)
        if arn in region.endpoints:
            raise in_use(f"There is already an endpoint {name}.")
        self._check_quotas(region, units=units, besides=None)
        endpoint = Endpoint(
            arn=arn,
            name=name,
            flywheel_arn=flywheel_arn,
            model=model,
            desired_model=model,
            desired_units=units,
            role_arn=role,
            desired_role_arn=role,
            created=now,
            modified=now,
        )
        region.endpoints[arn] = endpoint
        region.tags[arn] = tags
        idempotency.remember(region, operation="CreateEndpoint", within="", request=request, resource=arn)
        self._changes.create(region, endpoint)
        return _created(endpoint)

    def update(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        endpoint = _find(region, request["EndpointArn"])
        model_arn, flywheel_arn = request.get("DesiredModelArn"), request.get("FlywheelArn")
        if len(request) == 1:
            raise invalid_request("Say what to change.")
        self._require_movable(region, model_arn=model_arn, flywheel_arn=flywheel_arn)
        if endpoint.status is not EndpointStatus.IN_SERVICE:
            raise in_use(f"The endpoint is {endpoint.status}; only one that is IN_SERVICE can be updated.")
        rebound = bool(model_arn or flywheel_arn)
        model = endpoint.model
        if rebound:
            model = _model_of(region, model_arn=None if flywheel_arn else model_arn, flywheel_arn=flywheel_arn)
        role = request.get("DesiredDataAccessRoleArn", endpoint.role_arn)
        self._require_role(model, role)
        units = request.get("DesiredInferenceUnits", endpoint.desired_units)
        self._check_quotas(region, units=units, besides=endpoint)
        if rebound:
            # A model pins the endpoint: from then on it follows no flywheel.
            endpoint.flywheel_arn = flywheel_arn
        endpoint.desired_model, endpoint.desired_role_arn, endpoint.desired_units = model, role, units
        self._changes.update(region, endpoint)
        return {"DesiredModelArn": model.arn} if rebound else {}

    def describe(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        endpoint = _find(self._runtime.region(scope), request["EndpointArn"])
        if not self._runtime.shows(endpoint.created):
            raise _no_endpoint(endpoint.arn)
        return {"EndpointProperties": _properties(endpoint)}

    def delete(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        endpoint = _find(region, request["EndpointArn"])
        changing = endpoint.status in (EndpointStatus.CREATING, EndpointStatus.UPDATING)
        refused = changing and self._runtime.settings.endpoint_deletion_during_change != "allow"
        if refused or endpoint.status is EndpointStatus.DELETING:
            raise in_use(f"The endpoint is {endpoint.status}; wait until it is IN_SERVICE, FAILED or gone.")
        self._changes.delete(region, endpoint)
        return {}

    def list(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        # The operation models no InvalidFilterException.
        require_one_filter(request, error="InvalidRequestException")
        filter_ = request.get("Filter", {})
        matching = [
            endpoint
            for endpoint in self._runtime.region(scope).endpoints.values()
            if self._runtime.shows(endpoint.created)
            and filter_.get("Status", endpoint.status) == endpoint.status
            and filter_.get("ModelArn", endpoint.model.arn) == endpoint.model.arn
            and in_time(endpoint.created, filter_, after="CreationTimeAfter", before="CreationTimeBefore")
        ]
        page, token = newest_first_page(
            matching, key=lambda endpoint: (endpoint.created, endpoint.arn), request=request
        )
        return {"EndpointPropertiesList": [_properties(endpoint) for endpoint in page], **token}

    def _require_movable(self, region: RegionState, *, model_arn: str | None, flywheel_arn: str | None) -> None:
        """Raise InvalidRequestException for what UpdateEndpoint cannot bind an endpoint to."""
        if flywheel_arn is None:
            return
        reading = self._runtime.settings.endpoint_moves_by
        if model_arn is None and reading == "flywheel_with_model":
            raise invalid_request("Give the flywheel's active model as DesiredModelArn, too.")
        if model_arn is not None and reading == "flywheel_alone":
            raise invalid_request("Give either DesiredModelArn or FlywheelArn.")
        if model_arn not in (None, find_flywheel(region, flywheel_arn).active_model_arn):
            raise invalid_request(f"{model_arn} is not the active model of {flywheel_arn}.")

    def _require_role(self, model: DocumentClassifier, role: str | None) -> None:
        if role is None and "ModelKmsKeyId" in model.security and self._runtime.settings.encrypted_model_needs_role:
            raise invalid_request(
                f"The model {model.arn} is encrypted with the key {model.security['ModelKmsKeyId']}: give the ARN of a "
                "data-access role that may use it."
            )

    def _check_quotas(self, region: RegionState, *, units: int, besides: Endpoint | None) -> None:
        """Raise ResourceLimitExceededException if a new endpoint, or ``besides``, may not have so many units."""
        settings = self._runtime.settings
        others = [
            endpoint
            for endpoint in region.endpoints.values()
            if endpoint is not besides and endpoint.status is not EndpointStatus.FAILED
        ]
        if besides is None and len(others) >= settings.maximum_endpoints:
            raise limit_exceeded(f"The account has {len(others)} endpoints, the most it can have.")
        if units > settings.maximum_units_of_endpoint:
            raise limit_exceeded(f"An endpoint can have at most {settings.maximum_units_of_endpoint} inference units.")
        taken = sum(endpoint.claimed_units for endpoint in others)
        if taken + units > settings.maximum_inference_units:
            raise limit_exceeded(
                f"The account's other endpoints have {taken} inference units; all together can have at most "
                f"{settings.maximum_inference_units}."
            )


def _find(region: RegionState, arn: str) -> Endpoint:
    endpoint = region.endpoints.get(arn)
    if endpoint is None:
        raise _no_endpoint(arn)
    return endpoint


def _no_endpoint(arn: str) -> ComprehendError:
    return not_found(f"There is no endpoint {arn}.")


def _model_of(region: RegionState, *, model_arn: str | None, flywheel_arn: str | None) -> DocumentClassifier:
    """The model given, or the active one of the flywheel given."""
    if flywheel_arn is not None:
        flywheel = find_flywheel(region, flywheel_arn)
        if not flywheel.usable:
            raise unavailable(f"The flywheel is {flywheel.status}; only an ACTIVE one can be used.")
        model_arn = flywheel.active_model_arn
        if model_arn is None:
            raise unavailable("The flywheel has no active model yet; make one active, or give the ARN of a model.")
    model = region.classifiers.get(model_arn or "")
    if model is None:
        raise not_found(f"There is no document classifier {model_arn}.")
    if model.status not in USABLE_MODEL:
        raise unavailable(f"The model {model_arn} is {model.status}; it must be TRAINED.")
    return model


def _created(endpoint: Endpoint) -> dict[str, Any]:
    return {"EndpointArn": endpoint.arn, "ModelArn": endpoint.model.arn}


def _properties(endpoint: Endpoint) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "EndpointArn": endpoint.arn,
        "Status": endpoint.status.value,
        "ModelArn": endpoint.model.arn,
        "DesiredModelArn": endpoint.desired_model.arn,
        "DesiredInferenceUnits": endpoint.desired_units,
        "CreationTime": endpoint.created,
        "LastModifiedTime": endpoint.modified,
    }
    given = {
        "CurrentInferenceUnits": endpoint.units,
        "DataAccessRoleArn": endpoint.role_arn,
        "DesiredDataAccessRoleArn": endpoint.desired_role_arn,
        "FlywheelArn": endpoint.flywheel_arn,
        "Message": endpoint.message,
    }
    properties.update({name: value for name, value in given.items() if value is not None})
    return properties
