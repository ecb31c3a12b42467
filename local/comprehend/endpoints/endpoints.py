"""CreateEndpoint, UpdateEndpoint, DescribeEndpoint, DeleteEndpoint, ListEndpoints."""

from __future__ import annotations

from typing import Any

from local.comprehend.endpoints.endpoint_changes import EndpointChanges
from local.comprehend.errors import in_use, invalid_request, limit_exceeded
from local.comprehend.identifiers import Scope
from local.comprehend.models.usable import model_of_flywheel, model_to_use, usable_model
from local.comprehend.requests import idempotency
from local.comprehend.requests.lookup import find, newest_first_page, require_one_filter
from local.comprehend.requests.tags import checked_tags
from local.comprehend.runtime import Runtime
from local.comprehend.state import Endpoint, EndpointStatus, Model, RegionState


class Endpoints:
    def __init__(self, runtime: Runtime, changes: EndpointChanges) -> None:
        self._runtime = runtime
        self._changes = changes

    def create(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        made = idempotency.already_made(region, operation="CreateEndpoint", request=request)
        if made:
            return _created(region.endpoints[made])
        model = model_to_use(region, request, member="ModelArn")
        name, units, role = request["EndpointName"], request["DesiredInferenceUnits"], request.get("DataAccessRoleArn")
        now = self._runtime.now()
        self._require_role(model, role)
        tags = checked_tags(request.get("Tags", []), present={})
        arn = scope.arn(resource=model.kind.endpoint_resource, name=name)
        if arn in region.endpoints:
            raise in_use(f"There is already an endpoint {name}.")
        self._check_quotas(region, units=units, besides=None)
        endpoint = Endpoint(
            arn=arn,
            name=name,
            flywheel_arn=request.get("FlywheelArn"),
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
        idempotency.remember(region, operation="CreateEndpoint", request=request, resource=arn)
        self._changes.create(region, endpoint)
        return _created(endpoint)

    def update(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        endpoint = find(region.endpoints, request["EndpointArn"], what="endpoint")
        model_arn, flywheel_arn = request.get("DesiredModelArn"), request.get("FlywheelArn")
        if len(request) == 1:
            raise invalid_request("Say what to change.")
        self._require_movable(region, model_arn=model_arn, flywheel_arn=flywheel_arn)
        if endpoint.status is not EndpointStatus.IN_SERVICE:
            raise in_use(f"The endpoint is {endpoint.status}; only one that is IN_SERVICE can be updated.")
        rebound = bool(model_arn or flywheel_arn)
        model = endpoint.model
        if flywheel_arn:
            model = model_of_flywheel(region, flywheel_arn)
        elif model_arn:
            model = usable_model(region, model_arn)
        if model.kind is not endpoint.kind:
            raise invalid_request(
                f"The endpoint serves models of the type {endpoint.kind.model_type}, not {model.kind.model_type}."
            )
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
        known = self._runtime.region(scope).endpoints
        endpoint = find(known, request["EndpointArn"], what="endpoint", shown_by=self._runtime)
        return {"EndpointProperties": _properties(endpoint)}

    def delete(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        endpoint = find(region.endpoints, request["EndpointArn"], what="endpoint")
        changing = endpoint.status in (EndpointStatus.CREATING, EndpointStatus.UPDATING)
        refused = changing and self._runtime.settings.endpoint_deletion_during_change != "allow"
        if refused or endpoint.status is EndpointStatus.DELETING:
            raise in_use(f"The endpoint is {endpoint.status}; wait until it is IN_SERVICE, FAILED or gone.")
        self._changes.delete(region, endpoint)
        return {}

    def list(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        # The operation models no InvalidFilterException.
        require_one_filter(request, error="InvalidRequestException")
        page, token = newest_first_page(
            self._runtime.region(scope).endpoints.values(),
            request,
            shown_by=self._runtime,
            facts=lambda endpoint: {"Status": endpoint.status, "ModelArn": endpoint.model.arn},
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
        if model_arn not in (None, find(region.flywheels, flywheel_arn, what="flywheel").active_model_arn):
            raise invalid_request(f"{model_arn} is not the active model of {flywheel_arn}.")

    def _require_role(self, model: Model, role: str | None) -> None:
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


def _created(endpoint: Endpoint) -> dict[str, Any]:
    return {"EndpointArn": endpoint.arn, "ModelArn": endpoint.model.arn}


def _properties(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "EndpointArn": endpoint.arn,
        "Status": endpoint.status.value,
        "ModelArn": endpoint.model.arn,
        "DesiredModelArn": endpoint.desired_model.arn,
        "DesiredInferenceUnits": endpoint.desired_units,
        "CurrentInferenceUnits": endpoint.units,
        "DataAccessRoleArn": endpoint.role_arn,
        "DesiredDataAccessRoleArn": endpoint.desired_role_arn,
        "FlywheelArn": endpoint.flywheel_arn,
        "CreationTime": endpoint.created,
        "LastModifiedTime": endpoint.modified,
        "Message": endpoint.message,
    }
