"""The service as one object: operation, request and caller in, response out."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from uuid import uuid4

from local.comprehend.clock import Clock, SystemClock
from local.comprehend.endpoints.endpoint_changes import EndpointChanges
from local.comprehend.endpoints.endpoints import Endpoints
from local.comprehend.endpoints.real_time import RealTime
from local.comprehend.errors import UNMODELLED_ERRORS, ComprehendError, UnmodelledError, service_error
from local.comprehend.flywheels.dataset_ingestion import DatasetIngestion
from local.comprehend.flywheels.datasets import Datasets
from local.comprehend.flywheels.flywheels import Flywheels
from local.comprehend.flywheels.iterations import Iterations
from local.comprehend.identifiers import Scope
from local.comprehend.inferences import Observer
from local.comprehend.jobs.jobs import Jobs
from local.comprehend.kinds import KINDS
from local.comprehend.model_kind import ModelKind
from local.comprehend.models.imports import Imports
from local.comprehend.models.models import Models
from local.comprehend.models.sharing import Sharing
from local.comprehend.models.trainings import Trainings
from local.comprehend.policies import Decide, UseKey, any_key, none_allows
from local.comprehend.requests.calls import Call, CallLog
from local.comprehend.requests.contract import (
    modelled_errors,
    redacted,
    require_known,
    service_model,
    validated,
    without_nulls,
)
from local.comprehend.requests.permitted import require_offered, require_own_role
from local.comprehend.requests.tags import Tags
from local.comprehend.runtime import Runtime
from local.comprehend.settings import Settings
from local.comprehend.state import DroppedDocuments
from local.comprehend.storage import Storage
from local.comprehend.workers.worker_processes import WorkerProcesses

Operation = Callable[[Scope, dict[str, Any]], dict[str, Any]]

# These take the lock themselves and give it back before they compute.
_LOCKS_ITSELF = frozenset(kind.detection for kind in KINDS)
# A reading of what AWS does not document may be an error that the model does not list.
_UNLISTED_ERRORS = {kind.detection: frozenset({"TooManyRequestsException"}) for kind in KINDS}


class Comprehend:
    """Amazon Comprehend for any number of accounts and Regions; what is in one is not seen from another, but for models
    that are shared. ``decide`` says what their policies allow; without it, no other account may import them.
    ``use_key`` is asked for the keys of imports; without it, any may be used.

    ``folder`` keeps the ingested documents and the models; without one, a temporary folder lasts as long as the
    service. All other state is in memory and ends with it. ``workers`` (training) and ``predictors`` (endpoints) are
    processes to share between services: their owner closes them; otherwise the service has one of each of its own, the
    predictor from the first endpoint on. ``observe`` is called after each text that an
    endpoint answered, in the caller's thread. ``threads`` run what goes on in the background, ``new_id`` gives ids of
    32 hexadecimal digits, and a wait looks at changed settings every ``settings_looked_at_every`` seconds. Thread-safe.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        settings: Settings | None = None,
        clock: Clock | None = None,
        workers: WorkerProcesses | None = None,
        predictors: WorkerProcesses | None = None,
        folder: Path | None = None,
        observe: Observer = lambda _inference: None,
        decide: Decide = none_allows,
        use_key: UseKey = any_key,
        threads: Executor | None = None,
        new_id: Callable[[], str] = lambda: uuid4().hex,
        settings_looked_at_every: float = 0.2,
    ) -> None:
        training = workers or WorkerProcesses()
        answering = predictors or WorkerProcesses()
        self._own_workers = [one for one in (training, answering) if one not in (workers, predictors)]
        self._runtime = Runtime(
            storage=storage,
            settings=settings or Settings(),
            clock=clock or SystemClock(),
            workers=training,
            predictors=answering,
            folder=folder,
            observe=observe,
            threads=threads,
            new_id=new_id,
            settings_looked_at_every=settings_looked_at_every,
        )
        self.calls = CallLog()
        self.faults = self._runtime.faults
        self._sharing = Sharing(self._runtime, decide)
        self._operations = _operations(self._runtime, self._sharing, use_key)

    def call(
        self, *, operation: str, request: dict[str, Any], account: str, region: str, caller: str | None = None
    ) -> dict[str, Any]:
        """Carry out one operation and return its response in exactly the shape of the SDK's model.

        Timestamps are epoch seconds; members without a value are absent. ``request`` has the SDK's member names;
        ``caller`` is the ARN of the principal that asks, without it the account itself.
        Never reads S3 and never waits for work other than a prediction, only for a delay that was asked for as a fault.
        Raises ComprehendError.
        """
        outcome = "ok"
        try:
            scope = Scope(account=account, region=region)
            return self._answer(operation, request, scope, caller or scope.root_arn)
        except ComprehendError as error:
            outcome = error.code
            raise
        finally:
            call = Call(
                time=self._runtime.now(),
                operation=operation,
                request=redacted(operation=operation, request=request),
                account=account,
                region=region,
                outcome=outcome,
            )
            self.calls.add(call)

    def _answer(self, operation: str, request: dict[str, Any], scope: Scope, caller: str) -> dict[str, Any]:
        fault = self.faults.for_operation(operation)
        if fault and fault.kind == "delay":
            time.sleep(fault.seconds)
        elif fault and fault.kind != "lose_response":
            raise fault.error()
        response = self._tried(operation, request, scope, caller)
        if fault and fault.kind == "lose_response":
            raise fault.error()
        return response

    def _tried(self, operation: str, request: dict[str, Any], scope: Scope, caller: str) -> dict[str, Any]:
        require_known(operation)
        implementation = self._operations.get(operation)
        if implementation is None:
            raise service_error(
                "UnknownOperationException", f"{operation} is not provided by this local Comprehend service."
            )
        settings = self._runtime.settings
        if settings.only_regions_with_comprehend:
            require_offered(scope.region)
        try:
            checked = validated(operation=operation, request=request)
            require_own_role(checked, scope)
            if operation == "ImportModel":
                self._sharing.require_importable(scope, checked, caller=caller)
            return self._carried_out(implementation, operation, checked, scope)
        except ComprehendError as error:
            if error.code != "InvalidRequestException":
                raise
            raise service_error(settings.bad_value_error, error.message) from error

    def _carried_out(
        self, implementation: Operation, operation: str, request: dict[str, Any], scope: Scope
    ) -> dict[str, Any]:
        try:
            with nullcontext() if operation in _LOCKS_ITSELF else self._runtime.lock:
                answer: dict[str, Any] = without_nulls(implementation(scope, request))
                return answer
        except ComprehendError as error:
            expected = modelled_errors(operation) | UNMODELLED_ERRORS | _UNLISTED_ERRORS.get(operation, frozenset())
            if error.code not in expected:
                raise UnmodelledError(operation=operation, code=error.code) from error
            raise

    def kind_of_flywheel(self, arn: str, *, account: str, region: str) -> ModelKind | None:
        """The kind of its models; None when there is no such flywheel."""
        with self._runtime.lock:
            flywheel = self._runtime.region(Scope(account=account, region=region)).flywheels.get(arn)
        return flywheel.kind if flywheel else None

    @property
    def settings(self) -> Settings:
        """The settings in force; assigning others changes what happens from now on."""
        return self._runtime.settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._runtime.settings = settings

    def dropped_documents(self) -> list[DroppedDocuments]:
        """For each dataset that had labels its flywheel does not know: what was silently left out."""
        with self._runtime.lock:
            return list(self._runtime.dropped)

    def close(self) -> None:
        """End background work and worker processes, and delete the temporary folder."""
        self._runtime.stop()
        for workers in self._own_workers:
            workers.close()
        self._runtime.close()


