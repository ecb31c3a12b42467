"""What a classification job answered, joined by line whatever its order and the archive's layout."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel.analysis.answers import NO_ANSWER, Answers
from flywheel.analysis.review_picks import Picks
from flywheel.analysis.rows import CSV_HEADER, answer_csv_fields, answer_json_members, csv_row, field, json_row
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.document_classification.answer import ClassifiedDocument
from flywheel.evaluation.errors import InvalidPredictions

KIND = DOCUMENT_CLASSIFICATION
NONE = Picks(most=0, audit_percent=0, part="part")


def archive(*files: list[Any]) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        folder = tarfile.TarInfo("some folder")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for number, answers in enumerate(files):
            content = "\n".join(json.dumps(answer) for answer in answers).encode()
            member = tarfile.TarInfo(f"some folder/{number}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    packed.seek(0)
    return packed


def answer(line: int | str, *scores: tuple[str, float], member: str = "Classes") -> dict[str, Any]:
    return {
        "File": "documents.txt",
        "Line": str(line),
        member: [{"Name": name, "Score": score} for name, score in scores],
    }


def answers(path: Path, *files: list[Any], documents: int) -> Answers:
    found = Answers(
        path / "answers",
        kind=DOCUMENT_CLASSIFICATION,
        documents=documents,
        low_confidence=0.7,
        delimiter="|",
        picks=NONE,
    )
    found.read(archive(*files))
    return found


def members(found: Answers, document: int) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(f"{{{found.members(document)[0]}}}")
    return parsed


def test_answers_are_found_by_their_line(tmp_path: Path) -> None:
    found = answers(
        tmp_path,
        [answer(2, ("A", 0.9), ("B", 0.1)), answer(0, ("B", 0.6), ("A", 0.4))],
        [{"File": "documents.txt", "Line": "1", "ErrorCode": "INTERNAL", "ErrorMessage": "It rained."}],
        documents=4,
    )
    assert members(found, 0) == {
        "labels": ["B"],
        "score": 0.6,
        "low_confidence": True,
        "scores": [{"name": "B", "score": 0.6}, {"name": "A", "score": 0.4}],
    }
    assert members(found, 1) == {"error": "INTERNAL", "message": "It rained."}
    assert members(found, 2)["labels"] == ["A"]
    assert members(found, 3)["error"] == NO_ANSWER
    counts = found.counts()
    assert (counts.documents, counts.labels, counts.low_confidence) == (2, {"A": 1, "B": 1}, 1)
    assert counts.errors == {"INTERNAL": 1, NO_ANSWER: 1}


def test_labels_of_a_multi_label_model(tmp_path: Path) -> None:
    rows = [
        answer(0, ("A", 0.5), ("B", 0.8), ("C", 0.49), member="Labels"),
        answer(1, ("A", 0.2), ("B", 0.1), member="Labels"),
    ]
    found = answers(tmp_path, rows, documents=2)
    assert members(found, 0)["labels"] == ["B", "A"]
    # A and C are as good as undecided; of the other document the model is sure that it has no label.
    assert found.members(0)[1] == "B|A,0.8,true,,"
    assert members(found, 1)["labels"] == []
    assert members(found, 1)["low_confidence"] is False


def test_labels_at_the_thresholds_of_the_model(tmp_path: Path) -> None:
    rows = [answer(0, ("A", 0.5), ("B", 0.8), ("C", 0.3), member="Labels")]
    found = Answers(tmp_path / "answers", kind=KIND, documents=1, low_confidence=0.7, delimiter="|", picks=NONE)
    found.read(archive(rows), thresholds={"A": 0.9, "C": 0.1})
    assert members(found, 0)["labels"] == ["B", "C"]
    # C is the least certain: 0.2 of the 0.9 above its threshold.
    assert members(found, 0)["low_confidence"] is True
    assert found.counts().labels == {"B": 1, "C": 1}
    sure = Answers(tmp_path / "sure", kind=KIND, documents=1, low_confidence=0.6, delimiter="|", picks=NONE)
    sure.read(archive(rows), thresholds={"A": 0.9, "C": 0.1})
    assert members(sure, 0)["low_confidence"] is False


def test_a_line_as_a_number_is_read_as_well(tmp_path: Path) -> None:
    found = answers(tmp_path, [{**answer(0, ("A", 0.9)), "Line": 0}], documents=1)
    assert members(found, 0)["labels"] == ["A"]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([answer(0, ("A", 1.0)), answer(0, ("A", 1.0))], "answered twice"),
        ([answer(1, ("A", 1.0))], "has 1 lines"),
        ([answer("-1", ("A", 1.0))], "has 1 lines"),
        ([{"File": "documents.txt", "Classes": []}], "has 1 lines"),
        ([{"File": "x", "ErrorCode": "E", "ErrorMessage": "all is lost"}], "all is lost"),
        ([["no object"]], "not a JSON object"),
        ([{"Line": "0"}], "Classes is not a list"),
        ([{"Line": "0", "Classes": [{"Name": "A", "Score": "high"}]}], "not a Name with a Score"),
    ],
)
def test_what_is_no_answer_is_refused(tmp_path: Path, rows: list[Any], problem: str) -> None:
    with pytest.raises(InvalidPredictions, match=problem):
        answers(tmp_path, rows, documents=1)


def test_an_archive_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    whole = archive([answer(n, ("A", 0.5)) for n in range(100)]).getvalue()
    found = Answers(tmp_path / "answers", kind=KIND, documents=100, low_confidence=0.7, delimiter="|", picks=NONE)
    with pytest.raises(InvalidPredictions, match=r"not a complete tar\.gz"):
        found.read(io.BytesIO(whole[: len(whole) // 2]))


texts = st.text(st.characters(codec="utf-8"))
scores = st.lists(st.tuples(texts, st.floats(0, 1)), max_size=4)


@given(file=texts, text=texts, line=st.none() | st.integers(1), scored=scores, multi_label=st.booleans())
def test_rows_are_what_json_and_csv_readers_read(
    file: str, text: str, line: int | None, scored: list[tuple[str, float]], multi_label: bool
) -> None:
    predicted = ClassifiedDocument(scored, multi_label=multi_label, low_confidence=0.7)
    as_json = json.loads(json_row(file=json.dumps(file), line=line, text=text, members=answer_json_members(predicted)))
    assert (as_json["file"], as_json["line"], as_json["text"]) == (file, line, text)
    assert [(score["name"], score["score"]) for score in as_json["scores"]] == sorted(
        scored, key=lambda entry: -entry[1]
    )
    row = csv_row(file=field(file), line=line, text=text, fields=answer_csv_fields(predicted, "|"))
    (as_csv,) = csv.DictReader(io.StringIO(CSV_HEADER.decode() + row, newline=""))
    for cell, exact in (("file", file), ("text", text), ("labels", "|".join(as_json["labels"]))):
        assert as_csv[cell] in {exact, f"'{exact}"}
        assert as_csv[cell][:1] not in {*"=@\t\r\n"}
    assert as_csv["line"] == ("" if line is None else str(line))
    assert float(as_csv["score"]) == as_json["score"]
    assert as_csv["error"] == as_csv["message"] == ""


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("https://x.example")',
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\uff1d1",
    ],
)
def test_a_spreadsheet_runs_no_cell_and_the_json_is_exact(text: str) -> None:
    (cells,) = csv.reader(io.StringIO(f"{field(text)}\n", newline=""))
    assert cells == [f"'{text}"]
    assert json.loads(json_row(file='"f"', line=1, text=text, members='"a": 1'))["text"] == text


@pytest.mark.parametrize("text", ["-1", "+1.5", "Shares = 5", "a-b", "", "'quoted'", " =1"])
def test_what_a_spreadsheet_does_not_run_stays_as_it_is(text: str) -> None:
    assert field(text) == text
