"""The dashboard: it shows the numbers that turns leave, of this flywheel alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel.turn import metrics
from stacks.monitoring import dashboard as stacks_dashboard
from tests.infrastructure.synthesised import Synthesised, as_text, run_app
from tests.infrastructure.test_functions import spoken
from tests.infrastructure.turn.test_triggers import queue

VALUES = {"<MinimumScore>": "0.5", "<DriftFloor>": "0"}
"""Of the parameters that stand in the body as numbers."""


def body(stack: Synthesised) -> dict[str, Any]:
    (found,) = stack.of_type("AWS::CloudWatch::Dashboard")
    text = as_text(found.properties["DashboardBody"])
    for reference, value in VALUES.items():
        text = text.replace(reference, value)
    decoded: dict[str, Any] = json.loads(text)
    return decoded


def graphs(stack: Synthesised) -> dict[str, dict[str, Any]]:
    """The properties of the widgets that draw, by title."""
    widgets = [widget["properties"] for widget in body(stack)["widgets"] if widget["type"] == "metric"]
    return {properties["title"]: properties for properties in widgets}


def names(graph: dict[str, Any]) -> list[str]:
    return [metric[1] for metric in graph["metrics"]]


def test_has_a_name_of_its_own_in_each_region(default: Synthesised) -> None:
    (found,) = default.of_type("AWS::CloudWatch::Dashboard")
    assert as_text(found.properties["DashboardName"]) == "news-flywheel-<AWS::Region>"
    assert default.template["Outputs"]["DashboardName"]["Value"] == {"Ref": found.logical_id}


def test_shows_what_people_ask_about(default: Synthesised) -> None:
    shown = {title: names(graph) for title, graph in graphs(default).items()}
    assert shown == {
        "SelectionMetric (<SelectionMetric>)": [
            "ActiveModel<SelectionMetric>",
            "CandidateModel<SelectionMetric>",
            "ActiveModelScoreOnNewTestData",
        ],
        "All scores of the active model": [
            f"ActiveModel{metric}" for metric in ("F1Score", "Precision", "Recall", "Accuracy")
        ],
        "All scores of the candidate model": [
            f"CandidateModel{metric}" for metric in ("F1Score", "Precision", "Recall", "Accuracy")
        ],
        "Documents put into datasets": ["DocumentsInDatasets"],
        "Training documents by label": ["TrainingDocuments"] * 4,
        "Datasets used": ["TrainDatasetsUsed", "TestDatasetsUsed"],
        "Turns by outcome": ["ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"],
        "Duration of turns, in seconds": ["TurnDuration"],
        "Rejected uploads": ["UploadsRejected"],
        "Oldest message in the turn queue, in seconds": ["ApproximateAgeOfOldestMessage"],
        "Dead letters": ["ApproximateNumberOfMessagesVisible"] * 3,
        "Waiting for a person": ["WaitingForAPerson", "PromotionsWaiting"],
        "Promotions": ["ModelsPromoted", "PromotionsFailed"],
        "Executions of the promote machine by outcome": [
            "ExecutionsSucceeded",
            "ExecutionsFailed",
            "ExecutionsTimedOut",
            "ExecutionsAborted",
        ],
        "Confidence of live predictions": ["PredictionConfidence"],
        "Live predictions that want attention": ["LowConfidencePredictions", "ThrottledPredictions"],
        "Utilisation of the endpoint, in percent": ["InferenceUtilization"],
        "Serving": ["ServingBehind", "SmokeTestFailed"],
    }


def test_shows_this_flywheel_in_its_region(any_flywheel: Synthesised) -> None:
    name = any_flywheel.name
    machines = {
        kind: f"<{any_flywheel.one(kind, 'AWS::StepFunctions::StateMachine').logical_id}>"
        for kind in ("Turn", "Promote")
    }
    queues = {
        f"<{queue(any_flywheel, prefix).logical_id}.QueueName>"
        for prefix in ("QueuesTurns", "QueuesTurnDeadLetters", "QueuesPromotionDeadLetters", "QueuesUndelivered")
    }
    for title, graph in graphs(any_flywheel).items():
        machine = machines["Promote" if "promote machine" in title else "Turn"]
        assert graph["region"] == "<AWS::Region>"
        for namespace, _, dimension, value, *_ in graph["metrics"]:
            assert {
                "ComprehendFlywheel": (dimension, value) == ("Flywheel", name),
                "AWS/States": (dimension, value) == ("StateMachineArn", machine),
                "AWS/SQS": dimension == "QueueName" and value in queues,
                "AWS/Comprehend": (dimension, spoken(value)) == ("EndpointArn", "endpoint"),
            }[namespace]


def test_widgets_do_not_overlap(default: Synthesised) -> None:
    corners = {(widget["x"], widget["y"]) for widget in body(default)["widgets"]}
    assert len(corners) == len(body(default)["widgets"])
    for widget in body(default)["widgets"]:
        assert widget["x"] + widget["width"] <= 24
        assert (widget["x"] % widget["width"], widget["y"] % widget["height"]) == (0, 0)


def test_has_a_line_for_each_label(new_key: Synthesised) -> None:
    drawn = graphs(new_key)["Training documents by label"]["metrics"]
    assert [metric[4:] for metric in drawn] == [
        ["Label", "COMEDY", {"label": "COMEDY"}],
        ["Label", "DRAMA", {"label": "DRAMA"}],
    ]


def test_a_recognizer_has_a_line_for_each_entity_type(entities: Synthesised) -> None:
    drawn = graphs(entities)["Training annotations by entity type"]["metrics"]
    assert [metric[5] for metric in drawn] == ["PERSON", "PLACE"]


@pytest.mark.parametrize("count", [20, 21])
def test_says_when_there_are_too_many_labels_to_measure(tmp_path: Path, count: int) -> None:
    labels = [f"LABEL {number:04d}" for number in range(count)]
    finished = run_app(context={"labels": labels}, outdir=tmp_path)
    assert finished.returncode == 0, finished.stderr
    stack = Synthesised(folder=tmp_path, stack="news-flywheel")
    texts = [widget["properties"]["markdown"] for widget in body(stack)["widgets"] if widget["type"] == "text"]
    measured = count <= metrics.MOST_LABELS_MEASURED
    assert ("Training documents by label" in graphs(stack)) is measured
    assert [f"has {count}" in text for text in texts] == ([] if measured else [True])


@given(label=st.text(max_size=2000))
def test_a_label_is_looked_for_under_the_name_that_turns_give_it(label: str) -> None:
    assert stacks_dashboard.as_dimension(label) == metrics.as_dimension(label)
