from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.comprehend_world import ACCOUNT, LAKE, REGION, World
from tests.contract.error_codes import refused
from tests.contract.sample_documents import LABELS, documents, multi_label_documents
from tests.contract.waiting import until

MODEL_ARN = f"arn:aws:comprehend:{REGION}:{ACCOUNT}:document-classifier/"
METRICS = {"AverageF1Score", "AveragePrecision", "AverageRecall", "AverageAccuracy"}


def with_active_model(world: World, *, test_data: bool = False) -> str:
    """A flywheel whose first model was trained and promoted."""
    flywheel = world.flywheel()
    world.dataset(flywheel, "train-1")
    if test_data:
        world.dataset(flywheel, "test-1", documents(10, tag="t"), type_="TEST")
    world.promote(flywheel, world.iterate(flywheel)["TrainedModelArn"])
    return flywheel


def reported(iteration: dict[str, Any]) -> set[str]:
    """Which of the optional members an iteration has."""
    return {"EvaluatedModelArn", "EvaluatedModelMetrics", "TrainedModelArn", "TrainedModelMetrics"} & iteration.keys()


EVALUATED = {"EvaluatedModelArn", "EvaluatedModelMetrics"}
TRAINED = {"TrainedModelArn", "TrainedModelMetrics"}


def test_first_iteration_trains_a_model_and_does_not_promote_it(world: World) -> None:
    flywheel = world.flywheel()
    world.dataset(flywheel, "train-1")
    iteration = world.iterate(flywheel)
    assert iteration["Status"] == "COMPLETED"
    assert iteration["Message"] == "FULL_ITERATION: Flywheel iteration performed all functions successfully."
    assert iteration["EndTime"]
    assert iteration["FlywheelIterationId"] == "20261118T110641Z"
    assert reported(iteration) == TRAINED
    assert iteration["TrainedModelMetrics"].keys() == METRICS
    assert all(0 < value <= 1 for value in iteration["TrainedModelMetrics"].values())
    described = world.flywheel_properties(flywheel)
    assert "ActiveModelArn" not in described
    assert described["LatestFlywheelIteration"] == "20261118T110641Z"


def test_no_new_data(world: World) -> None:
    flywheel = with_active_model(world)
    iteration = world.iterate(flywheel)
    assert iteration["Status"] == "COMPLETED"
    assert reported(iteration) == set()


def test_new_test_data_only(world: World) -> None:
    flywheel = with_active_model(world)
    world.dataset(flywheel, "test-1", documents(10, tag="t"), type_="TEST")
    iteration = world.iterate(flywheel)
    assert reported(iteration) == EVALUATED
    assert iteration["EvaluatedModelArn"] == world.flywheel_properties(flywheel)["ActiveModelArn"]
    assert iteration["EvaluatedModelMetrics"].keys() == METRICS


@pytest.mark.parametrize("test_data", [False, True])
@pytest.mark.parametrize("evaluated", [True, False])
def test_new_training_data_only(world: World, evaluated: bool, test_data: bool) -> None:
    flywheel = with_active_model(world, test_data=test_data)
    world.set(evaluate_active_without_test_data=evaluated)
    world.dataset(flywheel, "train-2")
    assert reported(world.iterate(flywheel)) == (EVALUATED | TRAINED if evaluated else TRAINED)


@pytest.mark.parametrize("evaluated", [True, False])
def test_new_training_and_test_data(world: World, evaluated: bool) -> None:
    flywheel = with_active_model(world)
    world.set(evaluate_active_without_test_data=evaluated)
    world.dataset(flywheel, "train-2")
    world.dataset(flywheel, "test-1", documents(10, tag="t"), type_="TEST")
    iteration = world.iterate(flywheel)
    assert reported(iteration) == EVALUATED | TRAINED
    assert iteration["EvaluatedModelArn"] != iteration["TrainedModelArn"]


def test_every_model_learns_from_all_training_data(world: World) -> None:
    flywheel = world.flywheel()
    world.dataset(flywheel, "test-1", documents(10, tag="t"), type_="TEST")
    for number in (1, 2, 3):
        world.dataset(flywheel, f"train-{number}")
        metadata = world.model_properties(world.iterate(flywheel)["TrainedModelArn"])["ClassifierMetadata"]
        assert metadata["NumberOfTrainedDocuments"] == 150 * number
        assert metadata["NumberOfTestDocuments"] == 30


