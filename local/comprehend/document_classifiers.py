"""DescribeDocumentClassifier, ListDocumentClassifiers, ListDocumentClassifierSummaries, DeleteDocumentClassifier."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from local.comprehend.errors import ComprehendError, in_use, not_found, unavailable
from local.comprehend.identifiers import Scope
from local.comprehend.paging import in_time, newest_first_page, require_one_filter
from local.comprehend.runtime import Runtime
from local.comprehend.state import DocumentClassifier, ModelStatus, RegionState

# AWS documents deletion for models that have come to an end, well or badly.
DELETABLE = frozenset({ModelStatus.TRAINED, ModelStatus.TRAINED_WITH_WARNING, ModelStatus.IN_ERROR})


class DocumentClassifiers:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def describe(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        model = _find(self._runtime.region(scope), request["DocumentClassifierArn"])
        if not self._runtime.shows(model.submitted):
            raise _no_model(model.arn)
        return {"DocumentClassifierProperties": _properties(model)}

    def list(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        require_one_filter(request)
        filter_ = request.get("Filter", {})
        matching = [
            model
            for model in self._runtime.region(scope).classifiers.values()
            if self._runtime.shows(model.submitted)
            and filter_.get("Status", model.status) == model.status
            and filter_.get("DocumentClassifierName", model.name) == model.name
            and in_time(model.submitted, filter_, after="SubmitTimeAfter", before="SubmitTimeBefore")
        ]
        page, token = newest_first_page(matching, key=lambda model: (model.submitted, model.arn), request=request)
        return {"DocumentClassifierPropertiesList": [_properties(model) for model in page], **token}

    def list_summaries(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        versions: dict[str, list[DocumentClassifier]] = defaultdict(list)
        for model in self._runtime.region(scope).classifiers.values():
            if self._runtime.shows(model.submitted):
                versions[model.name].append(model)
        latest = [max(models, key=lambda model: (model.submitted, model.arn)) for models in versions.values()]
        page, token = newest_first_page(latest, key=lambda model: (model.submitted, model.arn), request=request)
        summaries = [
            {
                "DocumentClassifierName": model.name,
                "NumberOfVersions": len(versions[model.name]),
                "LatestVersionCreatedAt": model.submitted,
                "LatestVersionName": model.version,
                "LatestVersionStatus": model.status.value,
            }
            for model in page
        ]
        return {"DocumentClassifierSummariesList": summaries, **token}

    def delete(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        model = _find(region, request["DocumentClassifierArn"])
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
        self._runtime.start(lambda: self._unmake(region, model, gone_at), on_defect=lambda: _forget(region, model))
        return {}

    def _unmake(self, region: RegionState, model: DocumentClassifier, gone_at: float) -> None:
        self._runtime.wait_until(gone_at)
        with self._runtime.lock:
            _forget(region, model)
        model.path.unlink(missing_ok=True)


def _find(region: RegionState, arn: str) -> DocumentClassifier:
    model = region.classifiers.get(arn)
    if model is None:
        raise _no_model(arn)
    return model


def _no_model(arn: str) -> ComprehendError:
    return not_found(f"There is no document classifier {arn}.")


def _forget(region: RegionState, model: DocumentClassifier) -> None:
    region.classifiers.pop(model.arn, None)
    region.tags.pop(model.arn, None)


def _properties(model: DocumentClassifier) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "DocumentClassifierArn": model.arn,
        "LanguageCode": model.task.language,
        "Status": model.status.value,
        "SubmitTime": model.submitted,
        "InputDataConfig": {"DataFormat": "COMPREHEND_CSV"},
        "OutputDataConfig": {"FlywheelStatsS3Prefix": model.statistics_prefix},
        "DataAccessRoleArn": model.role_arn,
        "Mode": model.task.mode,
        "VersionName": model.version,
        "FlywheelArn": model.flywheel_arn,
    }
    for member in ("VolumeKmsKeyId", "VpcConfig", "ModelKmsKeyId"):
        if member in model.security:
            properties[member] = model.security[member]
    moments = {
        "EndTime": model.ended,
        "TrainingStartTime": model.training_started,
        "TrainingEndTime": model.training_ended,
    }
    properties.update({name: moment for name, moment in moments.items() if moment is not None})
    if model.message:
        properties["Message"] = model.message
    if model.evaluation:
        properties["ClassifierMetadata"] = {
            "NumberOfLabels": len(model.labels),
            "NumberOfTrainedDocuments": model.trained_documents,
            "NumberOfTestDocuments": model.evaluation.test_documents,
            "EvaluationMetrics": model.evaluation.classifier_metrics(),
        }
    return properties
