"""Files that nobody means well with: never an error, never another document than was uploaded, always a report."""

from __future__ import annotations

import io
import json
import zipfile
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel.preparation.entities import AnyType, EntityLimits, EntityRules, missing_parts, read_entity_documents
from flywheel.preparation.problems import Problem
from flywheel.preparation.report import render_text

from .uploads import GOOD, Outcome, line_of, prepared, spans

ANNOTATIONS = b"File,Line,Begin Offset,End Offset,Type\ndocuments.txt,0,0,3,PER\n"
LIST = b"Text,Type\nAnn,PER\n"
CONLL = b"Ann\tB-PER\nmet\tO\n\nBob\tB-PER\n"
MANIFEST = json.dumps(
    {
        "source": "Ann",
        "e": {"annotations": {"entities": [{"startOffset": 0, "endOffset": 3, "label": "PER"}]}},
        "e-metadata": {"type": "groundtruth/text-span", "human-annotated": "yes"},
    }
).encode()


def archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as files:
        files.writestr("train.csv", "PER,text\n")
    return written.getvalue()


def check(outcome: Outcome, data: bytes) -> None:
    report = render_text(outcome.preparation)
    assert report.isprintable() or all(line.isprintable() for line in report.split("\n"))
    assert sum(outcome.preparation.bad_lines.values()) >= len(outcome.problems)
    for text, found in outcome.documents:
        assert text.strip()
        assert "\0" not in text
        assert len(text.encode()) <= 5000
        assert all(0 <= span.begin < span.end <= len(text) for span in found)
        assert all(before.end <= after.begin for before, after in pairwise(found))
    assert outcome.preparation.accepted == (outcome.preparation.file_problem is None)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "empty-file"),
        (b"\xef\xbb\xbf", "empty-file"),
        (b"\n\r\n \t\n", "empty-file"),
        (archive(), "unsupported-type"),
        (b"\x1f\x8b\x08\x00", "broken-gzip"),
        (GOOD.encode("utf-16"), "unsupported-type"),
        (GOOD.encode("utf-16-le"), "unsupported-type"),
        (GOOD.encode("utf-32"), "unsupported-type"),
        (b"[" + GOOD.encode().strip() + b"]", "unsupported-type"),
        (b"{\n" + GOOD.encode()[1:], "unsupported-type"),
        (b"<html><body>404</body></html>", "unsupported-type"),
        (b"\0" * 10_000, "unsupported-type"),
        (b"PER,some text\nLOC,some text\n", "unrecognised-file"),
        (b"a" * 300_000, "unrecognised-file"),
        (b"{" * 300_000, "too-many-bad-lines"),
        (b'{"text": ' * 100_000, "too-many-bad-lines"),
        (GOOD.encode("cp1252").replace(b"Ann", b"Ren\xe9"), "too-many-bad-lines"),
        (ANNOTATIONS, "missing-parts"),
        (b'"' * 100_000, "unrecognised-file"),
        (b"\t" * 100_000 + b"O\n", "too-many-bad-lines"),
        (b"x O\n" * 10_000, "too-many-bad-lines"),
    ],
)
def test_a_file_that_is_no_upload_is_refused_with_a_sentence(data: bytes, rule: str) -> None:
    outcome = prepared(data, maximum_bad_lines_percent=5)

    check(outcome, data)
    assert outcome.preparation.file_problem is not None
    assert outcome.preparation.file_problem.rule == rule
    assert isinstance(read_entity_documents(data, rules=AnyType(), limits=EntityLimits()), Problem | list)


def test_a_line_of_ten_megabytes_costs_itself() -> None:
    huge = line_of("x" * 10_000_000)
    outcome = prepared(GOOD + huge + line_of("after"))

    assert outcome.problems == [(2, "document-too-large")]
    assert outcome.bad == huge.encode()
    assert [text for text, _ in outcome.documents] == ["Ann met Bob", "after"]


def test_a_line_of_many_annotations_costs_itself() -> None:
    many = line_of("x" * 5000, [(0, 1, "PER")] * 30_000)
    outcome = prepared(GOOD + many + line_of("after"))
    assert outcome.problems == [(2, "document-too-large")]
    outcome = prepared(line_of("x" * 5000, [(place, place + 1, "PER") for place in range(5000)]))
    assert outcome.preparation.annotations == {"PER": 5000}


def test_encodings_may_be_mixed_and_cost_the_lines_that_are_not_utf8() -> None:
    lines = [line_of("ok").encode(), '{"text": "é", "entities": []}\n'.encode("cp1252"), line_of("é").encode()]
    assert [text for text, _ in prepared(b"".join(lines)).documents] == ["ok", "é"]


