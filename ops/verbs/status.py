"""What a deployed flywheel is doing, what waits and why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from flywheel.comprehend.flywheel import Dataset, DatasetStatus
from flywheel.comprehend.model_kind import Task
from flywheel.datasets.look_ahead import look_ahead
from flywheel.decisions.history import known_score
from flywheel.promotions.changed_outside import describe_change_outside
from flywheel.records.datasets import accepted_manifests
from flywheel.records.decisions import ModelScore
from flywheel.records.exclusions import read_exclusions
from flywheel.records.promotions import PromotionMode
from flywheel.records.serving import ServingState
from flywheel.records.turns import PAUSE_KEY, REQUEST_KEY, Pause, TurnRecord, TurnRequest
from flywheel.records.uploads import Split
from flywheel.store.record import Record
from flywheel.turn.start_turn import TurnStart, decide, observe
from flywheel.turn.unfinished import unfinished_iteration
from ops.deployment.published import Deployment
from ops.verbs.endpoint import serving_state
from ops.verbs.exclude import Excluded, excluded
from ops.verbs.prepared import Prepared, UploadWaiting, prepared, size_about, uploads_waiting
from ops.verbs.promotions import DesiredModel, Promotions, another_desired, promotions_now
from ops.verbs.review_publish import AnswersWaiting, answers_waiting
from ops.verbs.share import SharingNow, sharing_now
from ops.verbs.turns import TurnProgress, TurnState, last_ended_turn, running_turn

DATASETS_A_FLYWHEEL = 50
"""AWS's default quota of TRAIN and of TEST datasets, adjustable on request (reference 4.7)."""


RUNNING_OUT = (
    "Four fifths are used, and none can be deleted: have AWS raise the quota, or `flywheel generation new` makes a new "
    "flywheel with all that was accepted in as few datasets as hold it."
)


class DatasetQuota(Record):
    split: Split
    used: int
    """Failed ones included: a dataset cannot be deleted."""
    limit: int = DATASETS_A_FLYWHEEL
    creating: int = 0
    failed: int = 0

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def running_out(self) -> bool:
        """As the alarms TrainDatasetQuota and TestDatasetQuota say it."""
        return self.used >= self.limit * 8 // 10


class NextTurn(Record):
    due: bool
    reason: str
    looked_at_again: datetime | None = None
    """When the pipeline looks again by itself, without an event or the schedule."""


class Status(Record):
    name: str
    region: str
    flywheel_arn: str
    flywheel_status: str
    flywheel_message: str | None = None
    selection_metric: str
    active: ModelScore | None = None
    """None until a first model is promoted."""
    changed_outside: str | None = None
    """A sentence, when the active model was changed past the pipeline and the next turn takes note of it."""
    serving: ServingState | None = None
    """Of the endpoint; None before anything was wanted."""
    sharing: SharingNow | None = None
    """With other accounts; None if none is trusted."""
    promotion_mode: PromotionMode = PromotionMode.AUTOMATIC
    promotions: Promotions = Promotions()
    desired: DesiredModel | None = None
    """None where it is the active model."""
    running: TurnProgress | None = None
    last_turn: TurnRecord | None = None
    paused: Pause | None = None
    request: TurnRequest | None = None
    """A turn that an operator asked for and that has not begun."""
    next_turn: NextTurn
    uploads: tuple[UploadWaiting, ...] = ()
    prepared: tuple[Prepared, ...] = ()
    quotas: tuple[DatasetQuota, ...] = ()
    excluded: Excluded = Excluded()
    answers: AnswersWaiting | None = None
    """Of reviewers, that are not published yet."""


