"""JSON Lines as labelling tools write them."""

from __future__ import annotations

import json

import pytest

from flywheel.preparation.entities import AnyType

from .uploads import GOOD, line_of, prepared, spans

TEXT = "Ann met Bob"
PER = spans((0, 3, "PER"))


@pytest.mark.parametrize(
    "entities",
    [
        '"entities": [{"begin": 0, "end": 3, "type": "PER"}]',
        '"entities": [{"begin": 0, "end": 3, "type": "PER", "text": "Ann", "score": 0.5}]',
        '"label": [[0, 3, "PER"]]',
        '"labels": [[0, 3, "PER"]]',
        '"entities": [{"id": 0, "label": "PER", "start_offset": 0, "end_offset": 3}], "relations": [], "Comments": []',
        '"spans": [{"start": 0, "end": 3, "label": "PER", "token_start": 0}], "answer": "accept", "label": "PER"',
        '"ents": [{"start": 0, "end": 3, "label": "PER"}], "tokens": [{"id": 0}]',
        '"label": [{"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}]',
        '"Entities": [{"BeginOffset": 0, "EndOffset": 3, "Text": "Ann", "Type": "PER", "Score": 0.9}]',
        '"entities": [{"begin": 0, "end": 3, "type": "PER", "label": "PER"}]',
        '"entities": [{"begin": 0, "end": 3, "type": " PER\\u200b"}]',
    ],
)
def test_the_same_entity_in_the_words_of_every_tool(entities: str) -> None:
    outcome = prepared('{"text": "Ann met Bob", ' + entities + "}\n")

    assert outcome.problems == []
    assert outcome.documents == [(TEXT, PER)]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ('{"entities": []}', "missing-json-key"),
        ('{"text": "x"}', "missing-json-key"),
        ('{"text": 7, "entities": []}', "wrong-json-value"),
        ('{"text": "x", "entities": {}}', "wrong-json-value"),
        ('{"text": "x", "entities": [], "label": []}', "wrong-json-value"),
        ('{"text": "x", "entities": ["PER"]}', "wrong-json-value"),
        ('{"text": "x", "entities": [[0, 1]]}', "wrong-json-value"),
        ('{"text": "x", "entities": [[0, 1.0, "PER"]]}', "wrong-json-value"),
        ('{"text": "x", "entities": [[false, true, "PER"]]}', "wrong-json-value"),
        ('{"text": "x", "entities": [["0", "1", "PER"]]}', "wrong-json-value"),
        ('{"text": "x", "entities": [[0, 1, 3]]}', "wrong-json-value"),
        ('{"text": "x", "entities": [[0, 1, null]]}', "wrong-json-value"),
        ('{"text": "x", "entities": [{"begin": 0, "start": 1, "end": 1, "type": "PER"}]}', "wrong-json-value"),
        ('{"text": "x", "entities": [{"begin": 0, "end": 1, "type": "PER", "label": "LOC"}]}', "wrong-json-value"),
        ('{"text": "x", "entities": [{"begin": 0, "end": 1, "type": ["PER", "LOC"]}]}', "wrong-json-value"),
        ('{"text": "x", "entities": [{"begin": 0, "end": 1, "type": "PER", "text": 1}]}', "wrong-json-value"),
        ('{"text": "x", "Text": "y", "entities": []}', "repeated-json-key"),
        ('{"text": "x", "text": "y", "entities": []}', "repeated-json-key"),
        ('{"text": "x", "entities": [{"begin": 0, "begin": 0, "end": 1, "type": "PER"}]}', "repeated-json-key"),
        ('{"text": "x", "entities": [], "answer": "reject"}', "refused-by-annotator"),
        ('{"text": "x", "entities": [], "answer": "ignore"}', "refused-by-annotator"),
        ('{"text": "x", "entities": [], "meta": NaN}', "invalid-json"),
        ('{"text": "x", "entities": []', "invalid-json"),
        ("[]", "invalid-json"),
        ('{"text": "x", "entities": [[0, ' + "9" * 5000 + ', "PER"]]}', "invalid-json"),
        ('{"text": "x", "entities": ' + "[" * 10_000 + "]" * 10_000 + "}", "invalid-json"),
        ('{"text": "\\ud83d", "entities": []}', "not-utf8"),
        ('{"text": "x", "entities": [[0, 1, "\\ud83d"]]}', "invalid-type"),
        ('{"text": "", "entities": []}', "empty-text"),
        ('{"text": " \\n\\u00a0", "entities": []}', "empty-text"),
        ('{"text": "a\\u0000b", "entities": []}', "control-character"),
        ('{"text": "' + "x" * 5001 + '", "entities": []}', "document-too-large"),
        ('{"text": "' + "é" * 2501 + '", "entities": []}', "document-too-large"),
        ('{"text": "x", "entities": [[0, 2, "PER"]]}', "offset-outside-document"),
        ('{"text": "x", "entities": [[-1, 1, "PER"]]}', "offset-outside-document"),
        ('{"text": "x", "entities": [[0, ' + "9" * 4000 + ', "PER"]]}', "offset-outside-document"),
        ('{"text": "x", "entities": [[1, 1, "PER"]]}', "empty-annotation"),
        ('{"text": "xyz", "entities": [[2, 1, "PER"]]}', "empty-annotation"),
        ('{"text": "xyz", "entities": [[0, 2, "PER"], [1, 3, "PER"]]}', "overlapping-annotations"),
        ('{"text": "xyz", "entities": [[0, 3, "PER"], [1, 2, "LOC"]]}', "overlapping-annotations"),
        ('{"text": "xyz", "entities": [[0, 3, "PER"], [0, 3, "LOC"]]}', "overlapping-annotations"),
        ('{"text": "x", "entities": [[0, 1, "per"]]}', "unknown-type"),
        ('{"text": "x", "entities": [[0, 1, ""]]}', "invalid-type"),
        ('{"text": "x", "entities": [[0, 1, "a,b"]]}', "invalid-type"),
        ('{"text": "x y", "entities": [{"begin": 0, "end": 1, "type": "PER", "text": "y"}]}', "text-not-at-offset"),
    ],
)
def test_one_bad_line_is_reported_by_name_and_does_not_sink_the_file(line: str, rule: str) -> None:
    outcome = prepared(GOOD + line + "\n" + line_of("after"))

    assert outcome.preparation.accepted
    assert outcome.problems == [(2, rule)]
    assert outcome.documents == [(TEXT, PER), ("after", ())]
    assert outcome.bad == (line + "\n").encode()
    (problem,) = outcome.preparation.examples
    assert "{" not in problem.message
    assert problem.fix
    assert len(problem.message) + len(problem.fix) < 1000