def _operations(runtime: Runtime, sharing: Sharing, use_key: UseKey) -> dict[str, Operation]:
    ingestion = DatasetIngestion(runtime)
    endpoint_changes = EndpointChanges(runtime)
    flywheels = Flywheels(runtime, ingestion, endpoint_changes)
    datasets = Datasets(runtime, ingestion)
    iterations = Iterations(runtime)
    endpoints = Endpoints(runtime, endpoint_changes)
    tags = Tags(runtime)
    of_kinds: dict[str, Operation] = {}
    for kind in KINDS:
        of_kinds |= _operations_of(runtime, kind)
    return {
        "CreateFlywheel": flywheels.create,
        "UpdateFlywheel": flywheels.update,
        "DescribeFlywheel": flywheels.describe,
        "DeleteFlywheel": flywheels.delete,
        "ListFlywheels": flywheels.list,
        "CreateDataset": datasets.create,
        "DescribeDataset": datasets.describe,
        "ListDatasets": datasets.list,
        "StartFlywheelIteration": iterations.start,
        "DescribeFlywheelIteration": iterations.describe,
        "ListFlywheelIterationHistory": iterations.history,
        "CreateEndpoint": endpoints.create,
        "UpdateEndpoint": endpoints.update,
        "DescribeEndpoint": endpoints.describe,
        "DeleteEndpoint": endpoints.delete,
        "ListEndpoints": endpoints.list,
        "ImportModel": Imports(runtime, use_key).start,
        "PutResourcePolicy": sharing.put,
        "DescribeResourcePolicy": sharing.describe,
        "DeleteResourcePolicy": sharing.delete,
        "TagResource": tags.tag,
        "UntagResource": tags.untag,
        "ListTagsForResource": tags.list,
        **of_kinds,
    }


def _operations_of(runtime: Runtime, kind: ModelKind) -> dict[str, Operation]:
    models, jobs, real_time = Models(runtime, kind), Jobs(runtime, kind), RealTime(runtime, kind)
    trainings = Trainings(runtime, kind)
    noun, job = kind.model_noun, kind.job_noun
    found = {
        f"Create{noun}": trainings.create,
        f"StopTraining{noun}": trainings.stop,
        f"Describe{noun}": models.describe,
        f"List{noun}s": models.list,
        f"List{noun}Summaries": models.list_summaries,
        f"Delete{noun}": models.delete,
        f"Start{job}": jobs.start,
        f"Describe{job}": jobs.describe,
        f"List{job}s": jobs.list,
        f"Stop{job}": jobs.stop,
        kind.detection: real_time.detect,
    }
    # Not every kind of job can be stopped.
    return {name: operation for name, operation in found.items() if name in service_model().operation_names}
