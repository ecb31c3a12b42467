"""The same story under each reading of what AWS does not document (reference 14), and under faults of the service."""

from __future__ import annotations

import pytest

from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionStatus
from flywheel.records.turns import TurnOutcome
from flywheel.records.uploads import Split
from local.comprehend.faults import Fault
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, Document, documents, mislabelled

BUSINESS, SPORTS = LABELS
TEST = documents(*LABELS, count=10, words="judge: ")
MORE_TEST = documents(*LABELS, start=40, count=10, words="jury: ")
STILL_MORE_TEST = documents(*LABELS, start=60, count=10, words="referee: ")
GOOD = documents(*LABELS, count=20)
BETTER = documents(*LABELS, start=500, count=100)
WORSE = mislabelled(documents(*LABELS, start=100, count=300))

READINGS: list[dict[str, object]] = [
    # Question 1: where the minimum for each label holds. Question 6: how what cannot be done now is refused.
    {
        "minimum_per_label": "per_dataset",
        "minimum_documents_multi_class": 5,
        "second_iteration_error": "TooManyRequestsException",
        "update_during_iteration": "TooManyRequestsException",
        "iteration_during_ingestion": "allow",
    },
    # Question 12: the name of the first model.
    {
        "minimum_per_label": "per_flywheel",
        "minimum_documents_multi_class": 5,
        "second_iteration_error": "InvalidRequestException",
        "update_during_iteration": "InvalidRequestException",
        "iteration_during_ingestion": "InvalidRequestException",
        "start_without_data": "InvalidRequestException",
        "first_model_name": "flywheel",
    },
    # Who refuses a bad value.
    {
        "bad_value_error": "ValidationException",
        "second_iteration_error": "InvalidRequestException",
        "update_during_iteration": "InvalidRequestException",
        "iteration_during_ingestion": "InvalidRequestException",
        "start_without_data": "InvalidRequestException",
    },
    # What was just created is not found at once.
    {"created_things_found_after_seconds": 0.1},
    # Question 2: does the first model become active by itself?
    {"first_model_becomes_active": True},
    # Question 3: is the active model scored when only TRAIN data are new?
    {"evaluate_active_without_test_data": False},
    # Question 4: which TEST datasets are scored on?
    {"test_datasets_scored": "new"},
    {"test_datasets_scored": "new", "evaluate_active_without_test_data": False, "first_model_becomes_active": True},
]

FAULTS: list[list[Fault]] = [
    [Fault(operation="*", kind="throttle", every=3)],
    [Fault(operation="*", kind="throttle", every=3, code=code) for code in ("TooManyRequestsException", "SlowDown")],
    [Fault(operation="CreateDataset", code="ResourceLimitExceededException", times=3)],
    [Fault(operation=name, kind="lose_response", times=1) for name in ("CreateDataset", "UpdateFlywheel")],
    [Fault(operation="StartFlywheelIteration", kind="lose_response", times=1)],
]


def named(parameters: object) -> str:
    if isinstance(parameters, dict):
        return " ".join(f"{name}={value}" for name, value in parameters.items())
    assert isinstance(parameters, list)
    return " ".join(f"{fault.kind}-{fault.operation}-{fault.code or ''}" for fault in parameters)


@pytest.mark.parametrize("reading", READINGS, ids=named)
def test_the_story_under_every_reading(reading: dict[str, object]) -> None:
    at = Deployment()
    with at.comprehend_with(**reading):
        tell(at)


@pytest.mark.parametrize("faults", FAULTS, ids=named)
def test_the_story_under_faults(faults: list[Fault]) -> None:
    at = Deployment()
    for fault in faults:
        at.faults.add(fault)
    tell(at)


def tell(at: Deployment) -> None:
    """A first model, one made worse, one made better, and new test data; some documents have to wait meanwhile."""
    few = documents(SPORTS, start=9000, count=2)
    expected: list[Document] = []

    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", GOOD)
    expected += GOOD
    (record,) = at.run_until_at_rest()
    first = record.candidate
    assert record.decision is DecisionKind.PROMOTE
    assert record.promotion
    assert record.promotion.status in {PromotionStatus.PROMOTED, PromotionStatus.ALREADY_ACTIVE}
    assert first
    assert at.active_model() == first.arn
    at.check_consistency()

    # Where only new TEST data are scored on, these decide; without any, the model's own wrong labels would.
    at.upload("test/b.csv", MORE_TEST)
    at.upload("train/b.csv", WORSE + few)
    expected += WORSE + few
    (record,) = at.run_until_at_rest()
    assert record.decision is DecisionKind.KEEP
    assert record.candidate
    assert at.active_model() == first.arn
    at.check_consistency()

    at.upload("test/c.csv", STILL_MORE_TEST)
    (record,) = at.run_until_at_rest()
    assert record.decision is DecisionKind.REPORT
    assert record.candidate is None
    at.check_consistency()

    at.upload("train/c.csv", BETTER)
    expected += BETTER
    (record,) = at.run_until_at_rest()
    assert record.candidate
    assert record.outcome is TurnOutcome.SUCCEEDED
    at.check_consistency()

    assert sorted(at.registered() + at.waiting()) == sorted(expected)
    assert at.registered(Split.TEST) == sorted(TEST + MORE_TEST + STILL_MORE_TEST)
    assert len(at.iterations()) == 4
