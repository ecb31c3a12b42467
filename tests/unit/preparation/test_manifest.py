"""Augmented manifests for classifiers: the attribute that counts, its classes, and lines that nobody labelled."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel.preparation import (
    AnyLabel,
    FileKind,
    LabelRules,
    Limits,
    Preparation,
    Problem,
    prepare,
    read_documents,
    text_hash,
)
from flywheel.preparation.labels import LabelColumn
from flywheel.preparation.manifest_documents import LabelledManifest
from flywheel.preparation.report import render_text

ONE = LabelRules(("spam", "ham", "World News"), multi_label=False)
SEVERAL = LabelRules(ONE.labels, multi_label=True)
Line = dict[str, Any]


def of_one(text: str, name: str = "spam", index: object = 0, **metadata: object) -> Line:
    """A line as Ground Truth writes it for one class a document; None removes metadata."""
    written = {
        "confidence": 0.81,
        "job-name": "labeling-job/news",
        "class-name": name,
        "human-annotated": "yes",
        "creation-date": "2020-05-21T17:37:51.970530",
        "type": "groundtruth/text-classification",
    }
    return _line(text, index, written | metadata)


def of_several(text: str, classes: dict[int, str], index: object = None, **metadata: object) -> Line:
    """A line as Ground Truth writes it for several classes a document; None removes metadata."""
    written = {
        "job-name": "labeling-job/news",
        "class-map": {str(number): name for number, name in classes.items()},
        "confidence-map": {str(number): 0.66 for number in classes},
        "human-annotated": "yes",
        "creation-date": "2020-05-21T19:02:21.521882",
        "type": "groundtruth/text-classification-multilabel",
    }
    return _line(text, list(classes) if index is None else index, written | metadata)


def _line(text: str, index: object, metadata: dict[str, object]) -> Line:
    given = {key.replace("_", "-"): value for key, value in metadata.items()}
    return {"source": text, "job": index, "job-metadata": {k: v for k, v in given.items() if v is not None}}


def without(line: Line, *keys: str) -> Line:
    return {key: value for key, value in line.items() if key not in keys}


def written(lines: Iterable[Line]) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def prepared(
    lines: bytes | Iterable[Line], rules: LabelRules | AnyLabel = ONE, *, block_bytes: int = 1 << 16, **limits: Any
) -> tuple[Preparation, list[tuple[str, str]]]:
    """The outcome, and the documents that were written."""
    sink, hashes, bad = io.BytesIO(), io.BytesIO(), io.BytesIO()
    preparation = prepare(
        source=io.BytesIO(lines if isinstance(lines, bytes) else written(lines)),
        sink=sink,
        hashes=hashes,
        rules=rules,
        limits=Limits(**{"maximum_bad_lines_percent": 100, "documents": 20_000, **limits}),
        name="output.manifest",
        bad_lines=bad,
        block_bytes=block_bytes,
    )
    rows = [(label, text) for label, text in csv.reader(io.StringIO(sink.getvalue().decode(), newline=""))]
    assert hashes.getvalue() == b"".join(text_hash(text) for _, text in rows)
    assert len(rows) == preparation.documents
    assert all(label for label, _ in rows)
    return preparation, rows


def file_problem(lines: bytes | Iterable[Line], rules: LabelRules = ONE) -> Problem:
    preparation, rows = prepared(lines, rules)
    assert not preparation.accepted
    assert not rows
    assert preparation.file_problem is not None
    return preparation.file_problem


GOOD = [of_one("good", "ham", 1), of_several("also good", {2: "World News"})]
GOOD_ROWS = [("ham", "good"), ("World News", "also good")]


def bad_line(line: Line, rules: LabelRules = ONE, **limits: Any) -> Problem:
    """What is said of a line between two good ones, which must be taken."""
    preparation, rows = prepared([GOOD[0], line, GOOD[1]], rules, **limits)
    assert rows == GOOD_ROWS
    (problem,) = preparation.examples
    assert problem.line == 2
    assert preparation.bad_lines == {problem.rule: 1}
    assert "{" not in problem.message
    return problem


# --- what is taken ---------------------------------------------------------------------------------------------------


def test_a_manifest_becomes_the_same_file_as_json_lines_of_its_documents() -> None:
    texts = ["one", "two,\r\n lines", 'said "hello"', "🎈"]
    names = ["spam", "ham", "World News", "spam"]
    preparation, rows = prepared(
        [of_one(text, name, ONE.labels.index(name)) for text, name in zip(texts, names, strict=True)]
    )
    other, other_rows = prepared(
        written({"text": text, "label": name} for text, name in zip(texts, names, strict=True))
    )

    assert rows == other_rows == list(zip(names, ["one", "two,  lines", 'said "hello"', "🎈"], strict=True))
    assert preparation.content_hash == other.content_hash
    assert preparation.labels == {"spam": 2, "ham": 1, "World News": 1}
    assert preparation.format is not None
    assert preparation.format.kind is FileKind.MANIFEST
    assert "Augmented manifest, LF line ends." in render_text(preparation)


def test_several_classes_are_written_in_the_order_of_the_settings() -> None:
    lines = [of_several("one", {4: "World News", 0: "spam"}), of_several("two", {0: "spam", 1: "ham"}, [1])]

    assert prepared(lines, SEVERAL)[1] == [("spam|World News", "one"), ("ham", "two")]


def test_lines_of_one_class_each_are_taken_whatever_the_mode() -> None:
    lines = [of_several("one", {4: "ham"}), of_one("two")]

    for rules in (ONE, SEVERAL, replace(SEVERAL, delimiter=";"), AnyLabel(multi_label=False)):
        assert prepared(lines, rules)[1] == [("ham", "one"), ("spam", "two")]
    assert bad_line(of_several("x", {0: "spam", 1: "ham"})).rule == "too-many-labels"


def test_what_else_a_line_has_is_passed_over() -> None:
    line = of_one("text", workerId="w", consolidation={"annotations": [{"workerId": "w", "content": "{}"}]})
    line |= {
        "id": 7,
        "text-metadata": "no metadata",
        "verified": 1,
        "verified-metadata": {"class-name": "bad", "type": "groundtruth/label-verification"},
        "entities": {"annotations": {"entities": []}},
        "entities-metadata": {"type": "groundtruth/text-span"},
        "source-ref": "s3://bucket/key",
    }
    assert prepared([line])[1] == [("spam", "text")]


@pytest.mark.parametrize(
    "metadata", [{"type": None}, {"type": "groundtruth/custom"}, {"type": None, "human_annotated": None}]
)
def test_metadata_may_be_short(metadata: dict[str, Any]) -> None:
    assert prepared([of_one("text", **metadata)])[1] == [("spam", "text")]
    assert prepared([of_several("text", {0: "spam", 1: "ham"}, **metadata)], SEVERAL)[1] == [("spam|ham", "text")]


def test_labels_of_machines_are_taken_or_refused() -> None:
    line = of_one("text", human_annotated="no")

    assert prepared([*GOOD, line])[1] == [*GOOD_ROWS, ("spam", "text")]
    assert bad_line(line, machine_labels=False).rule == "machine-annotated"
    assert bad_line(of_one("text", human_annotated=None), machine_labels=False).rule == "not-annotated"


@pytest.mark.parametrize(
    "change", [(b"\n", b"\r\n"), (b"\n", b"\r"), (b"\n", b"\n \n"), (b'{"source"', b'  {"source"')]
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_blank_lines_and_marks(change: tuple[bytes, bytes], mark: bytes) -> None:
    assert prepared(mark + written(GOOD).replace(*change))[1] == GOOD_ROWS


def test_a_first_document_may_be_longer_than_what_a_form_is_told_by() -> None:
    lines = [of_one("é" * 100_000), *GOOD]

    preparation, rows = prepared(lines)

    assert [len(text) for _, text in rows] == [100_000, 4, 9]
    assert preparation.format is not None
    assert preparation.format.kind is FileKind.MANIFEST
    assert not isinstance(read_documents(written(lines), rules=ONE, limits=Limits()), Problem)


# --- which attribute counts ------------------------------------------------------------------------------------------


def two_jobs() -> Line:
    return of_one("text") | {"second": 1, "second-metadata": of_one("", "ham", 1)["job-metadata"]}


def test_of_several_attributes_the_configured_one_counts() -> None:
    for attribute, name in (("job", "spam"), ("second", "ham")):
        assert prepared([two_jobs()], manifest_attribute=attribute)[1] == [(name, "text")]
        limits = Limits(manifest_attribute=attribute)
        found = read_documents(written([two_jobs()]), rules=ONE, limits=limits)
        assert not isinstance(found, Problem)
        assert found[0].labels == (name,)


def test_several_attributes_and_none_configured_are_named() -> None:
    problem = file_problem([two_jobs()])

    assert problem.rule == "several-attributes"
    assert '"job", "second"' in problem.message
    assert read_documents(written([two_jobs()]), rules=ONE, limits=Limits()) == problem


def test_a_configured_attribute_that_no_line_has_is_named() -> None:
    preparation, _ = prepared([two_jobs()] * 5, manifest_attribute="third", maximum_bad_lines_percent=5)

    assert preparation.file_problem is not None
    assert preparation.file_problem.rule == "too-many-bad-lines"
    assert 'no attribute "third"' in preparation.file_problem.message


@pytest.mark.parametrize("name", ["label", "labels", "text", "a b", "metadata", "-metadata", ""])
def test_an_attribute_may_have_any_name(name: str) -> None:
    line = of_one("text")
    assert prepared([{"source": "text", name: 0, f"{name}-metadata": line["job-metadata"]}])[1] == [("spam", "text")]


@pytest.mark.parametrize(
    ("line", "rule", "says"),
    [
        (without(of_one("x"), "source") | {"source-ref": "s3://b/k"}, "source-ref", "source-ref"),
        ({"source": "x"}, "no-classification", "it has none at all"),
        ({"source": "x", "spans-metadata": {"type": "groundtruth/text-span"}}, "no-classification", 'it has "spans"'),
    ],
)
def test_a_manifest_of_another_kind_is_refused_with_a_sentence(line: Line, rule: str, says: str) -> None:
    problem = file_problem([line] * 3)

    assert problem.rule == rule
    assert says in problem.message
    assert problem.fix


def test_json_lines_stay_what_they_are() -> None:
    lines = [{"text": "x", "label": "spam", "source": "web", "source-metadata": {"class-name": "ham"}}]
    assert prepared(lines)[1] == [("spam", "x")]

    preparation, _ = prepared([{"source": "x", "label": "spam"}])
    assert [problem.rule for problem in preparation.examples] == ["missing-json-key"]
    assert '"text"' in preparation.examples[0].message


# --- bad lines -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (without(of_one("x"), "job", "job-metadata"), "no-attribute"),
        (without(of_one("x"), "job"), "no-attribute"),
        (of_one("x", index=None), "no-attribute"),
        (without(of_one("x"), "job-metadata"), "not-annotated"),
        (of_one("x") | {"job-metadata": []}, "not-annotated"),
        (of_one("x", class_name=None), "not-annotated"),
        (of_one("x", human_annotated="maybe"), "not-annotated"),
        (of_one("x", failure_reason="ClientError: expired"), "failed-annotation"),
        (of_one("x") | {"job-metadata": {"failure-reason": ["expired"]}}, "failed-annotation"),
        (without(of_one("x"), "job", "job-metadata") | {"failure-reason": "expired"}, "failed-annotation"),
        (of_several("x", {}), "no-classes"),
        (of_several("x", {0: "spam"}, [1]), "unknown-class"),
        (of_several("x", {0: "spam"}, [0, 4]), "unknown-class"),
        (of_one("x", class_map={"1": "spam"}), "unknown-class"),
        (of_one("x", class_map={"0": "ham"}), "other-class"),
        (of_one("x", "spam", 1), "other-class"),
        (of_one("x", "spam", -1), "wrong-json-value"),
        (of_one("x", "spam", True), "wrong-json-value"),
        (of_one("x", "spam", 1.0), "wrong-json-value"),
        (of_one("x", "spam", "0"), "wrong-json-value"),
        (of_one("x", "spam", {"0": "spam"}), "wrong-json-value"),
        (of_one("x", "spam", [0, 1]), "wrong-json-value"),
        (of_one("x", class_name=7), "wrong-json-value"),
        (of_several("x", {0: "spam"}, class_map=["spam"]), "wrong-json-value"),
        (of_several("x", {0: "spam"}, class_map={"0": None}), "wrong-json-value"),
        (without(of_one("x"), "source"), "missing-json-key"),
        (without(of_one("x"), "source") | {"source-ref": "s3://b/k"}, "source-ref"),
        ({"text": "x", "label": "spam"}, "missing-json-key"),
        (of_one("x") | {"source": ["x"]}, "wrong-json-value"),
        (of_one(" \n"), "empty-text"),
        (of_one("a\0b"), "control-character"),
        (of_one("\ud800"), "not-utf8"),
        (of_one("x", "Spam"), "unknown-label"),
        (of_one("x", "sp\u0430m"), "unknown-label"),
        (of_one("x", "spam|ham"), "unknown-label"),
        (of_one("x", " "), "empty-label"),
    ],
)
def test_one_bad_line_is_reported_by_name(line: Line, rule: str) -> None:
    problem = bad_line(line)

    assert problem.rule == rule
    assert problem.fix


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (of_several("x", {0: "spam", 1: "spam"}), "repeated-label"),
        (of_several("x", {0: "spam"}, [0, 0]), "repeated-label"),
        (of_several("x", {0: "spam|ham"}), "label-with-delimiter"),
        (of_several("x", {}), "no-classes"),
    ],
)
def test_bad_lines_of_several_classes(line: Line, rule: str) -> None:
    assert bad_line(line, SEVERAL).rule == rule


def test_a_name_with_the_delimiter_never_becomes_two_labels() -> None:
    preparation, rows = prepared([of_several("x", {0: "a|b"}), of_one("y", "c", 1)], AnyLabel(multi_label=True))

    assert rows == [("c", "y")]
    assert preparation.bad_lines == {"label-with-delimiter": 1}


def test_a_label_that_looks_like_another_is_told_apart() -> None:
    problem = bad_line(of_one("x", "sp\u0430m"))

    assert "U+0430" in problem.message
    assert prepared([of_one("x", " spam\u200b")])[1] == [("spam", "x")]


def test_classes_are_numbered_within_a_job() -> None:
    lines = [of_one("a"), of_one("b", "ham", 0, job_name="labeling-job/other"), of_one("c", "ham", 0)]

    preparation, rows = prepared(lines)

    assert rows == [("spam", "a"), ("ham", "b")]
    assert preparation.examples[0].rule == "other-class"
    assert preparation.examples[0].message == (
        'The line is of class 0, which is "spam" in an earlier line of its job, and its "class-name" is "ham".'
    )


@pytest.mark.parametrize("kind", [{"type": "groundtruth/text-classification"}, {}])
def test_a_job_of_which_every_task_expired_gives_no_documents(kind: dict[str, str]) -> None:
    metadata = {"failure-reason": "expired", **kind}
    preparation, rows = prepared([{"source": f"text {number}", "job-metadata": metadata} for number in range(399)])

    assert not preparation.accepted
    assert rows == []
    assert preparation.bad_lines == {"failed-annotation": 399}


def test_a_job_that_ended_early_gives_the_documents_that_were_labelled() -> None:
    lines = [of_one(f"text {number}") for number in range(3)] + [{"source": f"more {number}"} for number in range(397)]
    preparation, rows = prepared(lines)

    assert len(rows) == 3
    assert preparation.bad_lines == {"no-attribute": 397}


# --- hostile files ---------------------------------------------------------------------------------------------------

DEEP = b"[" * 5000 + b"]" * 5000


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b'{"source": "x", "job": 0, "job": 1, "job-metadata": {"class-name": "spam"}}', "repeated-json-key"),
        (
            b'{"source": "x", "job": 0, "job-metadata": {"class-name": "spam", "class-name": "ham"}}',
            "repeated-json-key",
        ),
        (b'{"source": "x", "job": 0, "job-metadata": {"class-name": "spam", "confidence": NaN}}', "invalid-json"),
        (b'{"source": "x", "job": 0, "job-metadata": {"failure-reason": %s}}' % (b"[" * 900 + b"]" * 900), None),
        (b'{"source": "x", "job": %s, "job-metadata": {"class-name": "spam"}}' % DEEP, None),
        (b'{"source": "x", "job": %s, "job-metadata": {"class-name": "spam"}}' % (b"9" * 5000), "invalid-json"),
        (b'{"source": "x", "job": %s, "job-metadata": {"class-map": {"0": "spam"}}}' % (b"9" * 4000), "unknown-class"),
        (b'{"source": "x", "job": %s, "job-metadata": {"class-name": "spam"}}' % (b"0" * 2), "invalid-json"),
        (b'{"source": "\xff", "job": 0, "job-metadata": {"class-name": "spam"}}', "not-utf8"),
        (b'{"source": "\xed\xa0\xbd\xed\xb8\x80", "job": 0, "job-metadata": {"class-name": "spam"}}', "not-utf8"),
        (b'{"source": "x", "job": 0, "job-metadata": {"class-name": "\\ud800"}}', "unknown-label"),
        (b'{"source": "x", "job": 0, "job-metadata": {"class-name": "spam"}', "invalid-json"),
        (b'{"source": "x", "job": [%s0], "job-metadata": {"class-map": {"0": "spam"}}}' % (b"0," * 9999), None),
        (b"\0\0", "invalid-json"),
    ],
)
def test_a_hostile_line_is_a_bad_line(line: bytes, rule: str | None) -> None:
    good = written(GOOD).splitlines(keepends=True)
    for rules in (ONE, AnyLabel(multi_label=False)) if rule != "unknown-label" else (ONE,):
        preparation, rows = prepared(good[0] + line + b"\n" + good[1], rules)
        assert rows == GOOD_ROWS
        assert sum(preparation.bad_lines.values()) == 1
        assert rule is None or list(preparation.bad_lines) == [rule]


def test_a_name_that_nothing_can_encode_is_refused_also_where_any_label_will_do() -> None:
    data = b'{"source": "x", "job": 0, "job-metadata": {"class-name": "\\ud800"}}\n' + written(GOOD)

    assert prepared(data, AnyLabel(multi_label=False))[1] == GOOD_ROWS


def test_a_line_of_a_hundred_thousand_classes_takes_no_time_by_their_square() -> None:
    line = of_several("x", {number: f"class {number}" for number in range(100_000)})

    assert bad_line(line, SEVERAL).rule == "unknown-label"


def test_names_of_megabytes_are_not_remembered() -> None:
    names = [" " * 300_000 + "spam" + " " * number for number in range(30)]
    lines = [of_one(f"text {number}", name, number, job_name=name) for number, name in enumerate(names)]
    form = LabelledManifest("job", labels=LabelColumn(ONE), machine_labels=True)

    tracemalloc.start()
    found = [form.document_of(line) for line in lines]
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [document[1] for document in found if isinstance(document, tuple)] == [line["source"] for line in lines]
    assert held < 100_000


def test_thousands_of_attributes_and_jobs() -> None:
    many = {f"a{number}-metadata": {"class-name": "spam"} for number in range(3000)}
    assert file_problem([{"source": "x", **many}]).rule == "several-attributes"
    jobs = [of_one(f"text {number}", job_name=f"job {number}") for number in range(12_000)]
    assert prepared(jobs)[0].documents == 12_000


# --- round trips -----------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=1).filter(
    lambda text: any(character.isalnum() for character in text)
)


@settings(max_examples=60, deadline=None)
@given(
    documents=st.lists(
        st.tuples(TEXTS, st.sets(st.sampled_from(range(3)), min_size=1)),
        min_size=1,
        max_size=20,
        unique_by=lambda one: one[0],
    ),
    escaped=st.booleans(),
    block_bytes=st.sampled_from([1, 100, 1 << 16]),
    data=st.data(),
)
def test_documents_read_back_as_they_were_labelled(
    documents: list[tuple[str, set[int]]], escaped: bool, block_bytes: int, data: st.DataObject
) -> None:
    lines = []
    for text, classes in documents:
        order = data.draw(st.permutations(sorted(classes)))
        if len(order) == 1 and data.draw(st.booleans()):
            lines.append(of_one(text, ONE.labels[order[0]], order[0]))
        else:
            lines.append(of_several(text, {index: ONE.labels[index] for index in order}))
    manifest = "".join(json.dumps(line, ensure_ascii=escaped) + "\n" for line in lines).encode()
    wanted = [
        ("|".join(ONE.labels[i] for i in sorted(classes)), text.strip(" \t\x0b\x0c")) for text, classes in documents
    ]

    preparation, rows = prepared(manifest, SEVERAL, block_bytes=block_bytes)
    found = read_documents(manifest, rules=SEVERAL, limits=Limits())

    assert not preparation.bad_lines
    assert rows == list(dict.fromkeys(wanted))
    assert not isinstance(found, Problem)
    assert [("|".join(one.labels), one.text) for one in found] == wanted
    assert [one.line for one in found] == list(range(1, len(lines) + 1))


SCALARS = st.none() | st.booleans() | st.integers(-1, 3) | st.sampled_from([0.5, "spam", "ham", "yes", "no", "0"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["0", "1", "class-name"]), inner),
    max_leaves=5,
)
KEYS = ["class-name", "class-map", "human-annotated", "failure-reason", "job-name", "type"]


@settings(max_examples=300, deadline=None)
@given(
    lines=st.lists(
        st.fixed_dictionaries(
            {"source": VALUES},
            optional={
                "job": VALUES,
                "job-metadata": VALUES | st.dictionaries(st.sampled_from(KEYS), VALUES),
                "other-metadata": VALUES | st.dictionaries(st.sampled_from(KEYS), VALUES),
                "failure-reason": VALUES,
                "text": VALUES,
            },
        ),
        max_size=5,
    ),
    multi_label=st.booleans(),
    configured=st.sampled_from([None, "job"]),
)
def test_whatever_a_line_holds_it_becomes_a_document_or_a_bad_line(
    lines: list[Line], multi_label: bool, configured: str | None
) -> None:
    rules = LabelRules(ONE.labels, multi_label=multi_label)
    preparation, rows = prepared(lines, rules, manifest_attribute=configured)

    if preparation.format is not None and preparation.file_problem is None:
        assert len(rows) + preparation.duplicates + preparation.bad_lines_total == len(lines)
    assert {part for label, _ in rows for part in label.split("|")} <= set(ONE.labels)
    assert render_text(preparation)
    found = read_documents(written(lines), rules=rules, limits=Limits(manifest_attribute=configured))
    assert isinstance(found, Problem) or len(found) == len(lines)