def test_right_to_left_text_and_direction_marks_are_kept_and_shown_as_escapes() -> None:
    text = "\u202eAnn\u202c met \u05d0\u05d1\u05d2"
    outcome = prepared(line_of(text, [(1, 4, "PER")]) + line_of(text[:3] * 2, [(0, 9, "PER")]))

    assert outcome.documents == [(text, spans((1, 4, "PER")))]
    assert "\u202e" not in render_text(outcome.preparation)


def test_reading_ends_as_soon_as_nothing_can_be_accepted() -> None:
    bad = b"{}\n" * 100_000
    outcome = prepared(bad, maximum_bad_lines_percent=5, documents=100, rows=1000, block_bytes=1 << 10)
    assert outcome.preparation.lines < 1000
    full = b"".join(line_of(f"text {number}").encode() for number in range(5000))
    outcome = prepared(full, documents=100, block_bytes=1 << 10)
    assert outcome.preparation.file_problem is not None
    assert outcome.preparation.file_problem.rule == "too-many-documents"
    assert outcome.preparation.lines < 1000
    outcome = prepared(full, file_bytes=3000, block_bytes=1 << 10)
    assert outcome.preparation.file_problem is not None
    assert outcome.preparation.file_problem.rule == "file-too-large"
    outcome = prepared(line_of("x") * 5000, rows=100, block_bytes=1 << 10)
    assert outcome.preparation.file_problem is not None
    assert outcome.preparation.file_problem.rule == "too-many-rows"


PIECES = st.sampled_from(
    [
        *[b"\0", b"\r", b"\n", b"\r\n", b'"', b'""', b",", b"\t", b"\x1a", b"\xef\xbb\xbf", b"\xff", b"\xed\xa0\xbd"],
        *[
            b"{",
            b"}",
            b"[",
            b"]",
            b":",
            b"\\ud83d",
            b"\\u0000",
            b"NaN",
            b"1e999",
            b"-1",
            b"9" * 30,
            b"text",
            b"entities",
        ],
        *[
            "🎈".encode(),
            "\u202e".encode(),
            "e\u0301".encode(),
            "\u2028".encode(),
            b"Ann",
            b"PER",
            b"B-PER",
            b"O",
            b"#",
        ],
        *[b"documents.txt", b"-DOCSTART-", b"source", b"source-ref", b"failure-reason", b'"text": "x"', b" "],
    ]
)
SEEDS = [GOOD.encode(), MANIFEST + b"\n", CONLL, ANNOTATIONS, LIST, b"Ann met Bob\n", b""]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = draw(st.sampled_from(SEEDS)) * draw(st.integers(1, 3))
    for _ in range(draw(st.integers(0, 6))):
        begin = draw(st.integers(0, len(data)))
        end = min(len(data), begin + draw(st.integers(0, 12)))
        data = data[:begin] + b"".join(draw(st.lists(PIECES, max_size=4))) + data[end:]
    return data


@settings(max_examples=300, deadline=None)
@given(damaged(), st.sampled_from([1, 16, 1 << 16]), st.sampled_from([AnyType(), EntityRules(("PER",))]))
def test_a_damaged_file_is_reported_on(data: bytes, block_bytes: int, rules: AnyType | EntityRules) -> None:
    outcome = prepared(data, rules=rules, block_bytes=block_bytes)

    check(outcome, data)
    whole = prepared(data, rules=rules)
    assert (whole.documents, whole.bad) == (outcome.documents, outcome.bad)
    assert whole.preparation == outcome.preparation
    read = read_entity_documents(data, rules=rules, limits=EntityLimits())
    if isinstance(read, Problem):
        assert outcome.preparation.bad_lines or not outcome.preparation.accepted
    else:
        assert not outcome.preparation.bad_lines
        assert list(dict.fromkeys((found.text, found.spans) for found in read)) == outcome.documents


@settings(max_examples=300, deadline=None)
@given(damaged(), damaged(), st.sampled_from([1, 16, 1 << 16]))
def test_a_folder_of_damaged_files_is_reported_on(one: bytes, other: bytes, block_bytes: int) -> None:
    files: dict[str, bytes | str] = {"one.csv": one, "documents.txt": other}
    outcome = prepared(files, rules=AnyType(), block_bytes=block_bytes)

    check(outcome, one + other)
    assert prepared(files, rules=AnyType()).preparation == outcome.preparation
    missing_parts([("one.csv", one), ("documents.txt", other)])
