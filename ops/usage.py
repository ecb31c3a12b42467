"""What of a deployed flywheel is billed, as the services count it now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from flywheel.decisions.predict_holdout import Prediction
from flywheel.decisions.prepare_holdout import IterationHoldout, read_holdout
from flywheel.service_faults import error_code
from flywheel.serving.wanted import ServingWish
from flywheel.store.record import Record
from ops.clients import Clients
from ops.deployment import Deployment
from ops.endpoint import endpoint_arn, hours_a_month, most_wanted, serving_state, serving_wish
from ops.left_behind import belongs_to, live_stacks
from ops.turn_progress import execution_arn
from ops.turns import list_turns

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

PUBLISHED_TRAINING_SECONDS = (Decimal(81 * 60), Decimal(143 * 60))
"""Iterations in the samples of AWS's guide and of its command line's manual (reference 4.6)."""
METRICS_NAMESPACE = "ComprehendFlywheel"
_UNKNOWN_OPERATION = "UnknownOperationException"
_TRAINED = {"TRAINED", "TRAINED_WITH_WARNING"}
_TURNS_LOOKED_AT = 50
_MOST_PAGES_OF_A_BUCKET = 20
"""Of 1,000 versions each: an access log has a great many."""
ALARM, DASHBOARD, KEY, BUCKET = (
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
)


class TrainingTimesOf(StrEnum):
    MODELS = "models"
    """From TrainingStartTime to TrainingEndTime: for that the API's description says that one is billed."""
    ITERATIONS = "iterations"
    """From beginning to end, where no model says how long it trained."""
    PUBLISHED = "published samples"


class TrainingTimes(Record):
    seconds: tuple[Decimal, ...]
    of: TrainingTimesOf


class KeptHoldout(Record):
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


class WantedUnits(Record):
    """What the Serving stack wants of inference units, at least one."""

    least: int
    most: int
    """With auto scaling."""
    hours_a_month: Decimal


class Billed(Record):
    deployed: bool = True
    """False: worked out from templates, and nothing is there yet."""
    models: int
    """Trained versions of the flywheel of the present generation."""
    older_models: int = 0
    active_model_arn: str | None = None
    training: TrainingTimes
    holdout: KeptHoldout | None = None
    inference_units: int | None
    """Of all endpoints that nobody here wants; None where the service does not know them."""
    wanted: WantedUnits | None = None
    """None: the Serving stack wants no endpoint, or there is none."""
    alarms: int = 0
    dashboards: int = 0
    keys: int = 0
    metrics: int = 0
    """Custom metrics of this flywheel that CloudWatch lists: those with a number in the last two weeks."""
    buckets: tuple[BucketSize, ...] = ()
    transitions: TurnTransitions | None = None


def find_billed(deployment: Deployment) -> Billed:
    """Raises botocore's errors and flywheel.errors.InvalidRecord."""
    clients = deployment.clients
    models = list(_models(clients.comprehend, deployment))
    trained = [model for model in models if model["Status"] in _TRAINED]
    own = [model for model in trained if model["FlywheelArn"] == deployment.flywheel_arn]
    resources = list(_resources(clients, deployment.name))
    kinds = Counter(kind for kind, _ in resources)
    buckets = [bucket for kind, bucket in resources if kind == BUCKET]
    wanted = wanted_units(serving_wish(deployment))
    named = [deployment.published.intake_bucket, deployment.published.lake_bucket]
    return Billed(
        models=len(own),
        older_models=len(trained) - len(own),
        active_model_arn=deployment.service.describe().active_model_arn,
        training=training_times(models=own, iterations=_iterations(clients.comprehend, deployment)),
        holdout=_kept_holdout(deployment),
        inference_units=inference_units(
            clients.comprehend,
            name=deployment.name,
            models={model["DocumentClassifierArn"] for model in models if "DocumentClassifierArn" in model},
            besides=endpoint_arn(deployment, serving_state(deployment)) if wanted else None,
        ),
        wanted=wanted,
        alarms=kinds[ALARM],
        dashboards=kinds[DASHBOARD],
        keys=kinds[KEY],
        metrics=_metrics(clients, deployment.name),
        buckets=tuple(_bucket_size(clients, bucket) for bucket in dict.fromkeys([*named, *buckets])),
        transitions=_transitions(deployment),
    )


