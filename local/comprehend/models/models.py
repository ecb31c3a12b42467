"""What can be done with models of a kind: DescribeDocumentClassifier, ListDocumentClassifiers,
ListDocumentClassifierSummaries, DeleteDocumentClassifier, and the same of entity recognizers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from local.comprehend.errors import in_use, unavailable
from local.comprehend.identifiers import Scope
from local.comprehend.model_kind import ModelKind
from local.comprehend.requests.lookup import find, newest_first_page, require_one_filter
from local.comprehend.runtime import Runtime
from local.comprehend.state import Model, ModelStatus

# AWS documents deletion for models that have come to an end, well or badly.
DELETABLE = frozenset(
    {ModelStatus.TRAINED, ModelStatus.TRAINED_WITH_WARNING, ModelStatus.IN_ERROR, ModelStatus.STOPPED}
)


class Models:
    def __init__(self, runtime: Runtime, kind: ModelKind) -> None:
        self._runtime = runtime
        self._kind = kind
        self._noun = kind.model_noun

    def describe(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        known = self._runtime.region(scope).models
        model = find(known, request[f"{self._noun}Arn"], what=self._kind.words, shown_by=self._runtime)
        return {f"{self._noun}Properties": self._properties(model)}

    def list(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        require_one_filter(request)
        page, token = newest_first_page(
            self._of_kind(scope),
            request,
            shown_by=self._runtime,
            facts=lambda model: {"Status": model.status, self._kind.name_member: model.name},
            time="SubmitTime",
        )
        return {f"{self._noun}PropertiesList": [self._properties(model) for model in page], **token}

    def list_summaries(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        versions: dict[str, list[Model]] = defaultdict(list)
        for model in self._of_kind(scope):
            if self._runtime.shows(model.created):
                versions[model.name].append(model)
        latest = [max(models, key=lambda model: model.position) for models in versions.values()]
        page, token = newest_first_page(latest, request, shown_by=self._runtime)
        summaries = [
            {
                self._kind.name_member: model.name,
                "NumberOfVersions": len(versions[model.name]),
                "LatestVersionCreatedAt": model.created,
                "LatestVersionName": model.version,
                "LatestVersionStatus": model.status.value,
            }
            for model in page
        ]
        return {f"{self._noun}SummariesList": summaries, **token}

    def delete(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        model = find(region.models, request[f"{self._noun}Arn"], what=self._kind.words)
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
        jobs = [job for job in region.jobs.values() if job.running and job.model is model]
        if jobs:
            raise in_use(f"The model is used by {jobs[0].arn}; wait until that job has ended.")
        for endpoint in region.endpoints.values():
            if model in (endpoint.model, endpoint.desired_model):
                raise in_use(f"The model is used by {endpoint.arn}; delete that endpoint or give it another model.")
        model.status = ModelStatus.DELETING
        gone_at = self._runtime.now() + self._runtime.settings.model_deletion_seconds
        self._runtime.forget(region, model.arn, at=gone_at, then=lambda: model.path.unlink(missing_ok=True))
        return {}

    def _of_kind(self, scope: Scope) -> Iterator[Model]:
        return (model for model in self._runtime.region(scope).models.values() if model.kind is self._kind)

    def _properties(self, model: Model) -> dict[str, Any]:
        return {
            f"{self._noun}Arn": model.arn,
            "LanguageCode": model.task.language,
            "Status": model.status.value,
            "SubmitTime": model.created,
            "InputDataConfig": model.input_config,
            "OutputDataConfig": model.output_config,
            "DataAccessRoleArn": model.role_arn,
            "VersionName": model.version,
            "SourceModelArn": model.source_model_arn,
            "FlywheelArn": model.flywheel_arn,
            **{member: model.security.get(member) for member in ("VolumeKmsKeyId", "VpcConfig", "ModelKmsKeyId")},
            "EndTime": model.ended,
            "TrainingStartTime": model.training_started,
            "TrainingEndTime": model.training_ended,
            "Message": model.message,
            **self._kind.properties(model, self._runtime.settings),
        }
