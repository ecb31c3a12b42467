"""What the archive of a document classification job holds."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.contract.classification_jobs import (
    per_file,
    predicted,
    request,
    trained,
)
from tests.contract.comprehend_world import BUCKET, World
from tests.contract.sample_documents import LABELS, documents, rows, text_about


def test_one_document_a_line(world: World) -> None:
    _, model = trained(world)
    texts = {label: text_about(label, seed="7") for label in LABELS}
    # Every documented end of a line, another of Unicode's within one, and none at the end of the last.
    lines = [texts["SPORTS"], f"{texts['SCIENCE']} \u2028 {texts['SCIENCE']}", texts["BUSINESS"]]
    world.put("jobdata/a.txt", f"{lines[0]}\r\n{lines[1]}\r{lines[2]}\n{lines[0]}".encode())
    world.put("jobdata/more/b.txt", f"{lines[2]}\n".encode())
    found = predicted(world, request(model))
    assert [(line["File"], line["Line"], line["Classes"][0]["Name"]) for line in found] == [
        ("a.txt", "0", "SPORTS"),
        ("a.txt", "1", "SCIENCE"),
        ("a.txt", "2", "BUSINESS"),
        ("a.txt", "3", "SPORTS"),
        ("more/b.txt", "0", "BUSINESS"),
    ]
    for line in found:
        assert set(line) == {"File", "Line", "Classes"}
        scores = [scored["Score"] for scored in line["Classes"]]
        assert scores == sorted(scores, reverse=True)
        assert sum(scores) == pytest.approx(1, abs=0.001)
        assert sorted(scored["Name"] for scored in line["Classes"]) == sorted(LABELS)


def test_one_document_a_file(world: World) -> None:
    _, model = trained(world)
    for label in LABELS:
        world.put(f"jobdata/{label}.txt", f"{text_about(label, seed='1')}\n{text_about(label, seed='2')}\n".encode())
    found = predicted(world, request(model, InputDataConfig=per_file(f"s3://{BUCKET}/jobdata/")))
    assert {line["File"]: line["Classes"][0]["Name"] for line in found} == {f"{label}.txt": label for label in LABELS}
    assert all(set(line) == {"File", "Classes"} for line in found)
    one = predicted(world, request(model, InputDataConfig=per_file(f"s3://{BUCKET}/jobdata/SPORTS.txt")))
    assert [line["File"] for line in one] == ["SPORTS.txt"]


def test_every_label_of_a_multi_label_model_has_a_score_of_its_own(world: World) -> None:
    _, model = trained(world, mode="MULTI_LABEL")
    both = text_about("SPORTS", "BUSINESS", seed="9")
    world.put("jobdata/a.txt", f"{both}\n{text_about('SCIENCE', seed='9')}\n".encode())
    first, second = predicted(world, request(model))
    assert set(first) == {"File", "Line", "Labels"}
    for line, expected in ((first, {"SPORTS", "BUSINESS"}), (second, {"SCIENCE"})):
        assert {scored["Name"] for scored in line["Labels"]} == set(LABELS)
        assert {scored["Name"] for scored in line["Labels"] if scored["Score"] >= 0.5} == expected
    assert sum(scored["Score"] for scored in first["Labels"]) > 1.2


def test_no_more_classes_than_set(make_world: Callable[..., World]) -> None:
    world = make_world(classes_in_output=2)
    _, model = trained(world)
    world.put("jobdata/a.txt", text_about("SPORTS", seed="1").encode())
    (line,) = predicted(world, request(model))
    assert (len(line["Classes"]), line["Classes"][0]["Name"]) == (2, "SPORTS")


def test_predictions_agree_with_the_confusion_matrix(world: World) -> None:
    """The same model on its test documents: as many of each label come out as the evaluation counted."""
    flywheel, _ = trained(world)
    test = rows(60, tag="t", mislabelled=True) + rows(20, tag="u")
    world.dataset(flywheel, "train-2", documents(20, tag="z", mislabelled=True) + documents(40, tag="w"))
    world.dataset(flywheel, "test-1", "".join(f"{label},{text}\n" for label, text in test).encode(), type_="TEST")
    model = world.model_properties(world.iterate(flywheel)["TrainedModelArn"])
    files = world.objects(model["OutputDataConfig"]["FlywheelStatsS3Prefix"])
    matrix = json.loads(files["confusion_matrix.json"])
    world.put("jobdata/a.txt", "\n".join(text for _, text in test).encode())
    answers = predicted(world, request(model["DocumentClassifierArn"]))
    counts = [[0] * 3 for _ in matrix["labels"]]
    for line in answers:
        actual = test[int(line["Line"])][0]
        counts[matrix["labels"].index(actual)][matrix["labels"].index(line["Classes"][0]["Name"])] += 1
    assert counts == matrix["confusion_matrix"]


def test_more_documents_than_a_chunk_holds(world: World) -> None:
    _, model = trained(world)
    subjects = [LABELS[number % 3] for number in range(2500)]
    world.put("jobdata/a.txt", "\n".join(text_about(label, seed=str(n)) for n, label in enumerate(subjects)).encode())
    found = predicted(world, request(model))
    assert [int(line["Line"]) for line in found] == list(range(2500))
    assert [line["Classes"][0]["Name"] for line in found] == subjects
