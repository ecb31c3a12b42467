"""What a flywheel uses that is charged for: counted in the services, or in the templates of one to be deployed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from flywheel.comprehend.answers import pages
from flywheel.comprehend.model_kind import Model
from flywheel.decisions.holdout import read_holdout
from flywheel.faults.service_faults import error_code
from flywheel.measurement import NAMESPACE
from flywheel.records.holdouts import OF_ITERATIONS, HoldoutAttempt, IterationHoldout, attempts_folder
from flywheel.serving.target import EndpointTarget
from flywheel.store.record import Record
from flywheel.turn.metrics import MOST_LABELS_MEASURED
from ops.deployment.clients import Clients
from ops.deployment.generations import belongs_to, list_models
from ops.deployment.published import AnyDeployment, Deployment, Published
from ops.deployment.stacks import live_stacks, stack_resources
from ops.deployment.synthesised import SynthesisedFlywheel
from ops.verbs.endpoint import EndpointThere, endpoint_arn, serving_state, wanted_endpoint
from ops.verbs.turns import list_turns

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

PUBLISHED_TRAINING_SECONDS = (Decimal(81 * 60), Decimal(143 * 60))
"""Iterations in the samples of AWS's guide and of its command line's manual (reference 4.6)."""
PLANNED_METRICS = 21
"""About how many custom metrics the pipeline writes; one more for each label, if they are at most
MOST_LABELS_MEASURED."""
_UNKNOWN_OPERATION = "UnknownOperationException"
_TRAINED = {"TRAINED", "TRAINED_WITH_WARNING"}
_TURNS_LOOKED_AT = 50
_MOST_PAGES_OF_A_BUCKET = 20
"""Of 1,000 versions each: an access log has a great many."""
_ALARM, _DASHBOARD = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"
_KEY, _BUCKET = "AWS::KMS::Key", "AWS::S3::Bucket"


class TrainingTimesOf(StrEnum):
    MODELS = "models"
    """From TrainingStartTime to TrainingEndTime, for which one is billed by the API's description."""
    ITERATIONS = "iterations"
    """From beginning to end, where no model says how long it trained."""
    PUBLISHED = "published samples"


class TrainingTimes(Record):
    seconds: tuple[Decimal, ...]
    of: TrainingTimesOf


class LastHoldout(Record):
    """The hold-out of the last iteration that has one."""

    documents: int
    units: int
    """Of 100 characters, for the answers of one model."""
    answered: frozenset[str] = frozenset()
    """ARNs of the models whose answers are there."""


class BucketSize(Record):
    name: str
    bytes: int
    """All versions."""
    more: bool = False
    """There are more versions than were counted."""


class TurnTransitions(Record):
    turn: str
    count: int
    """States that its execution entered."""


class Usage(Record):
    deployed: bool = True
    """False: worked out from templates, and nothing is there yet."""
    models: int
    """Trained versions of the flywheel of the present generation, or imported ones."""
    older_models: int = 0
    active_model_arn: str | None = None
    training: TrainingTimes | None = None
    """None: models are imported."""
    holdout: LastHoldout | None = None
    inference_units: int | None
    """Of all endpoints but the wanted one; None where the service does not know them."""
    wanted: EndpointTarget | None = None
    """None: the Serving stack wants no endpoint, or there is none."""
    alarms: int = 0
    dashboards: int = 0
    keys: int = 0
    metrics: int = 0
    """Custom metrics of this flywheel that CloudWatch lists: those with a number in the last two weeks."""
    buckets: tuple[BucketSize, ...] = ()
    transitions: TurnTransitions | None = None


def find_usage(deployment: AnyDeployment) -> Usage:
    """Raises botocore's errors and flywheel.faults.errors.InvalidRecord."""
    return _of_flywheel(deployment) if isinstance(deployment, Deployment) else _of_any(deployment)


