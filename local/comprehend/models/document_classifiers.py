"""DescribeDocumentClassifier, ListDocumentClassifiers, ListDocumentClassifierSummaries, DeleteDocumentClassifier."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from local.comprehend.errors import in_use, invalid_request, unavailable
from local.comprehend.identifiers import Scope
from local.comprehend.requests.lookup import find, newest_first_page, require_one_filter
from local.comprehend.runtime import Runtime
from local.comprehend.state import USABLE_MODEL, DocumentClassifier, ModelStatus, RegionState

# AWS documents deletion for models that have come to an end, well or badly.
DELETABLE = frozenset({ModelStatus.TRAINED, ModelStatus.TRAINED_WITH_WARNING, ModelStatus.IN_ERROR})


def usable_model(region: RegionState, arn: str) -> DocumentClassifier:
    """Raises ResourceUnavailableException for a model that is not trained."""
    model = find(region.classifiers, arn, what="document classifier")
    if model.status not in USABLE_MODEL:
        raise unavailable(f"The model {arn} is {model.status}; it must be TRAINED.")
    return model


def model_of_flywheel(region: RegionState, arn: str) -> DocumentClassifier:
    """The flywheel's active model; later promotions do not touch who asked for it."""
    flywheel = find(region.flywheels, arn, what="flywheel")
    if not flywheel.usable:
        raise unavailable(f"The flywheel is {flywheel.status}; only an ACTIVE one can be used.")
    if flywheel.active_model_arn is None:
        raise unavailable("The flywheel has no active model yet; make one active, or give the ARN of a model.")
    return usable_model(region, flywheel.active_model_arn)


def model_to_use(region: RegionState, request: dict[str, Any], *, member: str) -> DocumentClassifier:
    """The model that ``member`` of a request names, or the active one of its FlywheelArn."""
    if (member in request) == ("FlywheelArn" in request):
        raise invalid_request(f"Give either {member} or FlywheelArn.")
    if member in request:
        return usable_model(region, request[member])
    return model_of_flywheel(region, request["FlywheelArn"])


class DocumentClassifiers:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def describe(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        known = self._runtime.region(scope).classifiers
        model = find(known, request["DocumentClassifierArn"], what="document classifier", shown_by=self._runtime)
        return {"DocumentClassifierProperties": _properties(model)}

    def list(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        require_one_filter(request)
        page, token = newest_first_page(
            self._runtime.region(scope).classifiers.values(),
            request,
            shown_by=self._runtime,
            facts=lambda model: {"Status": model.status, "DocumentClassifierName": model.name},
            time="SubmitTime",
        )
        return {"DocumentClassifierPropertiesList": [_properties(model) for model in page], **token}

    def list_summaries(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        versions: dict[str, list[DocumentClassifier]] = defaultdict(list)
        for model in self._runtime.region(scope).classifiers.values():
            if self._runtime.shows(model.created):
                versions[model.name].append(model)
        latest = [max(models, key=lambda model: model.position) for models in versions.values()]
        page, token = newest_first_page(latest, request, shown_by=self._runtime)
        summaries = [
            {
                "DocumentClassifierName": model.name,
                "NumberOfVersions": len(versions[model.name]),
                "LatestVersionCreatedAt": model.created,
                "LatestVersionName": model.version,
                "LatestVersionStatus": model.status.value,
            }
            for model in page
        ]
        return {"DocumentClassifierSummariesList": summaries, **token}

    def delete(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        model = find(region.classifiers, request["DocumentClassifierArn"], what="document classifier")
        if model.status not in DELETABLE:
            raise unavailable(f"The model is {model.status}; it can be deleted when its training has ended.")
        for flywheel in region.flywheels.values():
            if flywheel.active_model_arn == model.arn:
                raise in_use(f"The model is the active model of {flywheel.arn}; make another one active first.")
            if any(
                iteration.running and iteration.evaluated_model_arn == model.arn
                for iteration in flywheel.iterations.values()
            ):
                raise in_use(f"The model is being evaluated in an iteration of {flywheel.arn}.")
        jobs = [job for job in region.classification_jobs.values() if job.running and job.model is model]
        if jobs:
            raise in_use(f"The model is used by {jobs[0].arn}; wait until that job has ended.")
        for endpoint in region.endpoints.values():
            if model in (endpoint.model, endpoint.desired_model):
                raise in_use(f"The model is used by {endpoint.arn}; delete that endpoint or give it another model.")
        model.status = ModelStatus.DELETING
        gone_at = self._runtime.now() + self._runtime.settings.model_deletion_seconds
        self._runtime.start(lambda: self._unmake(region, model, gone_at), on_defect=lambda: region.forget(model.arn))
        return {}

    def _unmake(self, region: RegionState, model: DocumentClassifier, gone_at: float) -> None:
        self._runtime.wait_until(gone_at)
        with self._runtime.lock:
            region.forget(model.arn)
        model.path.unlink(missing_ok=True)


def _properties(model: DocumentClassifier) -> dict[str, Any]:
    evaluation = model.evaluation
    return {
        "DocumentClassifierArn": model.arn,
        "LanguageCode": model.task.language,
        "Status": model.status.value,
        "SubmitTime": model.created,
        "InputDataConfig": {"DataFormat": "COMPREHEND_CSV"},
        "OutputDataConfig": {"FlywheelStatsS3Prefix": model.statistics_prefix},
        "DataAccessRoleArn": model.role_arn,
        "Mode": model.task.mode,
        "VersionName": model.version,
        "FlywheelArn": model.flywheel_arn,
        **{member: model.security.get(member) for member in ("VolumeKmsKeyId", "VpcConfig", "ModelKmsKeyId")},
        "EndTime": model.ended,
        "TrainingStartTime": model.training_started,
        "TrainingEndTime": model.training_ended,
        "Message": model.message,
        "ClassifierMetadata": evaluation
        and {
            "NumberOfLabels": len(model.labels),
            "NumberOfTrainedDocuments": model.trained_documents,
            "NumberOfTestDocuments": evaluation.test_documents,
            "EvaluationMetrics": evaluation.classifier_metrics(),
        },
    }
