"""The metrics of a turn for the dashboard and the alarms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from flywheel.measurement import Measurement, Unit
from flywheel.records.datasets import Composition
from flywheel.records.decisions import HOLDOUT_SOURCE, ModelScore
from flywheel.records.promotions import PromotionStatus
from flywheel.records.turns import TurnOutcome, TurnRecord
from flywheel.records.uploads import Split, UploadOutcome

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import Dataset

MOST_LABELS_MEASURED = 20
"""A flywheel with more labels has no metrics by label, because CloudWatch bills each label as a metric."""
_LONGEST_DIMENSION = 1024
"""CloudWatch's limit, in characters of a dimension's value."""
_NEW_EVIDENCE = ("this iteration", HOLDOUT_SOURCE)


def of_turn(record: TurnRecord, *, labels: Iterable[str]) -> Iterator[Measurement]:
    """The metrics of a turn that ended. `labels` are all labels of the flywheel."""
    succeeded = record.outcome is TurnOutcome.SUCCEEDED
    yield Measurement(name="TurnsSucceeded" if succeeded else "TurnsFailed", value=1)
    if record.began_at is not None:
        seconds = max(0.0, (record.ended_at - record.began_at).total_seconds())
        yield Measurement(name="TurnDuration", value=seconds, unit=Unit.SECONDS)
    yield Measurement(name="UploadsRejected", value=record.counts.outcomes.get(UploadOutcome.REJECTED, 0))
    yield Measurement(name="UploadsNotPrepared", value=record.counts.not_prepared)
    yield Measurement(name="DocumentsInDatasets", value=sum(dataset.documents for dataset in record.datasets))
    yield from _documents_by_label(record, tuple(labels))
    for which, model in (("ActiveModel", record.active), ("CandidateModel", record.candidate)):
        for name, value in model.metrics if model is not None else ():
            if value is not None:
                yield Measurement(name=f"{which}{name}", value=value, unit=Unit.NONE)
    score = _score_on_new_test_data(record)
    if score is not None:
        yield Measurement(name="ActiveModelScoreOnNewTestData", value=score, unit=Unit.NONE)


def _documents_by_label(record: TurnRecord, labels: tuple[str, ...]) -> Iterator[Measurement]:
    """The training documents that the turn put into datasets."""
    if len(labels) > MOST_LABELS_MEASURED:
        return
    train = [dataset for dataset in record.datasets if dataset.split is Split.TRAIN]
    for label in labels if train else ():
        yield Measurement(
            name="TrainingDocuments",
            value=sum(dataset.labels.get(label, 0) for dataset in train),
            dimensions={"Label": as_dimension(label)},
        )


def as_dimension(label: str) -> str:
    """The label as a dimension's value, for which CloudWatch takes only ASCII: the rest is escaped as in Python."""
    return label.encode("ascii", "backslashreplace").decode()[:_LONGEST_DIMENSION]


def _score_on_new_test_data(record: TurnRecord) -> float | None:
    """The score, from this turn's iteration or hold-out, of the model that is active when the turn ends.

    A score from its training, or from an older iteration, says nothing about drift.
    """
    promotion = record.promotion
    # The turn does not wait for the promotion that it requested. Without approval, it is complete in a moment.
    promoted = promotion is not None and (promotion.status.made_active or promotion.status is PromotionStatus.REQUESTED)
    model: ModelScore | None = record.candidate if promoted else record.active
    if model is None or not model.source.startswith(_NEW_EVIDENCE) or record.selection_metric is None:
        return None
    return model.metrics.value(record.selection_metric)


def of_datasets(existing: Iterable[Dataset], composition: Composition) -> Iterator[Measurement]:
    """The numbers of TRAIN and of TEST datasets, which have quotas, including those that this turn is about to
    register."""
    there = list(existing)
    for split in Split:
        names = {dataset.name for dataset in there if dataset.type == split.dataset_type}
        names |= {reference.name for reference in composition.datasets if reference.split is split}
        yield Measurement(name=f"{split.title()}DatasetsUsed", value=len(names))


def of_start(*, waits_for_a_person: bool) -> Measurement:
    """1 if so many turns failed in a row that the pipeline does not try again by itself, else 0."""
    return Measurement(name="WaitingForAPerson", value=int(waits_for_a_person))
