"""Augmented manifests as the data of classifiers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.comprehend_world import World
from tests.contract.recognizers import create, ended, manifests
from tests.contract.sample_documents import LABELS, rows, text_about
from tests.contract.sample_entities import json_lines


def line(text: str, *labels: str, attribute: str = "topic") -> dict[str, Any]:
    """A line of a multi-class job for one label, otherwise of a multi-label job."""
    metadata: dict[str, Any] = {"job-name": "labeling-job/job", "human-annotated": "yes"}
    if len(labels) == 1:
        return {
            "source": text,
            attribute: 1,
            f"{attribute}-metadata": {**metadata, "class-name": labels[0], "confidence": 0.81},
        }
    return multi(text, *labels, attribute=attribute)


def multi(text: str, *labels: str, attribute: str = "topic") -> dict[str, Any]:
    classes = [LABELS.index(label) for label in labels]
    named = {str(class_): label for class_, label in zip(classes, labels, strict=True)}
    return {
        "source": text,
        attribute: classes,
        f"{attribute}-metadata": {"class-map": named, "confidence-map": dict.fromkeys(named, 0.66)},
    }


def taken_in(world: World, lines: list[dict[str, Any]], *attributes: str, mode: str = "MULTI_CLASS") -> Any:
    flywheel = world.flywheel(mode=mode)
    uri = world.put("train.manifest", json_lines(lines))
    return flywheel, ended(world, create(world, flywheel, "train-1", manifests(uri, *(attributes or ("topic",)))))


def test_multi_class(world: World) -> None:
    flywheel, made = taken_in(world, [line(text, label) for label, text in rows()])
    assert (made["Status"], made.get("NumberOfDocuments")) == ("COMPLETED", 150), made
    assert list(world.objects(made["DatasetS3Uri"])) == ["train.manifest"]
    assert world.iterate(flywheel)["TrainedModelMetrics"]["AverageF1Score"] > 0.9


def test_multi_label(world: World) -> None:
    subjects = [(one,) for one in LABELS] + [(one, other) for one in LABELS for other in LABELS if one < other]
    lines = [multi(text_about(*about, seed=str(n)), *about) for about in subjects for n in range(30)]
    # A document that nothing was chosen for is no training document.
    flywheel, made = taken_in(world, [*lines, multi("nothing of all this")], mode="MULTI_LABEL")
    assert (made["Status"], made.get("NumberOfDocuments")) == ("COMPLETED", 181), made
    iteration = world.iterate(flywheel)
    metadata = world.model_properties(iteration["TrainedModelArn"])["ClassifierMetadata"]
    assert metadata["NumberOfTrainedDocuments"] + metadata["NumberOfTestDocuments"] == 180
    assert iteration["TrainedModelMetrics"]["AverageF1Score"] > 0.8


def test_labels_that_the_flywheel_does_not_know(world: World) -> None:
    _, made = taken_in(world, [*(line(text, label) for label, text in rows()), line("text", "OTHER")])
    assert made["Status"] == "COMPLETED"
    _, debug = world.administration("GET", "debug")
    assert debug["dropped"][0]["unknown_labels"] == {"OTHER": 1}


@pytest.mark.parametrize(
    ("wrong", "mode", "reason"),
    [
        ({"source": "text", "topic": 1}, "MULTI_CLASS", "topic-metadata does not hold a class-name"),
        (multi("text", "SPORTS"), "MULTI_CLASS", "topic-metadata does not hold a class-name"),
        (line("text", "SPORTS"), "MULTI_LABEL", "topic-metadata does not hold a class-map"),
        (multi("text", "SPORTS") | {"topic": [7]}, "MULTI_LABEL", "class-map with the classes of the attribute"),
        ({"source": "text"}, "MULTI_CLASS", "the attribute topic is missing"),
        (line("text", "x" * 5001), "MULTI_CLASS", "a label is longer than 5000 characters"),
        (line("text", ""), "MULTI_CLASS", "a label is empty"),
        (
            line("text", "A") | {"topic-metadata": {"class-name": ["SPORTS"]}},
            "MULTI_CLASS",
            "a label of topic is no text",
        ),
    ],
)
def test_what_makes_a_dataset_failed(world: World, wrong: dict[str, Any], mode: str, reason: str) -> None:
    good = [line(text, label) if mode == "MULTI_CLASS" else multi(text, label) for label, text in rows()]
    _, made = taken_in(world, [*good, wrong], mode=mode)
    assert made["Status"] == "FAILED"
    assert "train.manifest, line 151" in made["Message"]
    assert reason in made["Message"]


def test_attributes_that_disagree(world: World) -> None:
    agreeing = [line(text, label, attribute="a") | line(text, label, attribute="b") for label, text in rows()]
    _, made = taken_in(world, agreeing, "a", "b")
    assert made["Status"] == "COMPLETED"
    wrong = line("text", "SPORTS", attribute="a") | line("text", "SCIENCE", attribute="b")
    flywheel = world.flywheel("other")
    uri = world.put("wrong.manifest", json_lines([*agreeing, wrong]))
    made = ended(world, create(world, flywheel, "train-1", manifests(uri, "a", "b")))
    assert "line 151: the attributes give more than one label: SCIENCE, SPORTS" in made["Message"]
