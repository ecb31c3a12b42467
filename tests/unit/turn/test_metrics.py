"""The numbers of a turn: what is measured, and what is left out because it is not known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel.comprehend.flywheel import Dataset, DatasetStatus
from flywheel.records.datasets import Composition, DatasetRef, DatasetSummary
from flywheel.records.decisions import Metrics, ModelScore
from flywheel.records.promotions import Promotion, PromotionSource, PromotionStatus
from flywheel.records.turns import TurnOutcome, TurnRecord, UploadCounts
from flywheel.records.uploads import Split, UploadOutcome, UploadResult
from flywheel.turn.metrics import MOST_LABELS_MEASURED, as_dimension, of_datasets, of_start, of_turn
from tests.unit.turn.test_report_turn import NOW, record, upload

LABELS = ("A", "B")
ACTIVE = ModelScore(arn="arn:active", metrics=Metrics(F1Score=0.8, Recall=0.7), source="this iteration")
CANDIDATE = ModelScore(arn="arn:candidate", metrics=Metrics(F1Score=0.9), source="this iteration")
DRIFT = "ActiveModelScoreOnNewTestData"


def measured(turn: TurnRecord, *, labels: tuple[str, ...] = LABELS) -> dict[str, float]:
    """By name; those of a label by name and label."""
    found = list(of_turn(turn, labels=labels))
    numbers = {" ".join([each.name, *each.dimensions.values()]): each.value for each in found}
    assert len(numbers) == len(found)
    return numbers


def dataset(split: Split, **labels: int) -> DatasetSummary:
    return DatasetSummary(name=f"{split}-000007", split=split, documents=sum(labels.values()), labels=labels)


def promotion(status: PromotionStatus) -> Promotion:
    return Promotion(
        request_id="i",
        source=PromotionSource.TURN,
        by="turn-000007",
        iteration_id="i",
        turn="turn-000007",
        model_arn=CANDIDATE.arn,
        former_model_arn=ACTIVE.arn,
        status=status,
        reason="-",
        at=NOW,
    )


@pytest.mark.parametrize("outcome", TurnOutcome)
def test_a_turn_succeeded_or_did_not(outcome: TurnOutcome) -> None:
    numbers = measured(record(outcome=outcome))
    assert numbers.get("TurnsSucceeded") == (1 if outcome is TurnOutcome.SUCCEEDED else None)
    assert numbers.get("TurnsFailed") == (None if outcome is TurnOutcome.SUCCEEDED else 1)


@pytest.mark.parametrize(("ended", "seconds"), [(timedelta(minutes=2), 120), (-timedelta(seconds=1), 0)])
def test_how_long_a_turn_took(ended: timedelta, seconds: float) -> None:
    assert measured(record(ended_at=NOW + ended))["TurnDuration"] == seconds


def test_a_turn_that_left_no_beginning_has_no_duration() -> None:
    assert "TurnDuration" not in measured(record(began_at=None))


def test_only_rejected_uploads_are_counted_as_such() -> None:
    results = [
        UploadResult(upload=upload(f"{outcome.name}.csv"), outcome=outcome, reason="-") for outcome in UploadOutcome
    ]
    assert measured(record(uploads=(*results, results[0])))["UploadsRejected"] == 1


def test_uploads_that_were_tried_in_vain_are_measured_as_long_as_they_lie_there() -> None:
    counts = UploadCounts(outcomes={UploadOutcome.UNREADABLE: 1, UploadOutcome.ACCEPTED: 9}, unprepared=2, set_aside=3)
    assert measured(record(upload_counts=counts))["UploadsNotPrepared"] == 6
    assert measured(record())["UploadsNotPrepared"] == 0


def test_documents_are_counted_in_all_datasets_and_by_label_in_the_training_data() -> None:
    numbers = measured(record(datasets=(dataset(Split.TEST, A=5, B=5), dataset(Split.TRAIN, A=60))))
    assert numbers["DocumentsInDatasets"] == 70
    assert (numbers["TrainingDocuments A"], numbers["TrainingDocuments B"]) == (60, 0)


def test_without_a_training_dataset_no_label_is_measured() -> None:
    assert not [name for name in measured(record(datasets=(dataset(Split.TEST, A=5),))) if "Training" in name]


@given(count=st.integers(0, 2 * MOST_LABELS_MEASURED))
def test_at_most_so_many_labels_become_metrics(count: int) -> None:
    labels = tuple(f"label {number}" for number in range(count))
    numbers = measured(record(datasets=(dataset(Split.TRAIN, **dict.fromkeys(labels, 1)),)), labels=labels)
    by_label = [name for name in numbers if name.startswith("TrainingDocuments")]
    assert len(by_label) == (count if count <= MOST_LABELS_MEASURED else 0)


@given(label=st.text(min_size=1))
def test_a_label_becomes_a_dimension_that_cloudwatch_takes(label: str) -> None:
    value = as_dimension(label)
    assert value.isascii()
    assert 1 <= len(value) <= 1024


def test_scores_are_those_that_there_are() -> None:
    numbers = measured(record(active=ACTIVE, candidate=CANDIDATE))
    scores = {name: value for name, value in numbers.items() if "Model" in name}
    assert scores == {"ActiveModelF1Score": 0.8, "ActiveModelRecall": 0.7, "CandidateModelF1Score": 0.9}


@pytest.mark.parametrize(
    ("members", "score"),
    [
        ({"active": ACTIVE}, 0.8),
        ({"active": ACTIVE, "selection_metric": "Recall"}, 0.7),
        ({"active": ACTIVE, "selection_metric": "Accuracy"}, None),
        ({"active": ACTIVE, "selection_metric": None}, None),
        ({"active": ACTIVE, "candidate": CANDIDATE}, 0.8),
        # The one that is active now was scored on the same data.
        ({"active": ACTIVE, "candidate": CANDIDATE, "promotion": promotion(PromotionStatus.PROMOTED)}, 0.9),
        ({"active": ACTIVE, "candidate": CANDIDATE, "promotion": promotion(PromotionStatus.REFUSED)}, 0.8),
        ({"active": ACTIVE.model_copy(update={"source": "the model's training"})}, None),
        ({"active": ACTIVE.model_copy(update={"source": "iteration 20261121T100000Z"})}, None),
        ({"active": ACTIVE.model_copy(update={"source": "hold-out 0123456789abcdef"})}, 0.8),
        ({}, None),
    ],
)
def test_drift_is_seen_in_scores_of_this_iteration_alone(members: dict[str, Any], score: float | None) -> None:
    assert measured(record(**{"selection_metric": "F1Score", **members})).get(DRIFT) == score


def test_datasets_are_counted_once_with_those_that_come() -> None:
    existing = [
        Dataset(name=name, arn="-", type=kind, status=status, message=None, documents=None, available_at=None)
        for name, kind, status in (
            ("train-000001", "TRAIN", DatasetStatus.COMPLETED),
            ("train-000002", "TRAIN", DatasetStatus.FAILED),
            ("test-000002", "TEST", DatasetStatus.COMPLETED),
        )
    ]

    def used(*names: str) -> dict[str, float]:
        references = tuple(DatasetRef(name=name, split=Split(name.partition("-")[0])) for name in names)
        composition = Composition(turn="turn-000003", datasets=references)
        return {found.name: found.value for found in of_datasets(existing, composition)}

    assert used() == {"TrainDatasetsUsed": 2, "TestDatasetsUsed": 1}
    assert used("train-000002") == {"TrainDatasetsUsed": 2, "TestDatasetsUsed": 1}
    assert used("train-000003", "train-000003-2", "test-000003") == {"TrainDatasetsUsed": 4, "TestDatasetsUsed": 2}


@pytest.mark.parametrize("waits", [True, False])
def test_a_person_is_waited_for_or_not(waits: bool) -> None:
    assert of_start(waits_for_a_person=waits).value == waits