def test_a_tenth_is_held_out_without_test_data(world: World) -> None:
    flywheel = world.flywheel()
    world.dataset(flywheel, "train-1")
    metadata = world.model_properties(world.iterate(flywheel)["TrainedModelArn"])["ClassifierMetadata"]
    assert (metadata["NumberOfTrainedDocuments"], metadata["NumberOfTestDocuments"]) == (135, 15)


def test_mislabelled_data_make_a_worse_model_and_the_score_says_so(world: World) -> None:
    flywheel = with_active_model(world, test_data=True)
    world.dataset(flywheel, "bad", documents(200, tag="bad", mislabelled=True))
    iteration = world.iterate(flywheel)
    evaluated, trained = iteration["EvaluatedModelMetrics"], iteration["TrainedModelMetrics"]
    assert trained["AverageF1Score"] < evaluated["AverageF1Score"]


@pytest.mark.parametrize(("reading", "scored_on"), [("all", 60), ("new", 45)])
def test_which_test_datasets_are_scored(world: World, reading: str, scored_on: int) -> None:
    flywheel = with_active_model(world)
    world.set(test_datasets_scored=reading)
    world.dataset(flywheel, "test-1", documents(5, tag="t1"), type_="TEST")
    world.iterate(flywheel)
    world.dataset(flywheel, "train-2")
    world.dataset(flywheel, "test-2", documents(15, tag="t2"), type_="TEST")
    model = world.model_properties(world.iterate(flywheel)["TrainedModelArn"])
    assert model["ClassifierMetadata"]["NumberOfTestDocuments"] == scored_on


def test_without_new_test_data_the_reading_new_holds_out_a_tenth(world: World) -> None:
    flywheel = with_active_model(world, test_data=True)
    world.set(test_datasets_scored="new")
    world.dataset(flywheel, "train-2")
    model = world.model_properties(world.iterate(flywheel)["TrainedModelArn"])
    assert model["ClassifierMetadata"]["NumberOfTestDocuments"] == 30
    assert model["ClassifierMetadata"]["NumberOfTrainedDocuments"] == 270


def test_first_model_becomes_active_under_the_other_reading(world: World) -> None:
    world.set(first_model_becomes_active=True)
    flywheel = world.flywheel()
    world.dataset(flywheel, "train-1")
    first = world.iterate(flywheel)["TrainedModelArn"]
    assert world.flywheel_properties(flywheel)["ActiveModelArn"] == first
    world.dataset(flywheel, "train-2")
    world.iterate(flywheel)
    assert world.flywheel_properties(flywheel)["ActiveModelArn"] == first


def test_models_of_a_flywheel_share_a_name_that_is_not_its_own(world: World) -> None:
    flywheel = world.flywheel()
    arns = []
    for number in (1, 2):
        world.dataset(flywheel, f"train-{number}")
        arns.append(world.iterate(flywheel)["TrainedModelArn"])
        world.promote(flywheel, arns[-1])
    names = {arn.removeprefix(MODEL_ARN).split("/version/")[0] for arn in arns}
    versions = {arn.split("/version/")[1] for arn in arns}
    assert len(names) == 1
    assert "news" not in names.pop()
    assert len(versions) == 2
    assert all(version.startswith("Comprehend-Generated-v1-") and len(version) == 32 for version in versions)


def test_first_model_is_named_after_the_flywheel_under_the_other_reading(world: World) -> None:
    world.set(first_model_name="flywheel")
    flywheel = world.flywheel()
    world.dataset(flywheel, "train-1")
    assert world.iterate(flywheel)["TrainedModelArn"].startswith(f"{MODEL_ARN}news/version/")


@pytest.mark.parametrize(
    ("evaluates", "statuses"), [(False, ["TRAINING", "EVALUATING"]), (True, ["EVALUATING", "TRAINING", "EVALUATING"])]
)
def test_statuses_on_the_way(make_world: Callable[..., World], evaluates: bool, statuses: list[str]) -> None:
    world = make_world()
    flywheel = with_active_model(world) if evaluates else world.flywheel()
    world.dataset(flywheel, "train-2")
    world.set(iteration_evaluation_seconds=10, iteration_training_seconds=100)
    world.clock.advance(1)
    id_ = world.client.start_flywheel_iteration(FlywheelArn=flywheel)["FlywheelIterationId"]
    for index, status in enumerate(statuses):
        until(lambda status=status: world.iteration_properties(flywheel, id_)["Status"] == status)  # type: ignore[misc]  # the default binds it
        running = world.iteration_properties(flywheel, id_)
        assert "EndTime" not in running
        assert not reported(running) & TRAINED
        assert world.flywheel_properties(flywheel)["Status"] == "ACTIVE"
        if status == "TRAINING":
            (model,) = world.client.list_document_classifiers(Filter={"Status": "TRAINING"})[
                "DocumentClassifierPropertiesList"
            ]
            assert "ClassifierMetadata" not in model
        if index == len(statuses) - 1:
            break
        world.clock.advance(10 if status == "EVALUATING" else 100)
    world.clock.advance(10)
    until(lambda: world.iteration_properties(flywheel, id_)["Status"] == "COMPLETED")