def _of_flywheel(deployment: Deployment) -> Usage:
    models = list(list_models(deployment.clients, deployment.name, deployment.kind))
    trained = [model for model in models if model["Status"] in _TRAINED]
    own = [model for model in trained if model["FlywheelArn"] == deployment.flywheel_arn]
    usage = _of_any(
        deployment,
        models=[deployment.kind.model(model) for model in models],
        buckets=[deployment.published.lake_bucket],
    )
    return usage.model_copy(
        update={
            "models": len(own),
            "older_models": len(trained) - len(own),
            "training": training_times(models=own, iterations=_iterations(deployment)),
            "holdout": _last_holdout(deployment),
            "transitions": _transitions(deployment),
        }
    )


def _of_any(deployment: AnyDeployment, *, models: Sequence[Model] | None = None, buckets: Sequence[str] = ()) -> Usage:
    """What is charged for wherever models serve. `models` are all of the deployment, `buckets` further ones."""
    clients, service = deployment.clients, deployment.service
    models = service.own_models() if models is None else models
    resources = [
        (found["ResourceType"], found["PhysicalResourceId"])
        for stack in live_stacks(clients, deployment.name)
        for found in stack_resources(clients, stack["StackName"])
        if found.get("PhysicalResourceId") and not found["ResourceStatus"].startswith("DELETE_")
    ]
    kinds = Counter(kind for kind, _ in resources)
    in_stacks = [identity for kind, identity in resources if kind == _BUCKET]
    wanted = _wanted(wanted_endpoint(deployment))
    return Usage(
        models=sum(model.trained for model in models),
        active_model_arn=service.describe().active_model_arn,
        inference_units=inference_units(
            clients.comprehend,
            name=deployment.name,
            models={model.arn for model in models},
            besides=endpoint_arn(deployment, serving_state(deployment)) if wanted else None,
        ),
        wanted=wanted,
        alarms=kinds[_ALARM],
        dashboards=kinds[_DASHBOARD],
        keys=kinds[_KEY],
        metrics=_metrics(clients, deployment.name),
        buckets=tuple(
            _bucket_size(clients, bucket)
            for bucket in dict.fromkeys([deployment.published.intake_bucket, *buckets, *in_stacks])
        ),
    )


def planned_usage(synthesised: SynthesisedFlywheel) -> Usage:
    """Raises NotSynthesisedError and pydantic's ValidationError."""
    kinds = Counter(body["Type"] for _, body in synthesised.resources())
    published = synthesised.published
    trains = isinstance(published, Published)
    labels = (published.labels if isinstance(published, Published) else None) or ()
    of_labels = len(labels) if len(labels) <= MOST_LABELS_MEASURED else 0
    return Usage(
        deployed=False,
        models=0,
        training=TrainingTimes(seconds=PUBLISHED_TRAINING_SECONDS, of=TrainingTimesOf.PUBLISHED) if trains else None,
        inference_units=0,
        wanted=_wanted(synthesised.endpoint_target),
        alarms=kinds[_ALARM],
        dashboards=kinds[_DASHBOARD],
        keys=kinds[_KEY],
        metrics=PLANNED_METRICS + of_labels,
        buckets=tuple(BucketSize(name="", bytes=0) for _ in range(kinds[_BUCKET])),
    )


def training_times(*, models: Iterable[Any], iterations: Iterable[Any]) -> TrainingTimes:
    """From what the API says of models and iterations; the published range if it says nothing."""
    of_models = [
        _seconds(model["TrainingStartTime"], model["TrainingEndTime"])
        for model in models
        if {"TrainingStartTime", "TrainingEndTime"} <= model.keys()
    ]
    if of_models:
        return TrainingTimes(seconds=tuple(of_models), of=TrainingTimesOf.MODELS)
    of_iterations = [
        _seconds(iteration["CreationTime"], iteration["EndTime"])
        for iteration in iterations
        if iteration.get("Status") == "COMPLETED" and {"TrainedModelArn", "CreationTime", "EndTime"} <= iteration.keys()
    ]
    if of_iterations:
        return TrainingTimes(seconds=tuple(of_iterations), of=TrainingTimesOf.ITERATIONS)
    return TrainingTimes(seconds=PUBLISHED_TRAINING_SECONDS, of=TrainingTimesOf.PUBLISHED)


