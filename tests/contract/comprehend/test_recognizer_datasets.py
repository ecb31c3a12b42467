"""Datasets of a recognizer's flywheel: augmented manifests, and what makes them FAILED."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.comprehend_world import BUCKET, World
from tests.contract.error_codes import refused
from tests.contract.recognizers import create, dataset, ended, manifests, recognizer_flywheel
from tests.contract.sample_entities import Sample, filled, json_lines, line, manifest, samples

EMOJI: Sample = ("\U0001f600 Ada Brook went to Quern.", [(2, 11, "PERSON"), (20, 25, "PLACE")])


def test_a_manifest_is_copied_into_the_lake(world: World) -> None:
    flywheel = recognizer_flywheel(world)
    body = manifest([*samples(), EMOJI])
    made = dataset(world, flywheel, "train-1", body)
    assert (made["Status"], made["NumberOfDocuments"]) == ("COMPLETED", 61)
    assert world.objects(made["DatasetS3Uri"]) == {"documents.manifest": body}


def test_lines_without_text_are_no_documents(world: World) -> None:
    body = manifest() + b"\n" + json_lines([{"source": " "}, {"source": ""}])
    made = dataset(world, recognizer_flywheel(world), "train-1", body)
    assert (made["Status"], made["NumberOfDocuments"]) == ("COMPLETED", 60)


def test_several_manifests_with_attributes_of_their_own(world: World) -> None:
    flywheel = recognizer_flywheel(world)
    first = world.put("a/one.manifest", manifest(samples(30, tag="x"), attribute="people"))
    both = [
        line(text, entities[:1], attribute="one") | line(text, entities[1:], attribute="two")
        for text, entities in samples(40, tag="y")
    ]
    second = world.put("b/two.manifest", json_lines(both))
    config = {
        "DataFormat": "AUGMENTED_MANIFEST",
        "AugmentedManifests": [
            {"S3Uri": first, "AttributeNames": ["people"]},
            {"S3Uri": second, "AttributeNames": ["one", "two"], "DocumentType": "PLAIN_TEXT_DOCUMENT"},
        ],
    }
    made = ended(world, create(world, flywheel, "train-1", config))
    assert (made["Status"], made["NumberOfDocuments"]) == ("COMPLETED", 70)
    assert world.iterate(flywheel)["TrainedModelMetrics"]["AverageF1Score"] > 0.9


def test_types_that_the_flywheel_does_not_know_are_left_out_silently(world: World) -> None:
    flywheel = recognizer_flywheel(world, types=("PERSON", "THING"))
    made = dataset(world, flywheel, "train-1")
    assert (made["Status"], made["NumberOfDocuments"]) == ("COMPLETED", 60)
    _, debug = world.administration("GET", "debug")
    (dropped,) = debug["dropped"]
    assert (dropped["unknown_labels"], dropped["dropped_documents"]) == ({"PLACE": 45}, 0)
    assert world.iterate(flywheel)["Status"] == "COMPLETED"


MANY = samples(60)
TEXT, ENTITIES = filled("{PERSON} lives here.", seed="1")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (manifest(samples(2)), "at least 3 documents, not 2"),
        (manifest(samples(30)), "at least 25 annotations; too few of: PERSON"),
        (manifest([(text, []) for text, _ in MANY]), "No annotation is of an entity type of this flywheel"),
        (manifest([*MANY, ("x" * 5001, [])]), "line 61: the document is larger than 5000 bytes"),
        (manifest([*MANY, ("é" * 2501, [])]), "line 61: the document is larger than 5000 bytes"),
        (manifest([*MANY, (TEXT, [(0, len(TEXT) + 1, "PERSON")])]), "is not within the document's"),
        (manifest([*MANY, (TEXT, [(-1, 3, "PERSON")])]), "from -1 to 3 is not within"),
        (manifest([*MANY, (TEXT, [(4, 4, "PERSON")])]), "from 4 to 4 is not within"),
        (manifest([*MANY, (TEXT, [(0, 5, "PERSON"), (4, 9, "PLACE")])]), "overlaps another one"),
        (manifest(MANY) + b"\xff\n", "line 61: not valid UTF-8"),
        (manifest(MANY) + b'{"source": "\\ud800"}\n', "line 61: not valid UTF-8"),
        (manifest(MANY) + b"{\n", "line 61: not valid JSON"),
        (manifest(MANY) + b"[1]\n", "line 61: not a JSON object"),
        (manifest(MANY) + b"[" * 100_000 + b"\n", "line 61: not valid JSON"),
        (manifest(MANY) + json_lines([{"source-ref": "s3://b/a.txt"}]), "line 61: the member source is missing"),
        (manifest(MANY) + json_lines([{"source": 7}]), "the member source is missing"),
        (manifest(MANY) + json_lines([{"source": "text"}]), "line 61: the attribute entities is missing"),
        (manifest(MANY) + json_lines([{"source": "text", "entities": {}}]), "does not hold annotations.entities"),
        (
            manifest(MANY) + json_lines([line("text", []) | {"entities": {"annotations": {"entities": [{}]}}}]),
            "does not hold annotations.entities",
        ),
        (b"", "at least 3 documents, not 0"),
    ],
)
def test_what_makes_a_dataset_failed(world: World, body: bytes, reason: str) -> None:
    made = dataset(world, recognizer_flywheel(world), "train-1", body)
    assert made["Status"] == "FAILED"
    assert reason in made["Message"]
    assert "NumberOfDocuments" not in made


def test_quotas(make_world: Callable[..., World]) -> None:
    world = make_world(maximum_entities_documents=59, maximum_entities_bytes=50_000)
    flywheel = recognizer_flywheel(world)
    assert "at most 59 documents" in dataset(world, flywheel, "train-1")["Message"]
    larger = dataset(world, flywheel, "train-2", manifest(samples(200)))
    assert "larger than the limit of 50000 bytes" in larger["Message"]


def test_a_test_dataset_needs_no_minimum_but_every_type(world: World) -> None:
    flywheel = recognizer_flywheel(world)
    dataset(world, flywheel, "train-1")
    made = dataset(world, flywheel, "test-1", manifest(samples(4, phrases=["{PERSON} is here."])), type_="TEST")
    assert made["Status"] == "COMPLETED"
    iteration = world.iterate(flywheel)
    assert (iteration["Status"], "PLACE" in iteration["Message"]) == ("FAILED", True)


def test_the_minimum_may_hold_over_the_flywheel(make_world: Callable[..., World]) -> None:
    world = make_world(minimum_per_label="per_flywheel")
    flywheel = recognizer_flywheel(world)
    assert dataset(world, flywheel, "train-1", manifest(samples(30)))["Status"] == "COMPLETED"
    assert "at least 25 annotations" in world.iterate(flywheel)["Message"]
    dataset(world, flywheel, "train-2", manifest(samples(30, tag="b")))
    assert world.iterate(flywheel)["Status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"DataFormat": "AUGMENTED_MANIFEST"}, "needs AugmentedManifests"),
        (manifests("s3://b-1/a", DocumentType="SEMI_STRUCTURED_DOCUMENT"), "PLAIN_TEXT_DOCUMENT only"),
        (manifests("s3://b-1/a", AnnotationDataS3Uri="s3://b-1/c"), "AnnotationDataS3Uri is for semi-structured"),
        (manifests("s3://b-1/a", *"abcdef"), "1 to 5 AttributeNames"),
        (
            {"DataFormat": "COMPREHEND_CSV", "DocumentClassifierInputDataConfig": {"S3Uri": "s3://b-1/a"}},
            "takes no DocumentClassifierInputDataConfig",
        ),
        (
            manifests("s3://b-1/a") | {"EntityRecognizerInputDataConfig": {"Documents": {"S3Uri": "s3://b-1/a"}}},
            "takes no EntityRecognizerInputDataConfig",
        ),
    ],
)
def test_configurations_that_are_refused(world: World, config: dict[str, Any], reason: str) -> None:
    with refused("InvalidRequestException") as refusal:
        create(world, recognizer_flywheel(world), "train-1", config)
    assert reason in refusal.message


def test_no_object(world: World) -> None:
    config = manifests(f"s3://{BUCKET}/nothing/")
    made = ended(world, create(world, recognizer_flywheel(world), "train-1", config))
    assert "No object begins with" in made["Message"]