def test_one_iteration_at_a_time(make_world: Callable[..., World]) -> None:
    world = make_world(iteration_evaluation_seconds=10)
    flywheel = world.flywheel()
    world.dataset(flywheel, "train-1")
    world.client.start_flywheel_iteration(FlywheelArn=flywheel)
    for code in ("ResourceInUseException", "TooManyRequestsException", "InvalidRequestException"):
        world.set(second_iteration_error=code)
        with refused(code):
            world.client.start_flywheel_iteration(FlywheelArn=flywheel)
    assert (
        len(world.client.list_flywheel_iteration_history(FlywheelArn=flywheel)["FlywheelIterationPropertiesList"]) == 1
    )


def test_start_while_a_dataset_is_created(make_world: Callable[..., World]) -> None:
    world = make_world()
    flywheel = world.flywheel()
    world.dataset(flywheel, "train-1")
    world.set(dataset_ingestion_seconds=10)
    world.create_dataset(flywheel, "train-2", world.put("2.csv", documents(tag="2")))
    for code in ("ResourceInUseException", "TooManyRequestsException", "InvalidRequestException"):
        world.set(iteration_during_ingestion=code)
        with refused(code):
            world.client.start_flywheel_iteration(FlywheelArn=flywheel)
    world.set(iteration_during_ingestion="allow")
    model = world.model_properties(world.iterate(flywheel)["TrainedModelArn"])
    assert model["ClassifierMetadata"]["NumberOfTrainedDocuments"] == 135


def test_concurrent_iterations_of_an_account(make_world: Callable[..., World]) -> None:
    world = make_world(maximum_concurrent_iterations=1)
    flywheels = [world.flywheel(name) for name in ("one", "two")]
    for flywheel in flywheels:
        world.dataset(flywheel, "train-1")
    world.set(iteration_evaluation_seconds=10)
    world.client.start_flywheel_iteration(FlywheelArn=flywheels[0])
    for code in ("TooManyRequestsException", "ResourceInUseException", "InvalidRequestException"):
        world.set(concurrent_iterations_error=code)
        with refused(code):
            world.client.start_flywheel_iteration(FlywheelArn=flywheels[1])


def test_start_without_data(world: World) -> None:
    flywheel = world.flywheel()
    failed = world.iterate(flywheel)
    assert failed["Status"] == "FAILED"
    assert "neither an active model nor training data" in failed["Message"]
    assert reported(failed) == set()
    world.set(start_without_data="InvalidRequestException")
    with refused("InvalidRequestException"):
        world.client.start_flywheel_iteration(FlywheelArn=flywheel)
    assert (
        len(world.client.list_flywheel_iteration_history(FlywheelArn=flywheel)["FlywheelIterationPropertiesList"]) == 1
    )


def test_start_refused_unless_active(make_world: Callable[..., World]) -> None:
    world = make_world()
    flywheel = world.flywheel(DataLakeS3Uri="s3://no-such-bucket")
    with refused("InvalidRequestException"):
        world.client.start_flywheel_iteration(FlywheelArn=flywheel)
    with refused("ResourceNotFoundException"):
        world.client.start_flywheel_iteration(FlywheelArn=f"{flywheel}0")


def test_two_iterations_in_one_second_have_two_ids(world: World) -> None:
    flywheel = world.flywheel()
    ids = set()
    for _ in range(3):
        id_ = world.client.start_flywheel_iteration(FlywheelArn=flywheel)["FlywheelIterationId"]
        until(lambda id_=id_: world.iteration_properties(flywheel, id_)["Status"] == "FAILED")  # type: ignore[misc]  # the default binds it
        ids.add(id_)
    assert ids == {"20261118T110640Z", "20261118T110641Z", "20261118T110642Z"}


