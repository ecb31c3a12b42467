from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.comprehend_world import ROLE, World
from tests.contract.error_codes import refused
from tests.contract.keys import KEYS
from tests.contract.sample_documents import LABELS, csv_of, documents, multi_label_documents, rows
from tests.contract.waiting import until


def trained(world: World, name: str = "news", **members: Any) -> tuple[str, str]:
    """A flywheel and the model its first iteration trained, tested on data of their own."""
    flywheel = world.flywheel(name, **members)
    multi_label = members.get("mode") == "MULTI_LABEL"
    train = multi_label_documents(30) if multi_label else documents(tag="x") + documents(20, tag="y", mislabelled=True)
    test = multi_label_documents(4, tag="t") if multi_label else csv_of(unbalanced())
    world.dataset(flywheel, "train-1", train)
    world.dataset(flywheel, "test-1", test, type_="TEST")
    return flywheel, world.iterate(flywheel)["TrainedModelArn"]


def unbalanced() -> list[tuple[str, str]]:
    """30, 20 and 10 rows of the three labels: a macro average differs from any other."""
    return [row for number, label in enumerate(LABELS) for row in rows(30 - 10 * number, labels=[label], tag="t")]


def confusion(world: World, model: dict[str, Any]) -> dict[str, Any]:
    files = world.objects(model["OutputDataConfig"]["FlywheelStatsS3Prefix"])
    content: dict[str, Any] = json.loads(files["confusion_matrix.json"])
    return content


def ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def test_description(world: World) -> None:
    security: Any = {
        "ModelKmsKeyId": KEYS[0],
        "VolumeKmsKeyId": KEYS[1],
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
    }
    flywheel, arn = trained(world, DataSecurityConfig={**security, "DataLakeKmsKeyId": KEYS[2]})
    model = world.model_properties(arn)
    moments = [model.pop(name) for name in ("SubmitTime", "TrainingStartTime", "TrainingEndTime", "EndTime")]
    assert moments == sorted(moments)
    metadata = model.pop("ClassifierMetadata")
    assert (metadata["NumberOfLabels"], metadata["NumberOfTrainedDocuments"]) == (3, 210)
    assert metadata["NumberOfTestDocuments"] == 60
    version = arn.split("/")[-1]
    assert model == {
        "DocumentClassifierArn": arn,
        "LanguageCode": "en",
        "Status": "TRAINED",
        "InputDataConfig": {"DataFormat": "COMPREHEND_CSV"},
        "OutputDataConfig": {
            "FlywheelStatsS3Prefix": f"{world.flywheel_properties(flywheel)['DataLakeS3Uri']}"
            f"model-datasets/{version}/model-stats/"
        },
        "DataAccessRoleArn": ROLE,
        "Mode": "MULTI_CLASS",
        "VersionName": version,
        "FlywheelArn": flywheel,
        **security,
    }


def test_multi_class_metrics_follow_from_the_confusion_matrix(world: World) -> None:
    _, arn = trained(world)
    model = world.model_properties(arn)
    matrix = confusion(world, model)
    assert (matrix["type"], matrix["labels"], matrix["all_labels"]) == ("multi_class", sorted(LABELS), sorted(LABELS))
    table = matrix["confusion_matrix"]
    right = [table[n][n] for n in range(3)]
    actual = [sum(row) for row in table]
    predicted = [sum(column) for column in zip(*table, strict=True)]
    assert actual == [20, 10, 30]
    precisions = [ratio(right[n], predicted[n]) for n in range(3)]
    recalls = [ratio(right[n], actual[n]) for n in range(3)]
    f1 = [ratio(2 * p * r, p + r) for p, r in zip(precisions, recalls, strict=True)]
    accuracy = sum(right) / 60
    metrics = model["ClassifierMetadata"]["EvaluationMetrics"]
    assert metrics == pytest.approx(
        {
            "Accuracy": accuracy,
            "Precision": sum(precisions) / 3,
            "Recall": sum(recalls) / 3,
            "F1Score": sum(f1) / 3,
            "MicroPrecision": accuracy,
            "MicroRecall": accuracy,
            "MicroF1Score": accuracy,
            "HammingLoss": 1 - accuracy,
        }
    )
    # The sample is made to be learnt imperfectly, or equal figures would prove nothing.
    assert 0 < metrics["F1Score"] < 1


def test_multi_label_metrics_follow_from_the_confusion_matrix(world: World) -> None:
    _, arn = trained(world, mode="MULTI_LABEL")
    model = world.model_properties(arn)
    matrix = confusion(world, model)
    assert matrix["type"] == "multi_label"
    f1, wrong, right = [], 0, 0
    for (true_negative, false_positive), (false_negative, true_positive) in matrix["confusion_matrix"]:
        assert true_negative + false_positive + false_negative + true_positive == 24
        f1.append(ratio(2 * true_positive, 2 * true_positive + false_positive + false_negative))
        wrong += false_positive + false_negative
        right += true_positive
    metrics = model["ClassifierMetadata"]["EvaluationMetrics"]
    assert metrics["F1Score"] == pytest.approx(sum(f1) / 3)
    assert metrics["HammingLoss"] == pytest.approx(wrong / 72)
    assert metrics["MicroF1Score"] == pytest.approx(2 * right / (2 * right + wrong))


