"""ImportModel: a model that replicates another, also of another account.

It goes from SUBMITTED over TRAINING to TRAINED or IN_ERROR: AWS lists no other statuses of a model. It has the figures
of its source, but neither times of a training nor its data. AWS documents none of these three, nor the names that are
taken here when a request has none: the source's name, and no version.
"""

from __future__ import annotations

import shutil
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.comprehend.errors import in_use, invalid_request
from local.comprehend.identifiers import Scope
from local.comprehend.models import outcome
from local.comprehend.models.quotas import require_room
from local.comprehend.models.usable import usable_model
from local.comprehend.policies import UseKey
from local.comprehend.requests.permitted import require_keys
from local.comprehend.requests.tags import checked_tags
from local.comprehend.runtime import Runtime
from local.comprehend.state import USABLE_MODEL, Model, ModelStatus


class Imports:
    def __init__(self, runtime: Runtime, use_key: UseKey) -> None:
        self._runtime = runtime
        self._use_key = use_key

    def start(self, scope: Scope, request: dict[str, Any]) -> dict[str, Any]:
        region, source_arn = self._runtime.region(scope), request["SourceModelArn"]
        require_keys(request, scope)
        tags = checked_tags(request.get("Tags", []), present={})
        source = usable_model(self._runtime.region(Scope.of_arn(source_arn)), source_arn)
        self._require_role(source, request)
        name, version = request.get("ModelName", source.name), request.get("VersionName")
        arn = scope.model_arn(resource=source.kind.arn_resource, name=name, version=version)
        if arn in region.models:
            raise in_use(f"There is already {arn}.")
        require_room(region, source.kind, self._runtime.settings)
        model = Model(
            arn=arn,
            name=name,
            version=version,
            kind=source.kind,
            task=source.task,
            role_arn=request.get("DataAccessRoleArn"),
            security={member: request[member] for member in ("ModelKmsKeyId",) if member in request},
            source_model_arn=source_arn,
            created=self._runtime.now(),
            path=self._runtime.new_model_path(),
        )
        region.models[arn] = model
        region.tags[arn] = tags
        run = _ImportRun(runtime=self._runtime, use_key=self._use_key, scope=scope, model=model, source=source)
        run.start()
        return {"ModelArn": arn}

    def _require_role(self, source: Model, request: dict[str, Any]) -> None:
        encrypted = "ModelKmsKeyId" in request or "ModelKmsKeyId" in source.security
        if encrypted and "DataAccessRoleArn" not in request and self._runtime.settings.encrypted_model_needs_role:
            raise invalid_request(
                "The model or its source is encrypted with a customer managed key: give the ARN of a data-access role "
                "that may use it."
            )


class _ImportRun:
    """The background work of one import."""

    def __init__(self, *, runtime: Runtime, use_key: UseKey, scope: Scope, model: Model, source: Model) -> None:
        self._runtime = runtime
        self._use_key = use_key
        self._scope = scope
        self._model = model
        self._source = source

    def start(self) -> None:
        self._runtime.start(self._run, fail=self._fail)

    def _run(self) -> None:
        started = self._model.created + self._runtime.settings.model_queue_seconds
        self._runtime.wait_until(started)
        with self._runtime.lock:
            self._model.status = ModelStatus.TRAINING
        problem = self._role_problem()
        self._runtime.wait_for(lambda settings: settings.model_import_seconds, since=started)
        problem = problem or self._copy_problem()
        fault = self._runtime.faults.for_resource("import")
        with self._runtime.lock:
            if fault or problem or self._source.status not in USABLE_MODEL:
                self._fail(fault.message if fault else problem or self._gone)
                return
            self._model.trained, self._model.evaluation = self._source.trained, self._source.evaluation
            outcome.complete(self._runtime, self._model)

    def _role_problem(self) -> str | None:
        """Comprehend must be able to assume the role, and the role to use the keys of both models."""
        role = self._model.role_arn
        if role is None:
            return None
        try:
            self._runtime.s3(self._scope, role_arn=role, source_arn=self._model.arn)
        except (ClientError, BotoCoreError) as error:
            return f"The role {role} cannot be assumed: {error}"
        for model in (self._source, self._model):
            key, owner = model.security.get("ModelKmsKeyId"), Scope.of_arn(model.arn)
            if key is None:
                continue
            try:
                self._use_key(key, role_arn=role, model_arn=model.arn, account=owner.account, region=owner.region)
            except (ClientError, BotoCoreError) as error:
                return f"The role {role} cannot use the key {key} of {model.arn}: {error}"
        return None

    def _copy_problem(self) -> str | None:
        self._model.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(self._source.path, self._model.path)
        except FileNotFoundError:
            return self._gone
        return None

    @property
    def _gone(self) -> str:
        return f"The source model {self._source.arn} was deleted before it was imported."

    def _fail(self, message: str) -> None:
        self._model.path.unlink(missing_ok=True)
        outcome.fail(self._runtime, self._model, message)
