"""`flywheel feedback`: the output of an analysis job, corrected and given back."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from flywheel.comprehend.model_kind import ModelType
from flywheel.records.review import WAITING, ItemSource, Lane, Place, WaitingItem
from ops.deployment.errors import FileError
from ops.tables.feedback import feedback_sentences
from ops.verbs.corrections import Correction, Form, Unusable, read_corrections
from ops.verbs.feedback import FeedbackGiven, give_feedback
from tests.pipeline.analyses import analysed, csv_rows_of, rows_of, with_model
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS

BUSINESS, SPORTS = LABELS
TEXTS = ["business news of today", "=sports news", 'sports business news, of "both"', "  ", "sports"]
CLASSES = Form(model_type=ModelType.DOCUMENT_CLASSIFIER, multi_label=False, delimiter="|")
SEVERAL = Form(model_type=ModelType.DOCUMENT_CLASSIFIER, multi_label=True, delimiter="|")
ENTITIES = Form(model_type=ModelType.ENTITY_RECOGNIZER, multi_label=False, delimiter="|")


@pytest.fixture(scope="module")
def at() -> Deployment:
    return with_model(analysis={"review_per_analysis": 0})


@pytest.fixture(scope="module")
def job(at: Deployment) -> str:
    """One whose output people correct."""
    analysed(at, "job", {"a.txt": "\n".join(TEXTS).encode()})
    return "job"


def proposed(at: Deployment) -> dict[str, WaitingItem]:
    found = {}
    for key in at.keys(WAITING):
        place, item = Place.of_key(key), at.bucket.require(key, WaitingItem)
        assert place is not None
        assert (place.lane, item.source) == (Lane.FEEDBACK, ItemSource.FEEDBACK)
        found[item.text] = item
    return found


def corrected(rows: list[dict[str, Any]], path: Path, corrections: dict[int, object]) -> Path:
    """The rows of an analysis job with the right answers for some of them, as JSON lines or as CSV."""
    for number, correction in corrections.items():
        rows[number]["corrected"] = correction
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return path
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=[*rows[0], *({"corrected"} - set(rows[0]))], restval="")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    return path


@pytest.mark.parametrize("name", ["predictions.csv", "predictions.jsonl"])
def test_corrected_rows_wait_for_a_reviewer(at: Deployment, job: str, tmp_path: Path, name: str) -> None:
    at.bucket.delete(at.keys(WAITING))
    rows: list[Any] = csv_rows_of(at, job) if name.endswith("csv") else rows_of(at, job)
    said = {row["text"]: row.get("labels") for row in rows_of(at, job)}
    path = corrected(rows, tmp_path / name, {0: BUSINESS, 1: SPORTS, 2: BUSINESS, 3: SPORTS, 4: "WEATHER"})
    given = give_feedback(at.operator, path)
    texts = TEXTS[:3]
    right = [said[text] == [label] for text, label in zip(texts, (BUSINESS, SPORTS, BUSINESS), strict=True)]
    assert (given.taken, given.correct) == (3, sum(right))
    assert [row.line for row in given.unusable] == [5 if name.endswith("csv") else 4, 6 if name.endswith("csv") else 5]
    assert '"WEATHER" is not one of the flywheel' in given.unusable[1].why
    found = proposed(at)
    assert set(found) == set(texts)
    for text, item in found.items():
        (proposal,) = item.proposals
        assert (proposal.by, len(proposal.labels)) == (at.operator.clients.caller(), 1)
        assert item.suggestion is not None
        assert list(item.suggestion.labels) == said[text]
    keys = at.keys(WAITING)
    assert give_feedback(at.operator, path) == given
    assert at.keys(WAITING) == keys
    assert proposed(at) == found


def test_a_file_without_a_correction_says_what_to_do(at: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    for content, problem in (
        ("file,line,labels,text\na,1,SPORTS,x\n", "no column “corrected”"),
        ("corrected\nSPORTS\n", "no column text"),
        ("file,line,labels,text,corrected\na,1,SPORTS,x,\n", "No row of .* is corrected"),
    ):
        path.write_text(content)
        with pytest.raises(FileError, match=problem):
            give_feedback(at.operator, path)
    path.write_bytes(b"text,corrected\n\xff,A\n")
    with pytest.raises(FileError, match="not UTF-8"):
        give_feedback(at.operator, path)
    with pytest.raises(FileError, match="cannot be read"):
        give_feedback(at.operator, tmp_path / "none.csv")


def read(path: Path, form: Form, content: str) -> list[Any]:
    path.write_text(content, encoding="utf-8", newline="")
    return list(read_corrections(path, form))


def test_several_labels(tmp_path: Path) -> None:
    csv_file, lines = tmp_path / "a.csv", tmp_path / "a.jsonl"
    (found,) = read(csv_file, SEVERAL, 'text,labels,score,corrected\n"a, ""b""",A|B,0.7,B | A\n')
    assert (found.text, found.labels, found.suggestion.labels) == ('a, "b"', ("B", "A"), ("A", "B"))
    row = {"text": "x", "labels": [], "score": 0.2, "scores": [{"name": "A", "score": 0.2}], "corrected_labels": ["A"]}
    (found,) = read(lines, SEVERAL, json.dumps(row))
    assert (found.labels, found.suggestion.labels) == (("A",), ())
    assert found.suggestion.margin == pytest.approx(0.6)