def status(deployment: Deployment, *, now: datetime | None = None) -> Status:
    """Raises botocore's errors and flywheel.faults.errors.InvalidRecord."""
    now = now or datetime.now(UTC)
    intake = deployment.intake
    service = deployment.service
    described = deployment.clients.comprehend.describe_flywheel(FlywheelArn=deployment.flywheel_arn)
    properties = described.get("FlywheelProperties", {})
    active_arn = properties.get("ActiveModelArn")
    datasets = service.datasets()
    quotas = tuple(quota_of(split, datasets) for split in Split)
    paused = intake.read(PAUSE_KEY, Pause)
    running = running_turn(deployment)
    return Status(
        name=deployment.name,
        region=deployment.region,
        flywheel_arn=deployment.flywheel_arn,
        flywheel_status=properties.get("Status", "UNKNOWN"),
        flywheel_message=properties.get("Message"),
        selection_metric=deployment.parameters.selection_metric,
        active=known_score(intake=intake, service=service, model_arn=active_arn) if active_arn else None,
        changed_outside=None if running else changed_outside(deployment),
        serving=serving_state(deployment),
        sharing=sharing_now(deployment),
        promotion_mode=deployment.parameters.promotion_mode,
        promotions=promotions_now(deployment),
        desired=another_desired(deployment, active=active_arn),
        running=running,
        # The current turn may still run.
        last_turn=last_ended_turn(deployment, look_back=2),
        paused=paused,
        request=intake.read(REQUEST_KEY, TurnRequest),
        next_turn=next_turn(
            start=_next_turn(deployment, now),
            running=running,
            paused=paused,
            trigger_on_upload=deployment.parameters.trigger_on_upload,
            now=now,
        ),
        uploads=tuple(uploads_waiting(intake, turn_runs=running is not None and running.state is not TurnState.ENDED)),
        prepared=tuple(_prepared(deployment, quota) for quota in quotas),
        quotas=quotas,
        excluded=excluded(deployment),
        answers=answers_waiting(deployment),
    )


def quota_of(split: Split, datasets: Iterable[Dataset]) -> DatasetQuota:
    ours = [dataset for dataset in datasets if dataset.type == split.dataset_type]
    return DatasetQuota(
        split=split,
        used=len(ours),
        creating=sum(dataset.status is DatasetStatus.CREATING for dataset in ours),
        failed=sum(dataset.status is DatasetStatus.FAILED for dataset in ours),
    )


def changed_outside(deployment: Deployment) -> str | None:
    """What the next turn would find. While one runs it may be about to publish the change."""
    unfinished = unfinished_iteration(deployment.intake, deployment.service)
    change = describe_change_outside(unfinished=unfinished, pipeline=deployment.pipeline)
    return f"{change} The next turn records that and publishes it." if change else None


def next_turn(
    *, start: TurnStart, running: TurnProgress | None, paused: Pause | None, trigger_on_upload: bool, now: datetime
) -> NextTurn:
    """When the next turn starts, in words."""
    if paused is not None:
        return NextTurn(due=False, reason="the pipeline is paused: `flywheel resume`")
    if running is not None and running.state is not TurnState.ENDED:
        return NextTurn(due=False, reason=f"{running.turn} runs; when it ends the pipeline looks for more to do")
    if start.start and not trigger_on_upload:
        how = "TriggerOnUpload is off: the schedule or `flywheel turn --now` starts it"
        return NextTurn(due=True, reason=f"{start.reason}; {how}")
    again = now + start.again_in if start.again_in is not None else None
    return NextTurn(due=start.start, reason=start.reason, looked_at_again=again)


def _next_turn(deployment: Deployment, now: datetime) -> TurnStart:
    """What start_turn would say now, by its own rules."""
    state = observe(
        pipeline=deployment.pipeline,
        pokes=frozenset(),
        now=now,
        quiet_period=timedelta(minutes=deployment.parameters.quiet_period_minutes),
        minimum_between_iterations=timedelta(hours=deployment.parameters.minimum_hours_between_iterations),
    )
    return decide(state)


def _prepared(deployment: Deployment, quota: DatasetQuota) -> Prepared:
    outlook = look_ahead(
        quota.split,
        intake=deployment.intake,
        flywheel_arn=deployment.flywheel_arn,
        accepted=accepted_manifests(deployment.intake, quota.split),
        kind=deployment.service.kind,
        task=Task(labels=deployment.labels, multi_label=deployment.multi_label),
        minimum=deployment.parameters.minimum_documents_per_label,
        conflicting_labels=deployment.parameters.conflicting_labels,
        size=size_about,
        exclusions=read_exclusions(deployment.intake),
    )
    return prepared(outlook, quota_left=quota.left)