def inference_units(
    comprehend: ComprehendClient, *, name: str, models: Collection[str], besides: str | None = None
) -> int | None:
    """Of the endpoints bound to a flywheel of `name` or to one of `models`; None if the service has no ListEndpoints.

    `besides` is the ARN of one that does not count. Raises botocore's ClientError for everything else that the service
    refuses.
    """
    try:
        answers = list(comprehend.get_paginator("list_endpoints").paginate())
    except ClientError as error:
        if error_code(error) != _UNKNOWN_OPERATION:
            raise
        return None
    endpoints = [EndpointThere.of(found) for page in answers for found in page.get("EndpointPropertiesList", [])]
    return sum(
        endpoint.billed_units
        for endpoint in endpoints
        if endpoint.arn != besides and (belongs_to(name, endpoint.flywheel_arn or "") or endpoint.model_arn in models)
    )


def _wanted(target: EndpointTarget | None) -> EndpointTarget | None:
    return target if target is not None and target.inference_units else None


def _seconds(start: Any, end: Any) -> Decimal:
    return Decimal(str((end - start).total_seconds()))


def _iterations(deployment: Deployment) -> Iterable[Any]:
    history = pages(
        deployment.clients.comprehend.list_flywheel_iteration_history,
        FlywheelArn=deployment.flywheel_arn,
        MaxResults=100,
    )
    return (found for page in history for found in page.get("FlywheelIterationPropertiesList", []))


def _last_holdout(deployment: Deployment) -> LastHoldout | None:
    intake = deployment.intake
    keys = sorted(intake.keys(OF_ITERATIONS))
    chosen = [each for each in intake.read_all(keys, IterationHoldout) if each.holdout_id]
    frozen = read_holdout(intake, max(chosen, key=lambda each: each.iteration_id)) if chosen else None
    if frozen is None:
        return None
    asked = [key for key in intake.keys(attempts_folder(frozen.id)) if key.endswith("/prediction.json")]
    predictions = intake.read_all(sorted(asked), HoldoutAttempt)
    answered = frozenset(each.model_arn for each in predictions if each.archive and not each.failure)
    return LastHoldout(documents=frozen.documents, units=frozen.units, answered=answered)


def _metrics(clients: Clients, name: str) -> int:
    found = clients.cloudwatch.get_paginator("list_metrics").paginate(
        Namespace=NAMESPACE, Dimensions=[{"Name": "Flywheel", "Value": name}]
    )
    return sum(len(page["Metrics"]) for page in found)


def _bucket_size(clients: Clients, bucket: str) -> BucketSize:
    """CloudWatch knows a bucket's size, too, but a day late."""
    size = 0
    versions = clients.s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    for number, page in enumerate(versions, start=1):
        size += sum(version["Size"] for version in page.get("Versions", []))
        if number == _MOST_PAGES_OF_A_BUCKET:
            return BucketSize(name=bucket, bytes=size, more=page.get("IsTruncated", False))
    return BucketSize(name=bucket, bytes=size)


def _transitions(deployment: Deployment) -> TurnTransitions | None:
    """Of the last turn with an iteration; None without one, or if Step Functions has forgotten it (after 90 days)."""
    turns = list_turns(deployment, last=_TURNS_LOOKED_AT)
    turn = next((record.turn for record in turns if record.iteration_id), None)
    if turn is None:
        return None
    stepfunctions = deployment.clients.stepfunctions
    history = stepfunctions.get_paginator("get_execution_history").paginate(
        executionArn=deployment.turn_execution(turn), includeExecutionData=False, PaginationConfig={"PageSize": 1000}
    )
    try:
        entered = sum(event["type"].endswith("StateEntered") for page in history for event in page["events"])
    except stepfunctions.exceptions.ExecutionDoesNotExist:
        return None
    return TurnTransitions(turn=turn, count=entered)