def test_entities(tmp_path: Path) -> None:
    entity = {"text": "Anna", "type": "PERSON", "begin": 0, "end": 4, "score": 0.9}
    right = [{"type": "PLACE", "begin": 9, "end": 13}, entity]
    row = {"text": "Anna met Rome", "entities": [entity], "score": 0.9, "corrected_entities": right}
    (found,) = read(tmp_path / "a.jsonl", ENTITIES, json.dumps(row) + "\n\n")
    assert found.labels == ("0:4:PERSON", "9:13:PLACE")
    assert found.suggestion.labels == ("0:4:PERSON",)
    cell = json.dumps(right).replace('"', '""')
    (found,) = read(tmp_path / "a.csv", ENTITIES, f'text,labels,score,corrected\nAnna met Rome,PERSON,0.9,"{cell}"\n')
    assert (found.labels, found.suggestion) == (("0:4:PERSON", "9:13:PLACE"), None)


@pytest.mark.parametrize(
    ("form", "given"),
    [(CLASSES, 7), (CLASSES, [7]), (ENTITIES, "PERSON"), (ENTITIES, {"type": "A"}), (ENTITIES, [{"type": "A"}])],
)
def test_a_correction_that_is_none(tmp_path: Path, form: Form, given: object) -> None:
    (found,) = read(tmp_path / "a.jsonl", form, json.dumps({"text": "x", "corrected": given}))
    assert isinstance(found, Unusable)
    assert found.line == 1


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    content = 'text,corrected\n"a\r\nb",A\n"c",A\n"d",A,too much\n'
    found = read(tmp_path / "a.csv", CLASSES, content)
    assert [(each.line, getattr(each, "text", None)) for each in found] == [(2, "a\r\nb"), (4, "c"), (5, None)]
    broken = read(tmp_path / "a.jsonl", CLASSES, '{"text": "x", "corrected": "A"}\nno json\n{"corrected": "A"}\n')
    assert [type(each) for each in broken] == [Correction, Unusable, Unusable]


def test_what_is_told() -> None:
    unusable = tuple({"line": number, "why": "It has no text."} for number in range(2, 30))
    given = FeedbackGiven.model_validate({"path": "a.csv", "taken": 1, "correct": 1, "unusable": unusable})
    said = feedback_sentences(given).split("\n")
    assert said[0] == "1 row waits for a reviewer; 1 says what the model said."
    assert said[1:3] == ["28 rows could not be used. Correct them and run it again:", "a.csv, line 2: It has no text."]
    assert said[-1] == "and 8 more"