def test_iteration_and_model_report_the_same_figures(world: World) -> None:
    flywheel, arn = trained(world)
    (iteration,) = world.client.list_flywheel_iteration_history(FlywheelArn=flywheel)["FlywheelIterationPropertiesList"]
    metrics = world.model_properties(arn)["ClassifierMetadata"]["EvaluationMetrics"]
    assert iteration["TrainedModelMetrics"] == {
        "AverageF1Score": metrics["F1Score"],
        "AveragePrecision": metrics["Precision"],
        "AverageRecall": metrics["Recall"],
        "AverageAccuracy": metrics["Accuracy"],
    }


def test_active_model_scores_the_same_as_when_it_was_trained(world: World) -> None:
    flywheel, arn = trained(world)
    world.promote(flywheel, arn)
    world.dataset(flywheel, "train-2", documents(tag="z"))
    first, second = (
        world.client.list_flywheel_iteration_history(FlywheelArn=flywheel)["FlywheelIterationPropertiesList"],
        world.iterate(flywheel),
    )
    assert second["EvaluatedModelMetrics"] == first[0]["TrainedModelMetrics"]


def test_summaries_count_versions(world: World) -> None:
    flywheel, first = trained(world)
    world.dataset(flywheel, "train-2")
    second = world.iterate(flywheel)["TrainedModelArn"]
    _, other = trained(world, "other")
    names = {arn: arn.split("document-classifier/")[1].split("/")[0] for arn in (first, second, other)}
    assert names[first] == names[second]
    summaries = world.client.list_document_classifier_summaries()["DocumentClassifierSummariesList"]
    assert [(s["DocumentClassifierName"], s["NumberOfVersions"], s["LatestVersionName"]) for s in summaries] == [
        (names[other], 1, other.split("/")[-1]),
        (names[second], 2, second.split("/")[-1]),
    ]
    assert summaries[1]["LatestVersionStatus"] == "TRAINED"
    assert summaries[1]["LatestVersionCreatedAt"] == world.model_properties(second)["SubmitTime"]


def test_deletion(make_world: Callable[..., World]) -> None:
    world = make_world(model_deletion_seconds=5)
    _, arn = trained(world)
    world.client.delete_document_classifier(DocumentClassifierArn=arn)
    assert world.model_properties(arn)["Status"] == "DELETING"
    with refused("ResourceUnavailableException"):
        world.client.delete_document_classifier(DocumentClassifierArn=arn)
    world.clock.advance(5)
    until(lambda: world.client.list_document_classifiers()["DocumentClassifierPropertiesList"] == [])
    with refused("ResourceNotFoundException"):
        world.client.delete_document_classifier(DocumentClassifierArn=arn)


def test_active_model_cannot_be_deleted(world: World) -> None:
    flywheel, arn = trained(world)
    world.promote(flywheel, arn)
    with refused("ResourceInUseException"):
        world.client.delete_document_classifier(DocumentClassifierArn=arn)
    world.client.delete_flywheel(FlywheelArn=flywheel)
    until(lambda: world.client.list_flywheels()["FlywheelSummaryList"] == [])
    world.client.delete_document_classifier(DocumentClassifierArn=arn)


def test_model_under_evaluation_cannot_be_deleted(make_world: Callable[..., World]) -> None:
    world = make_world()
    flywheel, first = trained(world)
    world.promote(flywheel, first)
    world.dataset(flywheel, "train-2")
    second = world.iterate(flywheel)["TrainedModelArn"]
    world.dataset(flywheel, "test-2", documents(20, tag="t2"), type_="TEST")
    world.set(iteration_evaluation_seconds=10)
    world.client.start_flywheel_iteration(FlywheelArn=flywheel)
    world.promote(flywheel, second)
    with refused("ResourceInUseException"):
        world.client.delete_document_classifier(DocumentClassifierArn=first)


def test_model_in_training_cannot_be_deleted(make_world: Callable[..., World]) -> None:
    world = make_world(iteration_training_seconds=100)
    flywheel = world.flywheel()
    world.dataset(flywheel, "train-1")
    world.client.start_flywheel_iteration(FlywheelArn=flywheel)
    (model,) = until(lambda: world.client.list_document_classifiers()["DocumentClassifierPropertiesList"])
    assert model["Status"] == "TRAINING"
    with refused("ResourceUnavailableException"):
        world.client.delete_document_classifier(DocumentClassifierArn=model["DocumentClassifierArn"])
