"""Models without a flywheel: CreateDocumentClassifier, StopTrainingDocumentClassifier, and the same of entity
recognizers."""

from __future__ import annotations

from typing import Any

from local.comprehend.errors import in_use, invalid_request
from local.comprehend.identifiers import Scope, hex_digits
from local.comprehend.jobs.archive import archive_uri
from local.comprehend.model_kind import ModelKind
from local.comprehend.models.policy_document import checked_policy
from local.comprehend.models.quotas import require_room
from local.comprehend.models.sharing import new_policy
from local.comprehend.models.training_run import TrainingRun
from local.comprehend.requests import idempotency
from local.comprehend.requests.languages import require_language
from local.comprehend.requests.lookup import find
from local.comprehend.requests.permitted import require_keys
from local.comprehend.requests.tags import checked_tags
from local.comprehend.runtime import Runtime
from local.comprehend.state import Model, ModelStatus

_SECURITY = ("VolumeKmsKeyId", "VpcConfig", "ModelKmsKeyId")


class Trainings:
    def __init__(self, runtime: Runtime, kind: ModelKind) -> None:
        self._runtime = runtime
        self._kind = kind

    def create(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region = self._runtime.region(scope)
        kind, operation = self._kind, f"Create{self._kind.model_noun}"
        made = idempotency.already_made(region, operation=operation, request=request)
        if made:
            return {f"{kind.model_noun}Arn": made}
        require_language(request["LanguageCode"])
        task = kind.task_of_training(request)
        train, test = kind.training_sources(request["InputDataConfig"])
        require_keys(request, scope)
        require_keys(request.get("OutputDataConfig", {}), scope, aliases=True)
        tags = checked_tags(request.get("Tags", []), present={})
        name, version = request[kind.name_member], request.get("VersionName")
        arn = scope.model_arn(resource=kind.arn_resource, name=name, version=version)
        if arn in region.models:
            raise in_use(f"There is already {arn}.")
        policy = request.get("ModelPolicy")
        if policy is not None:
            checked_policy(policy, of=arn)
        require_room(region, kind, self._runtime.settings)
        model = Model(
            arn=arn,
            name=name,
            version=version,
            kind=kind,
            task=task,
            role_arn=request["DataAccessRoleArn"],
            security={member: request[member] for member in _SECURITY if member in request},
            input_config=request["InputDataConfig"],
            output_config=_output_of(request, scope, arn),
            created=self._runtime.now(),
            path=self._runtime.new_model_path(),
            train=train,
            test=test,
        )
        region.models[arn] = model
        region.tags[arn] = tags
        if policy is not None:
            region.policies[arn] = new_policy(policy, revision=self._runtime.new_id(), now=self._runtime.now())
        idempotency.remember(region, operation=operation, request=request, resource=arn)
        TrainingRun(runtime=self._runtime, scope=scope, model=model, role_arn=request["DataAccessRoleArn"]).start()
        return {f"{kind.model_noun}Arn": arn}

    def stop(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        model = find(self._runtime.region(scope).models, request[f"{self._kind.model_noun}Arn"], what=self._kind.words)
        if model.flywheel_arn:
            raise invalid_request(f"The model is of {model.flywheel_arn}, whose iterations cannot be stopped.")
        if model.source_model_arn:
            raise invalid_request(f"The model is imported from {model.source_model_arn}; an import cannot be stopped.")
        if model.in_training:
            model.status = ModelStatus.STOP_REQUESTED
        elif model.status is not ModelStatus.STOPPED:
            raise invalid_request(f"The model is {model.status}; only a training can be stopped.")
        return {}


def _output_of(request: dict[str, Any], scope: Scope, arn: str) -> dict[str, Any] | None:
    """As in the model's description: where the archive of the training comes to lie."""
    config = request.get("OutputDataConfig")
    if config is None or "S3Uri" not in config:
        return None
    uri = archive_uri(requested=config["S3Uri"], account=scope.account, mark="CLR", job_id=hex_digits(arn))
    return {**config, "S3Uri": uri}
