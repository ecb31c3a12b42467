"""Analysis jobs of a recognizer, in this process."""

from __future__ import annotations

import pytest

from flywheel.records.analyses import AnalysisOutcome
from flywheel.records.decisions import DecisionKind
from tests.pipeline.analyses import ANALYSIS, analysed, csv_rows_of, rows_of
from tests.pipeline.deployed import Deployment
from tests.pipeline.entities.documents import TYPES, annotated, as_json_lines
from tests.pipeline.entities.test_turns import people


@pytest.fixture(scope="module")
def at() -> Deployment:
    at = people(analysis=ANALYSIS)
    at.upload("train/people.jsonl", as_json_lines(annotated(count=200)))
    assert at.run_turn().decision is DecisionKind.PROMOTE
    at.promote_all()
    return at


def test_each_line_gets_its_entities(at: Deployment) -> None:
    documents = [text for text, _ in annotated(start=700, count=6)]
    content = "\n".join([*documents, "\U0001f600 Anna Albers", "nobody"]).encode()
    summary = analysed(at, "letters", {"letters.txt": content})
    assert summary.outcome is AnalysisOutcome.SUCCEEDED
    rows = rows_of(at, "letters")
    assert [row["text"] for row in rows][:6] == documents
    found = [entity for row in rows for entity in row["entities"]]
    assert len(found) >= 8
    assert {entity["type"] for entity in found} <= set(TYPES)
    for row in rows:
        for entity in row["entities"]:
            assert row["text"][entity["begin"] : entity["end"]] == entity["text"]
        assert row["score"] == min((entity["score"] for entity in row["entities"]), default=1)
        assert row["low_confidence"] is (row["score"] < 0.7)
    assert summary.documents == 8
    assert summary.labels["PERSON"] >= 4
    for row, as_csv in zip(rows, csv_rows_of(at, "letters"), strict=True):
        assert as_csv["labels"] == "|".join(dict.fromkeys(entity["type"] for entity in row["entities"]))