def training_times(*, models: Iterable[Any], iterations: Iterable[Any]) -> TrainingTimes:
    """From what the API says of models and iterations; the published range if it says nothing."""
    of_models = [
        _seconds(model["TrainingStartTime"], model["TrainingEndTime"])
        for model in models
        if "TrainingStartTime" in model and "TrainingEndTime" in model
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

    `besides` is the ARN of one that does not count.

    Raises botocore's ClientError for everything else that the service refuses.
    """
    try:
        pages = list(comprehend.get_paginator("list_endpoints").paginate())
    except ClientError as error:
        if error_code(error) != _UNKNOWN_OPERATION:
            raise
        return None
    endpoints: list[Any] = [found for page in pages for found in page.get("EndpointPropertiesList", [])]
    return sum(
        _units_of(endpoint)
        for endpoint in endpoints
        if endpoint.get("EndpointArn", "") != besides
        and (belongs_to(name, endpoint.get("FlywheelArn", "")) or endpoint.get("ModelArn") in models)
    )


def wanted_units(wish: ServingWish | None) -> WantedUnits | None:
    """None if no endpoint is wanted, or there is no Serving stack."""
    if wish is None or not wish.inference_units:
        return None
    return WantedUnits(least=wish.inference_units, most=most_wanted(wish), hours_a_month=hours_a_month(wish))


def _units_of(endpoint: Any) -> int:
    """One that is still being created has no current units yet, but is billed from its start."""
    wanted = endpoint.get("DesiredInferenceUnits", 0) if endpoint.get("Status") == "CREATING" else 0
    return int(endpoint.get("CurrentInferenceUnits") or wanted)


def _seconds(start: Any, end: Any) -> Decimal:
    return Decimal(str((end - start).total_seconds()))


def _models(comprehend: ComprehendClient, deployment: Deployment) -> Iterator[Any]:
    """As Comprehend describes them, those of older generations too."""
    for page in comprehend.get_paginator("list_document_classifiers").paginate():
        for found in page.get("DocumentClassifierPropertiesList", []):
            if belongs_to(deployment.name, found.get("FlywheelArn", "")):
                yield found


def _iterations(comprehend: ComprehendClient, deployment: Deployment) -> Iterator[Any]:
    token: dict[str, Any] = {}
    while True:
        page = comprehend.list_flywheel_iteration_history(FlywheelArn=deployment.flywheel_arn, MaxResults=100, **token)
        yield from page.get("FlywheelIterationPropertiesList", [])
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def _kept_holdout(deployment: Deployment) -> KeptHoldout | None:
    intake = deployment.intake
    keys = sorted(intake.keys("evaluations/iterations/"))
    chosen = [each for each in intake.read_all(keys, IterationHoldout) if each.holdout_id]
    frozen = read_holdout(intake, max(chosen, key=lambda each: each.iteration_id)) if chosen else None
    if frozen is None:
        return None
    asked = [key for key in intake.keys(f"evaluations/predictions/{frozen.id}/") if key.endswith("/prediction.json")]
    predictions = intake.read_all(sorted(asked), Prediction)
    answered = frozenset(each.model_arn for each in predictions if each.archive and not each.failure)
    return KeptHoldout(documents=frozen.documents, units=frozen.units, answered=answered)


def _resources(clients: Clients, name: str) -> Iterator[tuple[str, str]]:
    """Type and physical id of everything in the flywheel's stacks."""
    for stack in live_stacks(clients, name):
        pages = clients.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack["StackName"])
        for page in pages:
            for found in page["StackResourceSummaries"]:
                if found.get("PhysicalResourceId") and not found["ResourceStatus"].startswith("DELETE_"):
                    yield found["ResourceType"], found["PhysicalResourceId"]


def _metrics(clients: Clients, name: str) -> int:
    pages = clients.cloudwatch.get_paginator("list_metrics").paginate(
        Namespace=METRICS_NAMESPACE, Dimensions=[{"Name": "Flywheel", "Value": name}]
    )
    return sum(len(page["Metrics"]) for page in pages)


def _bucket_size(clients: Clients, bucket: str) -> BucketSize:
    """CloudWatch knows a bucket's size, too, but a day late."""
    size = 0
    pages = clients.s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    for number, page in enumerate(pages, start=1):
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
    pages = stepfunctions.get_paginator("get_execution_history").paginate(
        executionArn=execution_arn(deployment, turn), includeExecutionData=False, PaginationConfig={"PageSize": 1000}
    )
    try:
        entered = sum(event["type"].endswith("StateEntered") for page in pages for event in page["events"])
    except stepfunctions.exceptions.ExecutionDoesNotExist:
        return None
    return TurnTransitions(turn=turn, count=entered)
