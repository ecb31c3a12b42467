"""The documents of a small file, with where each begins: as an upload is read, whatever the file's form."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings

from flywheel.preparation import AnyLabel, LabelRules, Limits, Problem, prepare, read_documents
from tests.unit.preparation.test_differential import RULES, files

LABELS = ("CALM", "STORM")
ONE = LabelRules(LABELS, multi_label=False)


def read(data: str | bytes, rules: LabelRules | AnyLabel = ONE) -> list[tuple[int, tuple[str, ...], str]]:
    found = read_documents(data if isinstance(data, bytes) else data.encode(), rules=rules, limits=Limits())
    assert not isinstance(found, Problem), found
    return [(document.line, document.labels, document.text) for document in found]


def problem(data: str | bytes) -> Problem:
    found = read_documents(data if isinstance(data, bytes) else data.encode(), rules=ONE, limits=Limits())
    assert isinstance(found, Problem)
    return found


def test_each_document_has_the_line_on_which_it_begins() -> None:
    data = '\ufefflabel,text\r\nCALM,"a lake, at ""dawn"""\r\n\r\nSTORM,"two\r\nlines"\r\nCALM,x\r\nCALM,x\r\n\x1a'
    assert read(data) == [
        (2, ("CALM",), 'a lake, at "dawn"'),
        (4, ("STORM",), "two lines"),
        (6, ("CALM",), "x"),
        (7, ("CALM",), "x"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        "CALM;a, b\nSTORM;c\n",
        "text\tlabel\na, b\tCALM\nc\tSTORM\n",
        'CALM,"a, b"\rSTORM,c\r',
        json.dumps({"label": "CALM", "text": "a, b"}) + "\n" + json.dumps({"label": "STORM", "text": "c"}),
    ],
)
def test_the_file_may_be_in_any_form_of_an_upload(data: str) -> None:
    assert [(labels, text) for _, labels, text in read(data)] == [(("CALM",), "a, b"), (("STORM",), "c")]


def test_a_document_may_have_several_labels_and_any_if_none_are_known() -> None:
    rules = LabelRules(LABELS, multi_label=True)
    assert read("STORM | CALM,both\n", rules) == [(1, LABELS, "both")]
    assert read("a,x\nb,y\n", AnyLabel(multi_label=False)) == [(1, ("a",), "x"), (2, ("b",), "y")]
    assert read("b;a,x\n", AnyLabel(multi_label=True, delimiter=";")) == [(1, ("b", "a"), "x")]


@pytest.mark.parametrize(
    ("data", "line", "rule"),
    [
        (b"CALM,\xff\n", 1, "not-utf8"),
        ("CALM,a\nFOG,b\n", 2, "unknown-label"),
        ("CALM,a\nSTORM\n", 2, "wrong-columns"),
        ("CALM, \n", 1, "empty-text"),
        ('CALM,a\nCALM,"a\n', 2, "unclosed-quote"),
        (b"%PDF-1.7\n", None, "unsupported-type"),
    ],
)
def test_the_first_thing_that_is_wrong_is_told(data: str | bytes, line: int | None, rule: str) -> None:
    found = problem(data)
    assert (found.line, found.rule) == (line, rule)


def test_an_empty_file_has_no_documents() -> None:
    assert read("") == read("label,text\n") == []


@settings(max_examples=200, deadline=None)
@given(data=files(), rules=RULES)
def test_a_file_without_bad_lines_has_the_documents_of_its_preparation(data: bytes, rules: LabelRules) -> None:
    limits = Limits(maximum_bad_lines_percent=100)
    sink, nowhere = io.BytesIO(), io.BytesIO()
    prepared = prepare(
        source=io.BytesIO(data), sink=sink, hashes=nowhere, rules=rules, limits=limits, name="file", bad_lines=nowhere
    )
    found = read_documents(data, rules=rules, limits=limits)
    if isinstance(found, Problem):
        assert prepared.bad_lines or not prepared.accepted
        return
    assert not prepared.bad_lines
    assert len(found) == prepared.documents + prepared.duplicates
    written = [tuple(row) for row in csv.reader(io.StringIO(sink.getvalue().decode(), newline=""))]
    delimiter = rules.delimiter
    assert list(dict.fromkeys((delimiter.join(one.labels), one.text) for one in found)) == written
