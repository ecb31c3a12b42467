"""A flywheel of entity recognizers, from its data over iterations to the model's description."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.comprehend_world import World
from tests.contract.error_codes import refused
from tests.contract.recognizers import dataset, described, recognizer_flywheel, task, trained
from tests.contract.sample_entities import PHRASES, TYPES, manifest, samples


def test_its_task_is_described(world: World) -> None:
    properties = world.flywheel_properties(recognizer_flywheel(world))
    assert (properties["Status"], properties["ModelType"]) == ("ACTIVE", "ENTITY_RECOGNIZER")
    assert properties["TaskConfig"] == task(*TYPES)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (task("A", "B", "A"), "more than once"),
        (task(*(f"T{number}" for number in range(26))), "1 to 25 entity types, not 26"),
        (task(), "1 to 25 entity types, not 0"),
        ({"LanguageCode": "en", "DocumentClassificationConfig": {"Mode": "MULTI_CLASS"}}, "EntityRecognitionConfig"),
        (task("A") | {"DocumentClassificationConfig": {"Mode": "MULTI_CLASS"}}, "no other"),
    ],
)
def test_other_tasks_are_refused(world: World, config: dict[str, Any], reason: str) -> None:
    with refused("InvalidRequestException") as refusal:
        world.flywheel(ModelType="ENTITY_RECOGNIZER", TaskConfig=config)
    assert reason in refusal.message


def test_twenty_five_types_are_accepted(world: World) -> None:
    types = tuple(f"T{number}" for number in range(25))
    arn = recognizer_flywheel(world, types=types)
    assert world.flywheel_properties(arn)["TaskConfig"] == task(*types)


def test_first_model(world: World) -> None:
    flywheel = recognizer_flywheel(world)
    assert dataset(world, flywheel, "train-1")["NumberOfDocuments"] == 60
    iteration = world.iterate(flywheel)
    assert (iteration["Status"], "EvaluatedModelArn" in iteration) == ("COMPLETED", False)
    arn = iteration["TrainedModelArn"]
    assert ":entity-recognizer/" in arn
    metrics = iteration["TrainedModelMetrics"]
    assert set(metrics) == {"AverageF1Score", "AveragePrecision", "AverageRecall", "AverageAccuracy"}
    assert all(0.9 <= metric <= 1 for metric in metrics.values())
    model = described(world, arn)
    assert model["Status"] == "TRAINED"
    assert model["FlywheelArn"] == flywheel
    assert model["InputDataConfig"] == {
        "DataFormat": "AUGMENTED_MANIFEST",
        "EntityTypes": [{"Type": type_} for type_ in TYPES],
    }
    metadata = model["RecognizerMetadata"]
    assert (metadata["NumberOfTrainedDocuments"], metadata["NumberOfTestDocuments"]) == (54, 6)
    assert metadata["EvaluationMetrics"]["F1Score"] == pytest.approx(100 * metrics["AverageF1Score"])
    assert [each["Type"] for each in metadata["EntityTypes"]] == list(TYPES)
    for each in metadata["EntityTypes"]:
        assert 35 <= each["NumberOfTrainMentions"] <= 45
        assert set(each["EvaluationMetrics"]) == {"Precision", "Recall", "F1Score"}
        assert each["EvaluationMetrics"]["F1Score"] > 90
    assert world.flywheel_properties(flywheel).get("ActiveModelArn") is None


def test_later_iterations_score_the_active_model_too(world: World) -> None:
    flywheel, first = trained(world)
    dataset(world, flywheel, "train-2", manifest(samples(80, tag="b")))
    dataset(world, flywheel, "test-1", manifest(samples(40, tag="t")), type_="TEST")
    iteration = world.iterate(flywheel)
    assert (iteration["EvaluatedModelArn"], iteration["TrainedModelArn"] != first) == (first, True)
    assert iteration["EvaluatedModelMetrics"]["AverageF1Score"] > 0.9
    metadata = described(world, iteration["TrainedModelArn"])["RecognizerMetadata"]
    assert (metadata["NumberOfTrainedDocuments"], metadata["NumberOfTestDocuments"]) == (140, 40)
    only_test = dataset(world, flywheel, "test-2", manifest(samples(20, tag="u")), type_="TEST")
    assert only_test["Status"] == "COMPLETED"
    iteration = world.iterate(flywheel)
    assert ("EvaluatedModelMetrics" in iteration, "TrainedModelArn" in iteration) == (True, False)


def test_scores_count_what_is_right_in_begin_end_and_type(world: World) -> None:
    """Half of the test documents have their entities shifted by one: those are wrong and missed."""
    flywheel, _ = trained(world)
    test = samples(40, tag="t", phrases=PHRASES[:1])
    shifted = [(text, [(begin + 1, end, type_) for begin, end, type_ in entities]) for text, entities in test[:20]]
    dataset(world, flywheel, "test-1", manifest(shifted + test[20:]), type_="TEST")
    metrics = world.iterate(flywheel)["EvaluatedModelMetrics"]
    assert {name: round(value, 2) for name, value in metrics.items()} == dict.fromkeys(metrics, 0.5)


def test_readings_of_the_metrics(make_world: Callable[..., World]) -> None:
    world = make_world(recognizer_iteration_scale=100, recognizer_averages="macro", recognizer_accuracy="absent")
    flywheel, model = trained(world)
    del flywheel
    files = world.objects(described(world, model)["OutputDataConfig"]["FlywheelStatsS3Prefix"])
    counts = json.loads(files["entity_types.json"])
    assert set(counts) == set(TYPES)
    (iteration,) = world.client.list_flywheel_iteration_history(
        FlywheelArn=f"{described(world, model)['FlywheelArn']}"
    )["FlywheelIterationPropertiesList"]
    metrics = iteration["TrainedModelMetrics"]
    assert set(metrics) == {"AverageF1Score", "AveragePrecision", "AverageRecall"}
    assert 90 < metrics["AverageF1Score"] <= 100


def test_only_a_recognizer_of_the_same_types_can_become_active(world: World) -> None:
    flywheel, model = trained(world)
    classifiers = world.flywheel("news")
    world.dataset(classifiers, "train-1")
    classifier = world.iterate(classifiers)["TrainedModelArn"]
    other = recognizer_flywheel(world, "other", types=("PERSON", "THING"))
    for target, promoted in ((flywheel, classifier), (classifiers, model), (other, model)):
        with refused("InvalidRequestException"):
            world.promote(target, promoted)


def test_each_kind_lists_its_own_models(world: World) -> None:
    _, recognizer = trained(world)
    news = world.flywheel("news")
    world.dataset(news, "train-1")
    classifier = world.iterate(news)["TrainedModelArn"]
    recognizers = world.client.list_entity_recognizers()["EntityRecognizerPropertiesList"]
    assert [each["EntityRecognizerArn"] for each in recognizers] == [recognizer]
    classifiers = world.client.list_document_classifiers()["DocumentClassifierPropertiesList"]
    assert [each["DocumentClassifierArn"] for each in classifiers] == [classifier]
    (summary,) = world.client.list_entity_recognizer_summaries()["EntityRecognizerSummariesList"]
    name = recognizer.split("/")[1]
    assert (summary["RecognizerName"], summary["NumberOfVersions"]) == (name, 1)
    named = world.client.list_entity_recognizers(Filter={"RecognizerName": name})
    assert len(named["EntityRecognizerPropertiesList"]) == 1
    with refused("ResourceNotFoundException"):
        described(world, recognizer.replace(name, "another"))


def test_a_recognizer_is_deleted_unless_it_is_active(world: World) -> None:
    flywheel, model = trained(world)
    with refused("ResourceInUseException"):
        world.client.delete_entity_recognizer(EntityRecognizerArn=model)
    dataset(world, flywheel, "train-2", manifest(samples(80, tag="b")))
    world.promote(flywheel, world.iterate(flywheel)["TrainedModelArn"])
    world.client.delete_entity_recognizer(EntityRecognizerArn=model)
    listed: Any = None
    while listed != 1:
        listed = len(world.client.list_entity_recognizers()["EntityRecognizerPropertiesList"])