def test_test_data_must_cover_the_labels_of_the_training_data(world: World) -> None:
    flywheel = world.flywheel()
    world.dataset(flywheel, "train-1")
    world.dataset(flywheel, "test-1", documents(20, labels=LABELS[:2], tag="t"), type_="TEST")
    failed = world.iterate(flywheel)
    assert failed["Status"] == "FAILED"
    assert failed["Message"] == "The TEST data have no document of these labels: SCIENCE."
    # What was new to a failed iteration is new to the next.
    world.dataset(flywheel, "test-2", documents(20, labels=LABELS[2:], tag="t"), type_="TEST")
    assert world.iterate(flywheel)["Status"] == "COMPLETED"


def test_minimum_per_label_over_the_flywheel_under_the_other_reading(world: World) -> None:
    world.set(minimum_per_label="per_flywheel")
    flywheel = world.flywheel()
    world.dataset(flywheel, "train-1", documents(25, tag="1"))
    failed = world.iterate(flywheel)
    assert "Each label of a flywheel needs at least 50 training documents" in failed["Message"]
    world.dataset(flywheel, "train-2", documents(25, tag="2"))
    assert world.iterate(flywheel)["Status"] == "COMPLETED"


def test_training_needs_two_labels(world: World) -> None:
    flywheel = world.flywheel()
    world.dataset(flywheel, "train-1", documents(50, labels=LABELS[:1]))
    failed = world.iterate(flywheel)
    assert "at least two different labels" in failed["Message"]
    (model,) = world.client.list_document_classifiers()["DocumentClassifierPropertiesList"]
    assert model["Status"] == "IN_ERROR"
    assert model["Message"] == failed["Message"]


def test_multi_label_iteration(world: World) -> None:
    flywheel = world.flywheel(mode="MULTI_LABEL")
    world.dataset(flywheel, "train-1", multi_label_documents(40, delimiter=";"), delimiter=";")
    world.dataset(flywheel, "test-1", multi_label_documents(5, tag="t"), type_="TEST")
    iteration = world.iterate(flywheel)
    model = world.model_properties(iteration["TrainedModelArn"])
    assert model["Mode"] == "MULTI_LABEL"
    assert iteration["TrainedModelMetrics"]["AverageF1Score"] > 0.8


@pytest.mark.parametrize("test_data", [True, False])
def test_equal_data_give_equal_models_in_whatever_order_they_came(world: World, test_data: bool) -> None:
    scores = []
    for order in (("a", "b", "c"), ("c", "a", "b")):
        flywheel = world.flywheel(f"order-{''.join(order)}")
        for name in order:
            world.dataset(flywheel, f"train-{name}", documents(60, tag=name, mislabelled=name == "b"))
        if test_data:
            world.dataset(flywheel, "test", documents(70, tag="t", mislabelled=True), type_="TEST")
        iteration = world.iterate(flywheel)
        scores.append(iteration["TrainedModelMetrics"])
    assert scores[0] == scores[1]
    assert 0 < scores[0]["AverageF1Score"] < 1


def test_lake_that_cannot_be_written_fails_the_iteration(world: World) -> None:
    flywheel = world.flywheel()
    world.dataset(flywheel, "train-1")
    (world.root / LAKE).rename(world.root / "elsewhere")
    failed = world.iterate(flywheel)
    assert failed["Status"] == "FAILED"
    assert "NoSuchBucket" in failed["Message"]
    assert reported(failed) == set()
    (model,) = world.client.list_document_classifiers()["DocumentClassifierPropertiesList"]
    assert model["Status"] == "IN_ERROR"


def test_evaluation_manifest_lies_in_the_lake(world: World) -> None:
    flywheel = world.flywheel()
    dataset = world.dataset(flywheel, "train-1")
    iteration = world.iterate(flywheel)
    prefix = f"{world.flywheel_properties(flywheel)['DataLakeS3Uri']}evaluation/{iteration['FlywheelIterationId']}/"
    assert iteration["EvaluationManifestS3Prefix"] == prefix
    (manifest,) = world.objects(prefix).values()
    assert json.loads(manifest)["TrainDatasets"] == [dataset["DatasetS3Uri"]]


def test_iteration_of_nowhere(world: World) -> None:
    with refused("ResourceNotFoundException"):
        world.iteration_properties(world.flywheel(), "20260101T000000Z")
