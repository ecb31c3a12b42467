"""`make conformance`: what it finds is what the local Comprehend is switched to, and nothing stays behind."""

from __future__ import annotations

from typing import Any

import pytest

from local.comprehend.workers.worker_processes import WorkerProcesses
from tests.conformance import asking
from tests.conformance.__main__ import ask_and_clean_up
from tests.conformance.findings import TEXTS, Findings, Question
from tests.conformance.places import Place, local_place
from tests.contract.comprehend_world import AT_ONCE

# An iteration and a change take long enough to be looked at in the middle.
SETTINGS: dict[str, Any] = {**AT_ONCE, "iteration_training_seconds": 0.3, "endpoint_update_seconds": 0.3}
AS_DELIVERED = {
    Question.MINIMUM_MULTI_CLASS: "yes",
    Question.MINIMUM_MULTI_LABEL: "yes",
    Question.BAD_VALUE: "InvalidRequestException",
    Question.FOUND_AT_ONCE: "yes",
    Question.LAKE_URI: "yes",
    Question.SECOND_ITERATION: "ResourceInUseException",
    Question.PROMOTION_DURING_ITERATION: "allowed",
    Question.FIRST_MODEL_ACTIVE: "no",
    Question.FIRST_MODEL_NAME: "a generated name",
    Question.ACTIVE_SCORED_WITHOUT_TEST_DATA: "yes",
    Question.MOVE_WITH_MODEL: "yes",
    Question.MOVE_ALONE: "yes",
    Question.DELETION_WHILE_CHANGING: "ResourceInUseException",
    Question.FOLLOWS: "yes",
    Question.ANSWERS_WHILE_FOLLOWING: "yes",
    Question.THROTTLE: "ThrottlingException",
    Question.FLYWHEEL_DELETION_WITH_ENDPOINT: "ResourceInUseException",
}
SWITCHED: dict[str, Any] = {
    "minimum_per_label": "per_flywheel",
    "bad_value_error": "ValidationException",
    "created_things_found_after_seconds": 0.2,
    "lake_uri_ends_with_slash": False,
    "second_iteration_error": "TooManyRequestsException",
    "update_during_iteration": "TooManyRequestsException",
    "first_model_becomes_active": True,
    "first_model_name": "flywheel",
    "evaluate_active_without_test_data": False,
    "endpoint_moves_by": "flywheel_alone",
    "endpoint_deletion_during_change": "allow",
    "classification_throttle_error": "TooManyRequestsException",
    "flywheel_deletion_with_endpoints": "allow",
}
AS_SWITCHED = {
    **AS_DELIVERED,
    Question.MINIMUM_MULTI_CLASS: "no",
    Question.MINIMUM_MULTI_LABEL: "no",
    Question.BAD_VALUE: "ValidationException",
    Question.FOUND_AT_ONCE: "no: ResourceNotFoundException",
    Question.LAKE_URI: "no",
    Question.SECOND_ITERATION: "TooManyRequestsException",
    Question.PROMOTION_DURING_ITERATION: "TooManyRequestsException",
    Question.FIRST_MODEL_ACTIVE: "yes",
    Question.FIRST_MODEL_NAME: "the flywheel's name",
    Question.ACTIVE_SCORED_WITHOUT_TEST_DATA: "no",
    Question.MOVE_WITH_MODEL: "no: ValidationException",
    Question.DELETION_WHILE_CHANGING: "allowed",
    Question.THROTTLE: "TooManyRequestsException",
    Question.FLYWHEEL_DELETION_WITH_ENDPOINT: "allowed",
}


def left_in(place: Place) -> list[str]:
    client = place.comprehend
    return [
        *(item["EndpointArn"] for item in client.list_endpoints()["EndpointPropertiesList"]),
        *(item["FlywheelArn"] for item in client.list_flywheels()["FlywheelSummaryList"]),
        *(
            item["DocumentClassifierArn"]
            for item in client.list_document_classifiers()["DocumentClassifierPropertiesList"]
        ),
    ]


@pytest.mark.parametrize(
    ("changes", "expected"), [({}, AS_DELIVERED), (SWITCHED, AS_SWITCHED)], ids=["plain", "switched"]
)
def test_it_finds_what_is_switched(
    workers: WorkerProcesses, predictors: WorkerProcesses, changes: dict[str, Any], expected: dict[Question, str]
) -> None:
    with local_place("conformance-test", {**SETTINGS, **changes}, workers=workers, predictors=predictors) as place:
        findings = ask_and_clean_up(place)
        assert findings.ended_early is None
        assert {question: findings.answers.get(question) for question in expected} == expected
        assert set(findings.answers) == set(TEXTS) == set(Question)
        assert findings.answers[Question.STATUSES].endswith("COMPLETED")
        assert (findings.left, left_in(place)) == ([], [])
    report = findings.report()
    assert all(text in report for text in TEXTS.values())
    assert "111122223333" not in report


@pytest.mark.parametrize("broken", ["_first_iteration", "_endpoint", "_follow"])
def test_nothing_is_left_wherever_it_ends(
    workers: WorkerProcesses, predictors: WorkerProcesses, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    before = getattr(asking.Asking, broken)

    def interrupted(*arguments: Any, **named: Any) -> None:
        if broken != "_first_iteration":
            before(*arguments, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(asking.Asking, broken, interrupted)
    with local_place("conformance-test", SETTINGS, workers=workers, predictors=predictors) as place:
        findings = ask_and_clean_up(place)
        assert findings.ended_early == "it was interrupted"
        assert (findings.left, left_in(place)) == ([], [])
    assert "The run ended early" in findings.report()


def test_an_unasked_question_says_so() -> None:
    assert Findings(target="nowhere").report().count("not asked") == len(TEXTS)
