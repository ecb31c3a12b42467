"""CreateFlywheel, UpdateFlywheel, DescribeFlywheel, DeleteFlywheel, ListFlywheels."""

from __future__ import annotations

from collections import Counter
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.comprehend.endpoints.endpoint_changes import EndpointChanges
from local.comprehend.errors import in_use, invalid_request, limit_exceeded, service_error, unavailable
from local.comprehend.flywheels.dataset_ingestion import DatasetIngestion
from local.comprehend.flywheels.lake import Lake, dataset_uri, lake_uri
from local.comprehend.identifiers import Scope, dataset_arn
from local.comprehend.kinds import kind_of_type
from local.comprehend.model_kind import ModelKind, Task
from local.comprehend.models.usable import usable_model
from local.comprehend.requests import idempotency
from local.comprehend.requests.languages import require_language
from local.comprehend.requests.lookup import find, newest_first_page, require_one_filter
from local.comprehend.requests.permitted import require_keys
from local.comprehend.requests.tags import checked_tags
from local.comprehend.runtime import Runtime
from local.comprehend.state import (
    USABLE_MODEL,
    Dataset,
    DatasetStatus,
    Flywheel,
    FlywheelStatus,
    Model,
    RegionState,
)
from local.comprehend.training_data import DataSource


class Flywheels:
    def __init__(self, runtime: Runtime, ingestion: DatasetIngestion, endpoints: EndpointChanges) -> None:
        self._runtime = runtime
        self._ingestion = ingestion
        self._endpoints = endpoints

    def create(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        made = idempotency.already_made(region, operation="CreateFlywheel", request=request)
        if made:
            return _created(region.flywheels[made])
        name, now = request["FlywheelName"], self._runtime.now()
        arn = scope.flywheel_arn(name)
        model = self._model_to_start_with(region, request)
        kind, task = (model.kind, model.task) if model else _kind_and_task(request)
        security = request.get("DataSecurityConfig", {})
        require_keys(security, scope)
        tags = checked_tags(request.get("Tags", []), present={})
        if arn in region.flywheels:
            raise in_use(f"There is already a flywheel {name}.")
        self._check_quotas(region)
        flywheel = Flywheel(
            arn=arn,
            name=name,
            role_arn=request["DataAccessRoleArn"],
            lake_uri=lake_uri(requested=request["DataLakeS3Uri"], flywheel_name=name, created=now),
            kind=kind,
            task=task,
            security=security,
            created=now,
            modified=now,
            active_model_arn=model.arn if model else None,
        )
        region.flywheels[arn] = flywheel
        region.tags[arn] = tags
        idempotency.remember(region, operation="CreateFlywheel", request=request, resource=arn)
        self._runtime.start(
            lambda: self._make(scope, flywheel, model), fail=lambda message: self._fail(flywheel, message)
        )
        return _created(flywheel)

    def describe(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        known = self._runtime.region(scope).flywheels
        flywheel = find(known, request["FlywheelArn"], what="flywheel", shown_by=self._runtime)
        return {"FlywheelProperties": self._properties(flywheel)}

    def list(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        require_one_filter(request)
        page, token = newest_first_page(
            self._runtime.region(scope).flywheels.values(),
            request,
            shown_by=self._runtime,
            facts=lambda flywheel: {"Status": flywheel.status},
        )
        return {"FlywheelSummaryList": [self._summary(flywheel) for flywheel in page], **token}

    def update(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        flywheel = find(region.flywheels, request["FlywheelArn"], what="flywheel")
        if not flywheel.usable:
            raise invalid_request(f"The flywheel is {flywheel.status}; only an ACTIVE one can be updated.")
        refusal = self._runtime.settings.update_during_iteration
        if flywheel.iterating and refusal != "allow":
            raise service_error(refusal, "An iteration of the flywheel is running.")
        model_arn = request.get("ActiveModelArn")
        if model_arn:
            _check_match(flywheel, region, model_arn)
        security = request.get("DataSecurityConfig")
        if security is not None:
            require_keys(security, scope)
            # Within a given block what is left out becomes null; the lake's key can never change.
            kept = {name: key for name, key in flywheel.security.items() if name == "DataLakeKmsKeyId"}
            flywheel.security = {**kept, **security}
        flywheel.active_model_arn = model_arn or flywheel.active_model_arn
        flywheel.role_arn = request.get("DataAccessRoleArn", flywheel.role_arn)
        flywheel.modified = self._runtime.now()
        self._endpoints.follow(region, flywheel)
        return {"FlywheelProperties": self._properties(flywheel)}

    def delete(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        flywheel = find(region.flywheels, request["FlywheelArn"], what="flywheel")
        if flywheel.deleting or flywheel.status is FlywheelStatus.CREATING:
            raise unavailable(f"The flywheel is {flywheel.status}; wait until it is ACTIVE or gone.")
        if flywheel.iterating:
            raise in_use("An iteration of the flywheel is running; wait until it has ended.")
        if flywheel.ingesting:
            raise in_use("A dataset of the flywheel is being created; wait until it has ended.")
        settings = self._runtime.settings
        bound = [endpoint.arn for endpoint in region.endpoints.values() if endpoint.flywheel_arn == flywheel.arn]
        if bound and settings.flywheel_deletion_with_endpoints != "allow":
            raise service_error(
                settings.flywheel_deletion_with_endpoints,
                f"Endpoints are bound to the flywheel: {', '.join(bound)}. Delete them or give them a model.",
            )
        flywheel.deleting = True
        if not settings.flywheel_deletion_delay_seconds:
            flywheel.status = FlywheelStatus.DELETING
        deleting_at = self._runtime.now() + settings.flywheel_deletion_delay_seconds
        gone_at = deleting_at + settings.flywheel_deletion_seconds
        self._runtime.start(
            lambda: self._unmake(region, flywheel, deleting_at=deleting_at, gone_at=gone_at),
            fail=lambda _: region.forget(flywheel.arn),
        )
        return {}

    def _make(self, scope: Scope, flywheel: Flywheel, model: Model | None) -> None:
        problem = self._prepared_lake(scope, flywheel)
        if model and not problem:
            problem = self._copied_datasets(scope, flywheel, model)
        self._runtime.wait_until(flywheel.created + self._runtime.settings.flywheel_creation_seconds)
        fault = self._runtime.faults.for_resource("flywheel")
        with self._runtime.lock:
            if fault or problem:
                self._fail(flywheel, fault.message if fault else problem)
            else:
                flywheel.status = FlywheelStatus.ACTIVE
                flywheel.modified = self._runtime.now()

    def _prepared_lake(self, scope: Scope, flywheel: Flywheel) -> str | None:
        try:
            client = self._runtime.s3(scope, role_arn=flywheel.role_arn, source_arn=flywheel.arn)
            Lake(client=client, kms_key_id=flywheel.security.get("DataLakeKmsKeyId")).prepare(flywheel.lake_uri)
        except (ClientError, BotoCoreError) as error:
            return (
                f"NO_WRITE_ACCESS_TO_OUTPUT: The role {flywheel.role_arn} cannot use the data lake "
                f"{flywheel.lake_uri}: {error}"
            )
        return None

    def _copied_datasets(self, scope: Scope, flywheel: Flywheel, model: Model) -> str | None:
        """Copy the data a given model was made from; they are not new to the first iteration."""
        for type_, source in (("TRAIN", model.train), ("TEST", model.test)):
            if not source:
                continue
            dataset = self._dataset_of_creation(flywheel, type_, source)
            with self._runtime.lock:
                flywheel.datasets[dataset.arn] = dataset
                flywheel.used.add(dataset.arn)
            self._ingestion.take_in(scope, flywheel, dataset)
            if dataset.status is DatasetStatus.FAILED:
                return f"The data of {model.arn} could not be copied: {dataset.message}"
        return None

    def _dataset_of_creation(self, flywheel: Flywheel, type_: str, source: tuple[DataSource, ...]) -> Dataset:
        now = self._runtime.now()
        name = f"Comprehend-Generated-{type_.lower()}"
        return Dataset(
            arn=dataset_arn(flywheel_arn=flywheel.arn, name=name),
            name=name,
            type=type_,
            s3_uri=dataset_uri(lake=flywheel.lake_uri, dataset_name=name, created=now),
            description=f"{type_} Dataset created by Flywheel creation.",
            source=source,
            created=now,
            folder=self._runtime.new_folder(),
            of_model=True,
        )

    def _fail(self, flywheel: Flywheel, message: str | None) -> None:
        flywheel.status = FlywheelStatus.FAILED
        flywheel.message = message
        flywheel.modified = self._runtime.now()

    def _unmake(self, region: RegionState, flywheel: Flywheel, *, deleting_at: float, gone_at: float) -> None:
        self._runtime.wait_until(deleting_at)
        with self._runtime.lock:
            flywheel.status = FlywheelStatus.DELETING
        self._runtime.wait_until(gone_at)
        with self._runtime.lock:
            region.forget(flywheel.arn)
        for dataset in flywheel.datasets.values():
            self._ingestion.discard_files(dataset)

    def _model_to_start_with(self, region: RegionState, request: dict[str, Any]) -> Model | None:
        arn = request.get("ActiveModelArn")
        if arn is None:
            return None
        if "TaskConfig" in request or "ModelType" in request:
            raise invalid_request("Give either ActiveModelArn, or TaskConfig and ModelType; not both.")
        model = usable_model(region, arn)
        if model.source_model_arn:
            raise invalid_request(f"The model is imported from {model.source_model_arn}, without its training data.")
        return model

    def _check_quotas(self, region: RegionState) -> None:
        settings = self._runtime.settings
        counts = Counter(flywheel.status for flywheel in region.flywheels.values())
        creating = counts[FlywheelStatus.CREATING]
        if creating + counts[FlywheelStatus.ACTIVE] >= settings.maximum_flywheels:
            raise limit_exceeded(f"The account has {settings.maximum_flywheels} flywheels, the most it can have.")
        if creating >= settings.maximum_creating_flywheels:
            raise limit_exceeded(f"{creating} flywheels are being created, the most at a time.")

    def _properties(self, flywheel: Flywheel) -> dict[str, Any]:
        return {
            **self._summary(flywheel),
            "DataAccessRoleArn": flywheel.role_arn,
            # "Labels may be absent until the status is ACTIVE" (developer guide).
            "TaskConfig": flywheel.task.described(with_labels=flywheel.status is not FlywheelStatus.CREATING),
            "DataSecurityConfig": dict(flywheel.security),
        }

    def _summary(self, flywheel: Flywheel) -> dict[str, Any]:
        slash = self._runtime.settings.lake_uri_ends_with_slash
        return {
            "FlywheelArn": flywheel.arn,
            "ActiveModelArn": flywheel.active_model_arn,
            "DataLakeS3Uri": flywheel.lake_uri if slash else flywheel.lake_uri.rstrip("/"),
            "Status": flywheel.status.value,
            "ModelType": flywheel.kind.model_type,
            "CreationTime": flywheel.created,
            "LastModifiedTime": flywheel.modified,
            "Message": flywheel.message,
            "LatestFlywheelIteration": flywheel.latest_iteration,
        }


def _created(flywheel: Flywheel) -> dict[str, Any]:
    return {"FlywheelArn": flywheel.arn, "ActiveModelArn": flywheel.active_model_arn}


def _kind_and_task(request: dict[str, Any]) -> tuple[ModelKind, Task]:
    config = request.get("TaskConfig")
    if config is None or "ModelType" not in request:
        raise invalid_request("Give either ActiveModelArn, or both TaskConfig and ModelType.")
    require_language(config["LanguageCode"])
    kind = kind_of_type(request["ModelType"])
    return kind, kind.task(config)


def _check_match(flywheel: Flywheel, region: RegionState, arn: str) -> None:
    kind = flywheel.kind
    if f":{kind.arn_resource}/" not in arn:
        raise invalid_request(f"The model is not of the flywheel's type {kind.model_type}.")
    model = find(region.models, arn, what=kind.words)
    if model.status not in USABLE_MODEL:
        raise invalid_request(f"The model {arn} is {model.status}; it must be TRAINED.")
    flywheel.task.require_match(model.task)