def test_what_is_not_utf8_is_a_bad_line() -> None:
    cesu8 = b'{"text": "\xed\xa0\xbd\xed\xb8\x80", "entities": []}\n'
    outcome = prepared(GOOD.encode() + cesu8 + b'{"text": "caf\xe9", "entities": []}\n')

    assert outcome.problems == [(2, "not-utf8"), (3, "not-utf8")]
    assert outcome.bad.startswith(cesu8)


@pytest.mark.parametrize(
    "text", [" padded ", "two\nlines\r\n", "tab\there", "\u2028\u0085\ufeff x", "a\u0301", "👩‍👩‍👧", "שלום"]
)
def test_a_text_is_never_changed(text: str) -> None:
    for written in (line_of(text), json.dumps({"text": text, "entities": []}, ensure_ascii=False) + "\n"):
        assert prepared(written).documents == [(text, ())]


def test_where_the_text_stands_is_said_when_it_is_not_at_its_offset() -> None:
    line = line_of("Bob and Ann and Ann")
    line = line.replace("[]", '[{"begin": 9, "end": 12, "type": "PER", "text": "Ann"}]')
    (problem,) = prepared(line + GOOD).preparation.examples

    assert problem.message == 'At 9 to 12 the document has "nn " and not "Ann".'
    assert problem.fix.startswith("It stands at 8 to 11:")


def test_an_unknown_type_gets_the_one_that_was_probably_meant() -> None:
    (problem,) = prepared(line_of("x", [(0, 1, "job_title")]) + GOOD).preparation.examples
    assert problem.fix == 'Did you mean "Job title"?'
    (problem,) = prepared(line_of("x", [(0, 1, "РER")]) + GOOD).preparation.examples  # noqa: RUF001  # it is the point
    assert "CYRILLIC" in problem.message
    assert "It looks like" in problem.fix


def test_types_are_learned_where_none_are_configured_up_to_as_many_as_comprehend_takes() -> None:
    data = "".join(line_of(f"text {number}", [(0, 4, f"T{number}")]) for number in range(27))
    outcome = prepared(data, rules=AnyType())

    assert outcome.problems == [(26, "too-many-types"), (27, "too-many-types")]
    assert len(outcome.preparation.annotations or {}) == 25


def test_an_annotation_that_stands_twice_is_taken_once_and_remarked_upon() -> None:
    outcome = prepared(line_of(TEXT, [(0, 3, "PER"), (0, 3, "PER")]))

    assert outcome.documents == [(TEXT, PER)]
    assert outcome.remarks == [(1, "repeated-annotation")]


def test_annotations_that_touch_do_not_overlap() -> None:
    entities = [(3, 6, "PER"), (0, 3, "LOC")]
    assert prepared(line_of("abcdef", entities)).documents == [("abcdef", spans((0, 3, "LOC"), (3, 6, "PER")))]
