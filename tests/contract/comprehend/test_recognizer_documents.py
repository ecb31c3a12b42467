"""Datasets of a recognizer's flywheel as plain documents, with annotations or an entity list in a CSV file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.contract.comprehend_world import BUCKET, World
from tests.contract.error_codes import refused
from tests.contract.recognizers import create, described, ended, recognizer_flywheel
from tests.contract.sample_entities import NAMES, Sample, samples

HEADER = "File,Line,Begin Offset,End Offset,Type"


def config(*, lines: bool = True, **second: str) -> dict[str, Any]:
    """An InputDataConfig for what lies below ``set/``."""
    form = {} if lines else {"InputFormat": "ONE_DOC_PER_FILE"}
    parts = {name: {"S3Uri": f"s3://{BUCKET}/set/{key}"} for name, key in second.items()}
    documents = {"Documents": {"S3Uri": f"s3://{BUCKET}/set/documents", **form}}
    return {"DataFormat": "COMPREHEND_CSV", "EntityRecognizerInputDataConfig": documents | parts}


def annotation_rows(documents: Iterable[Sample], *, name: str = "documents.txt") -> list[str]:
    return [
        f"{name},{number},{begin},{end},{type_}"
        for number, (_, entities) in enumerate(documents)
        for begin, end, type_ in entities
    ]


def put_lines(world: World, documents: list[Sample], *, end: str = "\n", rows: list[str] | None = None) -> None:
    world.put("set/documents.txt", end.join(text for text, _ in documents).encode())
    listed = [HEADER, *(annotation_rows(documents) if rows is None else rows)]
    world.put("set/annotations.csv", "\n".join(listed).encode())


def taken_in(world: World, config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    flywheel = recognizer_flywheel(world)
    return flywheel, ended(world, create(world, flywheel, "train-1", config))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_annotations_of_lines(world: World, end: str) -> None:
    emoji: Sample = ("\U0001f600 Ada Brook came, \u2028 Ivo Jarvis too.", [(2, 11, "PERSON"), (20, 30, "PERSON")])
    put_lines(world, [*samples(), emoji], end=end)
    flywheel, made = taken_in(world, config(Annotations="annotations.csv"))
    assert (made["Status"], made.get("NumberOfDocuments")) == ("COMPLETED", 61), made
    assert sorted(world.objects(made["DatasetS3Uri"])) == [
        "annotations-1/annotations.csv",
        "documents-0/documents.txt",
    ]
    iteration = world.iterate(flywheel)
    assert iteration["TrainedModelMetrics"]["AverageF1Score"] > 0.9
    metadata = described(world, iteration["TrainedModelArn"])["RecognizerMetadata"]
    assert sum(each["NumberOfTrainMentions"] for each in metadata["EntityTypes"]) > 70


def test_a_line_without_text_counts_but_is_no_document(world: World) -> None:
    documents = samples()
    documents.insert(7, ("", []))
    documents.insert(9, ("  ", []))
    put_lines(world, documents)
    _, made = taken_in(world, config(Annotations="annotations.csv"))
    assert (made["Status"], made["NumberOfDocuments"]) == ("COMPLETED", 60)


def test_several_files_below_a_prefix_and_spaces_in_the_annotations(world: World) -> None:
    first, second = samples(30, tag="x"), samples(30, tag="y")
    for name, documents in (("one.txt", first), ("deep/two.txt", second)):
        world.put(f"set/documents/{name}", "\n".join(text for text, _ in documents).encode())
    rows = [*annotation_rows(first, name="one.txt"), *annotation_rows(second, name="deep/two.txt")]
    spaced = [row.replace(",", " , ") for row in [HEADER, *rows]]
    world.put("set/annotations.csv", ("\ufeff" + "\r\n".join(spaced)).encode())
    wanted = config(Annotations="annotations.csv")
    wanted["EntityRecognizerInputDataConfig"]["Documents"]["S3Uri"] += "/"
    _, made = taken_in(world, wanted)
    assert (made["Status"], made.get("NumberOfDocuments")) == ("COMPLETED", 60), made


def test_annotations_of_files_have_no_line(world: World) -> None:
    rows = ["File,Begin Offset,End Offset,Type"]
    for number, (text, entities) in enumerate(samples()):
        # Offsets count every character of the file.
        world.put(f"set/documents/{number}.txt", f"\r\n{text}\r\n".encode())
        rows += [f"{number}.txt,{begin + 2},{end + 2},{type_}" for begin, end, type_ in entities]
    world.put("set/annotations.csv", "\n".join(rows).encode())
    flywheel, made = taken_in(world, config(lines=False, Annotations="annotations.csv"))
    assert (made["Status"], made.get("NumberOfDocuments")) == ("COMPLETED", 60), made
    assert world.iterate(flywheel)["TrainedModelMetrics"]["AverageF1Score"] > 0.9


def test_an_entity_list_is_looked_for_in_the_documents(make_world: Callable[..., World]) -> None:
    world = make_world(minimum_matches=40)
    documents = samples()
    world.put("set/documents.txt", "\n".join(text for text, _ in documents).encode())
    names = [f"{name},{type_}" for type_, listed in NAMES.items() for name in listed]
    # What is part of another entry, of another word or of another case does not match.
    rows = ["Text,Type", *names, "Ada,PLACE", "Brook,PLACE", "ast,PLACE", "NORTHPORT,PERSON", "not there,PLACE"]
    world.put("set/list.csv", ("\ufeff" + "\n".join(rows)).encode())
    flywheel, made = taken_in(world, config(EntityList="list.csv"))
    assert (made["Status"], made.get("NumberOfDocuments")) == ("COMPLETED", 60), made
    metadata = described(world, world.iterate(flywheel)["TrainedModelArn"])["RecognizerMetadata"]
    mentions = {each["Type"]: each["NumberOfTrainMentions"] for each in metadata["EntityTypes"]}
    assert all(38 <= count <= 45 for count in mentions.values())
    assert metadata["EvaluationMetrics"]["F1Score"] > 90


def test_an_entity_list_needs_matches(world: World) -> None:
    world.put("set/documents.txt", "\n".join(text for text, _ in samples()).encode())
    rows = ["Text,Type", *(f"{name},{type_}" for type_, listed in NAMES.items() for name in listed)]
    world.put("set/list.csv", "\n".join(rows).encode())
    _, made = taken_in(world, config(EntityList="list.csv"))
    assert "at least 200 matches of the entity list; too few of: PERSON (45), PLACE (45)" in made["Message"]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (["documents.txt,60,0,3,PERSON"], "there is no document line 60 of documents.txt"),
        (["other.txt,0,0,3,PERSON"], "annotations.csv, line 2: there is no document line 0 of other.txt"),
        (["documents.txt,0,0,999,PERSON"], "is not within the document's"),
        (["documents.txt,0,3,3,PERSON"], "from 3 to 3 is not within"),
        (["documents.txt,0,-1,3,PERSON"], "line 2: '-1' is no number"),
        (["documents.txt,zero,0,3,PERSON"], "line 2: 'zero' is no number"),
        (["documents.txt,0,0,3"], "line 2: expected 5 columns"),
        (["documents.txt,0,0,3,"], "line 2: the type is empty"),
        (["documents.txt,0,0,5,PERSON", "documents.txt,0,4,9,PLACE"], "overlaps another one"),
        (['documents.txt,0,0,3,"PER'], "line 2: not valid CSV"),
    ],
)
def test_annotations_that_make_a_dataset_failed(world: World, rows: list[str], reason: str) -> None:
    put_lines(world, samples(), rows=rows)
    _, made = taken_in(world, config(Annotations="annotations.csv"))
    assert made["Status"] == "FAILED"
    assert reason in made["Message"]


@pytest.mark.parametrize(
    ("documents", "annotations", "reason"),
    [
        (b"\xff", f"{HEADER}\n".encode(), "documents.txt is not valid UTF-8"),
        (b"a", b"\xff", "annotations.csv, line 1: not valid UTF-8"),
        (b"a", b"Text,Type\n", "annotations.csv, line 1: the header must be File,Line"),
        (b"a", b"", "annotations.csv, line 1: the header must be"),
        (b"a\nb", f"{HEADER}\n".encode(), "at least 3 documents, not 2"),
        (b"x" * 5001, f"{HEADER}\n".encode(), "documents.txt, line 0: the document is larger than 5000 bytes"),
    ],
)
def test_files_that_make_a_dataset_failed(world: World, documents: bytes, annotations: bytes, reason: str) -> None:
    world.put("set/documents.txt", documents)
    world.put("set/annotations.csv", annotations)
    _, made = taken_in(world, config(Annotations="annotations.csv"))
    assert (made["Status"], reason in made["Message"]) == ("FAILED", True), made["Message"]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("Text,Type\n,PLACE", "an entry has 1 to 5000 characters"),
        (f"Text,Type\n{'x' * 5001},PLACE", "an entry has 1 to 5000 characters"),
        ("Text,Type\nx,", "line 2: the type is empty"),
        ("File,Type\n", "the header must be Text,Type"),
    ],
)
def test_lists_that_make_a_dataset_failed(world: World, rows: str, reason: str) -> None:
    world.put("set/documents.txt", b"a\nb\nc\n")
    world.put("set/list.csv", rows.encode())
    _, made = taken_in(world, config(EntityList="list.csv"))
    assert (made["Status"], reason in made["Message"]) == ("FAILED", True), made["Message"]


def test_either_annotations_or_a_list(world: World) -> None:
    flywheel = recognizer_flywheel(world)
    for wrong in (config(), config(Annotations="a", EntityList="b")):
        with refused("InvalidRequestException") as refusal:
            create(world, flywheel, "train-1", wrong)
        assert "either Annotations or an EntityList" in refusal.message
