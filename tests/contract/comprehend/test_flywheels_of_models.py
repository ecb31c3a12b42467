"""Flywheels that begin with a model that was trained without one."""

from __future__ import annotations

from typing import Any

from tests.contract import recognizers
from tests.contract.comprehend_world import BUCKET, World
from tests.contract.error_codes import refused
from tests.contract.sample_documents import LABELS, csv_of, documents, rows
from tests.contract.sample_entities import TYPES, json_lines, manifest, samples
from tests.contract.trainings import CSV, classifier, created, described, ended, put, recognizer


def datasets(world: World, flywheel: str) -> dict[str, dict[str, Any]]:
    """The datasets that appeared by themselves, by type."""
    listed = world.client.list_datasets(FlywheelArn=flywheel)["DatasetPropertiesList"]
    return {each["DatasetType"]: dict(each) for each in listed}


def test_a_classifier(world: World) -> None:
    put(world)
    test = world.put("test.csv", csv_of(rows(10, tag="t")))
    model = created(world, classifier(InputDataConfig={"S3Uri": CSV, "TestS3Uri": test}))
    assert ended(world, model)["Status"] == "TRAINED"
    flywheel = world.flywheel(ActiveModelArn=model)
    properties = world.flywheel_properties(flywheel)
    assert (properties["Status"], properties["ActiveModelArn"]) == ("ACTIVE", model)
    config = properties["TaskConfig"]["DocumentClassificationConfig"]
    assert config == {"Mode": "MULTI_CLASS", "Labels": sorted(LABELS)}
    made = datasets(world, flywheel)
    assert {type_: each["NumberOfDocuments"] for type_, each in made.items()} == {"TRAIN": 150, "TEST": 30}
    assert made["TRAIN"]["Description"] == "TRAIN Dataset created by Flywheel creation."
    assert "TrainedModelArn" not in world.iterate(flywheel)
    world.dataset(flywheel, "more", documents(60, tag="b"))
    trained = world.iterate(flywheel)
    assert (trained["Status"], trained["EvaluatedModelArn"]) == ("COMPLETED", model)
    assert trained["TrainedModelArn"].startswith(f"{model}/version/Comprehend-Generated-v1-")
    world.promote(flywheel, trained["TrainedModelArn"])
    world.promote(flywheel, model)


def test_a_recognizer(world: World) -> None:
    put(world)
    model = created(world, recognizer())
    assert ended(world, model)["Status"] == "TRAINED"
    flywheel = world.flywheel("people", ActiveModelArn=model)
    properties = world.flywheel_properties(flywheel)
    assert (properties["Status"], properties["ModelType"]) == ("ACTIVE", "ENTITY_RECOGNIZER")
    assert properties["TaskConfig"] == recognizers.task(*TYPES)
    assert {type_: each["NumberOfDocuments"] for type_, each in datasets(world, flywheel).items()} == {"TRAIN": 150}
    recognizers.dataset(world, flywheel, "more", manifest(samples(80, tag="b")))
    trained = world.iterate(flywheel)["TrainedModelArn"]
    assert described(world, trained)["RecognizerMetadata"]["NumberOfTrainedDocuments"] == 207


def test_a_model_that_is_not_trained(world: World) -> None:
    model = created(world, classifier(InputDataConfig={"S3Uri": f"s3://{BUCKET}/nothing"}))
    assert ended(world, model)["Status"] == "IN_ERROR"
    with refused("ResourceUnavailableException"):
        world.flywheel(ActiveModelArn=model)


def test_a_model_whose_data_are_gone(world: World) -> None:
    put(world)
    model = created(world, classifier())
    assert ended(world, model)["Status"] == "TRAINED"
    (world.root / BUCKET / "train.csv").unlink()
    properties = world.flywheel_properties(world.flywheel(ActiveModelArn=model))
    assert (properties["Status"], "could not be copied" in properties["Message"]) == ("FAILED", True)


def test_copied_data_need_no_more_than_the_training_did(world: World) -> None:
    """A manifest of ten documents a label is enough for a model; its flywheel must not ask for fifty."""
    lines = [{"source": text, "a": 0, "a-metadata": {"class-name": label}} for label, text in rows(12)]
    uri = world.put("train.manifest", json_lines(lines))
    model = created(world, classifier(InputDataConfig=recognizers.manifests(uri, "a")))
    assert ended(world, model)["Status"] == "TRAINED"
    assert world.flywheel_properties(world.flywheel(ActiveModelArn=model))["Status"] == "ACTIVE"


def test_data_of_several_forms_are_copied_from_another_flywheels_lake(world: World) -> None:
    documents_ = samples(150)
    world.put("set/documents.txt", "\n".join(text for text, _ in documents_).encode())
    named = {text[begin:end]: type_ for text, found in documents_ for begin, end, type_ in found}
    listed = ["Text,Type", *(f"{name},{type_}" for name, type_ in named.items())]
    world.put("set/list.csv", "\n".join(listed).encode())
    world.set(minimum_matches=100)
    config = {
        "EntityTypes": [{"Type": type_} for type_ in TYPES],
        "Documents": {"S3Uri": f"s3://{BUCKET}/set/documents.txt"},
        "EntityList": {"S3Uri": f"s3://{BUCKET}/set/list.csv"},
    }
    model = created(world, recognizer(InputDataConfig=config))
    assert ended(world, model)["Status"] == "TRAINED"
    first = world.flywheel("first", ActiveModelArn=model)
    recognizers.dataset(world, first, "more", manifest(samples(80, tag="b")))
    second = world.flywheel("second", ActiveModelArn=world.iterate(first)["TrainedModelArn"])
    assert world.flywheel_properties(second)["Status"] == "ACTIVE"
    assert datasets(world, second)["TRAIN"]["NumberOfDocuments"] == 230
