"""CreateDataset, DescribeDataset, ListDatasets. There is no DeleteDataset, as there is none in the service."""

from __future__ import annotations

from typing import Any

from local.comprehend.errors import in_use, invalid_request, limit_exceeded
from local.comprehend.flywheels.dataset_ingestion import DatasetIngestion
from local.comprehend.flywheels.lake import dataset_uri
from local.comprehend.identifiers import Scope, dataset_arn, flywheel_arn_of_dataset
from local.comprehend.requests import idempotency
from local.comprehend.requests.lookup import find, newest_first_page
from local.comprehend.requests.tags import checked_tags
from local.comprehend.runtime import Runtime
from local.comprehend.state import Dataset, DatasetStatus, Flywheel, RegionState


class Datasets:
    def __init__(self, runtime: Runtime, ingestion: DatasetIngestion) -> None:
        self._runtime = runtime
        self._ingestion = ingestion

    def create(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        flywheel = find(region.flywheels, request["FlywheelArn"], what="flywheel")
        made = idempotency.already_made(region, operation="CreateDataset", request=request)
        if made:
            return {"DatasetArn": made}
        sources = flywheel.kind.sources(request["InputDataConfig"])
        tags = checked_tags(request.get("Tags", []), present={})
        if not flywheel.usable:
            raise invalid_request(f"The flywheel is {flywheel.status}; datasets can be added to an ACTIVE one only.")
        name, type_ = request["DatasetName"], request.get("DatasetType", "TRAIN")
        arn = dataset_arn(flywheel_arn=flywheel.arn, name=name)
        if arn in flywheel.datasets:
            raise in_use(f"The flywheel has already a dataset {name}.")
        self._check_quotas(region, flywheel, type_)
        now = self._runtime.now()
        dataset = Dataset(
            arn=arn,
            name=name,
            type=type_,
            s3_uri=dataset_uri(lake=flywheel.lake_uri, dataset_name=name, created=now),
            description=request.get("Description"),
            source=sources,
            created=now,
            folder=self._runtime.new_folder(),
        )
        flywheel.datasets[arn] = dataset
        region.tags[arn] = tags
        idempotency.remember(region, operation="CreateDataset", request=request, resource=arn)
        self._ingestion.start(scope, flywheel, dataset)
        return {"DatasetArn": arn}

    def describe(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        arn = request["DatasetArn"]
        flywheel = self._runtime.region(scope).flywheels.get(flywheel_arn_of_dataset(arn))
        dataset = find(flywheel.datasets if flywheel else {}, arn, what="dataset", shown_by=self._runtime)
        return {"DatasetProperties": _properties(dataset)}

    def list(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        flywheels = (
            [find(region.flywheels, request["FlywheelArn"], what="flywheel")]
            if "FlywheelArn" in request
            else list(region.flywheels.values())
        )
        page, token = newest_first_page(
            (dataset for flywheel in flywheels for dataset in flywheel.datasets.values()),
            request,
            shown_by=self._runtime,
            facts=lambda dataset: {"Status": dataset.status, "DatasetType": dataset.type},
        )
        return {"DatasetPropertiesList": [_properties(dataset) for dataset in page], **token}

    def _check_quotas(self, region: RegionState, flywheel: Flywheel, type_: str) -> None:
        settings = self._runtime.settings
        if len(flywheel.datasets_of(type_)) >= settings.maximum_datasets_of_a_type:
            raise limit_exceeded(
                f"The flywheel has {settings.maximum_datasets_of_a_type} {type_} datasets, the most it can have."
            )
        creating = sum(
            dataset.status is DatasetStatus.CREATING
            for other in region.flywheels.values()
            for dataset in other.datasets.values()
        )
        if creating >= settings.maximum_creating_datasets:
            raise limit_exceeded(f"{creating} datasets of the account are being created, the most at a time.")


def _properties(dataset: Dataset) -> dict[str, Any]:
    completed = dataset.status is DatasetStatus.COMPLETED
    return {
        "DatasetArn": dataset.arn,
        "DatasetName": dataset.name,
        "DatasetType": dataset.type,
        "DatasetS3Uri": dataset.s3_uri,
        "Status": dataset.status.value,
        "CreationTime": dataset.created,
        "Description": dataset.description,
        "Message": dataset.message,
        "EndTime": dataset.ended,
        "NumberOfDocuments": dataset.contents.documents if completed else None,
    }
