"""Public data sets as they are, where they lie beside the project; none of it is part of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from flywheel.preparation.entities import AnyType

from .uploads import Outcome, prepared

DATA = Path(__file__).parents[5] / "shared" / "data"


def read(*names: str) -> dict[str, bytes]:
    paths = [DATA / name for name in names]
    if not all(path.exists() for path in paths):
        pytest.skip("the data are not there")
    return {path.name: path.read_bytes() for path in paths}


@pytest.mark.parametrize(
    ("name", "documents", "duplicates", "annotations"),
    [
        ("wnut17/wnut17train.conll", 3303, 91, 1918),
        ("wnut17/emerging.dev.conll", 1007, 2, 835),
        ("wnut17/emerging.test.annotated", 1281, 6, 1079),
    ],
)
def test_wnut17(name: str, documents: int, duplicates: int, annotations: int) -> None:
    preparation = prepared(read(name), rules=AnyType(), maximum_bad_lines_percent=0).preparation

    assert preparation.accepted
    assert (preparation.documents, preparation.duplicates) == (documents, duplicates)
    assert sum((preparation.annotations or {}).values()) == annotations
    assert len(preparation.annotations or {}) == 6


def test_manifest_of_the_immersion_day() -> None:
    name = "aws_comprehend_immersion_day/lab7/lab7-ent.manifest"
    preparation = prepared(read(name), rules=AnyType(), maximum_bad_lines_percent=5).preparation

    assert preparation.accepted
    assert (preparation.documents, preparation.duplicates) == (100, 1420)
    assert preparation.bad_lines == {"empty-text": 13}


def test_manifest_of_ground_truth() -> None:
    outcome = prepared(read("aws_comprehend_ner_groundtruth/output.manifest"), rules=AnyType())

    assert len(outcome.documents) == 9
    assert outcome.preparation.annotations == {"Brand": 10, "Internet": 15, "Person": 2}
    assert outcome.preparation.bad_lines == {}


GROUND_TRUTH = "aws_comprehend_ner_groundtruth"
ENTITY_LIST = "aws_comprehend_immersion_day/lab8c/comprehend_kendra_workshop_custom_entities_data.csv"


def test_annotations_whose_offsets_count_without_the_quotes_of_the_lines() -> None:
    folder = prepared(read(f"{GROUND_TRUTH}/testing/output.csv", f"{GROUND_TRUTH}/testing/output.txt"), rules=AnyType())
    manifest = prepared(read(f"{GROUND_TRUTH}/output.manifest"), rules=AnyType())

    def places(outcome: Outcome) -> set[tuple[str, tuple[tuple[int, int], ...]]]:
        return {(text, tuple((span.begin, span.end) for span in spans)) for text, spans in outcome.documents}

    assert folder.preparation.bad_lines == {}
    assert folder.preparation.remarks == {"quoted-line": 6}
    assert places(folder) == places(manifest)


def test_the_same_annotations_many_times() -> None:
    names = [f"{GROUND_TRUTH}/comprehend/output-x112.{ending}" for ending in ("csv", "txt")]
    preparation = prepared(read(*names), rules=AnyType()).preparation

    assert preparation.bad_lines == {}
    assert (preparation.documents, preparation.duplicates) == (9, 2007)


def test_the_entity_list_of_the_immersion_day() -> None:
    folder = Path(ENTITY_LIST).parent / "Insurance_Data"
    documents = [str(folder / f"text_{number}.txt") for number in range(20)]
    preparation = prepared(read(ENTITY_LIST, *documents), rules=AnyType(), maximum_bad_lines_percent=0).preparation

    assert preparation.accepted
    assert (preparation.documents, preparation.duplicates) == (24, 7)
    assert sum((preparation.annotations or {}).values()) == 38
    assert preparation.remarks == {"few-matches": 5, "unmatched-entry": 92}
