"""Augmented manifests: the attribute that counts, and lines that nobody annotated."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flywheel.preparation.entities import Span, to_line

from .uploads import prepared, spans

PER = spans((0, 3, "PER"))
MORE = "".join(to_line(f"text {number}", ()) for number in range(3))


def changed(**metadata: Any) -> dict[str, Any]:
    """A good line of a manifest with other metadata; None removes them."""
    line: dict[str, Any] = json.loads(to_line("Ann met Bob", PER))
    line["entities-metadata"] |= metadata
    line["entities-metadata"] = {key: value for key, value in line["entities-metadata"].items() if value is not None}
    return line


def without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in changed().items() if key not in keys}


def written(*lines: dict[str, Any]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_a_prepared_file_is_a_manifest_that_reads_back_as_it_is() -> None:
    documents = [("Ann met Bob", PER), ("nothing here", ()), ("🎈 Zoë", spans((2, 5, "PER")))]
    data = "".join(to_line(*document) for document in documents)

    outcome = prepared(data)

    assert outcome.documents == documents
    assert outcome.preparation.bytes == len(data.encode())


def test_ground_truth_leaves_things_that_are_passed_over() -> None:
    line = changed(workerId="w", **{"job-name": "j"})
    line["entities"]["annotations"]["labels"][0]["shortDisplayName"] = "P"
    line["entities"]["workers"] = [{"workerId": "w"}]
    line["id"] = 7
    assert prepared(written(line)).documents == [("Ann met Bob", PER)]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (without("entities", "entities-metadata"), "no-attribute"),
        (without("entities"), "no-attribute"),
        (changed() | {"entities": None}, "no-attribute"),
        (without("entities-metadata"), "not-annotated"),
        (changed(type=None), "not-annotated"),
        (changed(type="groundtruth/text-classification"), "not-annotated"),
        (changed(**{"human-annotated": None}), "not-annotated"),
        (changed(**{"failure-reason": "ClientError: the task expired"}), "failed-annotation"),
        (without("entities") | {"entities-metadata": {"failure-reason": "expired"}}, "failed-annotation"),
        (without("entities", "entities-metadata") | {"failure-reason": ["expired"]}, "failed-annotation"),
        (without("source") | {"source-ref": "s3://bucket/key.pdf"}, "source-ref"),
        (without("source"), "missing-json-key"),
        (changed() | {"source": 1}, "wrong-json-value"),
        (changed() | {"entities": {"annotations": {}}}, "wrong-json-value"),
        (changed() | {"entities": {"annotations": {"entities": [{"label": "PER"}]}}}, "wrong-json-value"),
        (changed() | {"entities": -1}, "wrong-json-value"),
        (changed() | {"source": "An"}, "offset-outside-document"),
    ],
)
def test_one_bad_line_is_reported_by_name(line: dict[str, Any], rule: str) -> None:
    outcome = prepared(MORE + written(line))

    assert outcome.problems == [(4, rule)]
    assert len(outcome.documents) == 3


def test_annotations_of_machines_are_taken_or_refused() -> None:
    data = MORE + written(changed(**{"human-annotated": "no"}))

    assert prepared(data).documents[-1] == ("Ann met Bob", PER)
    assert prepared(data, machine_labels=False).problems == [(4, "machine-annotated")]


def two_jobs() -> dict[str, Any]:
    line = changed()
    return line | {
        "second": {"annotations": {"entities": [{"startOffset": 8, "endOffset": 11, "label": "PER"}]}},
        "second-metadata": line["entities-metadata"],
        "topic": 1,
        "topic-metadata": {"type": "groundtruth/text-classification"},
    }


def test_of_several_attributes_the_configured_one_counts() -> None:
    for attribute, begin in (("entities", 0), ("second", 8)):
        outcome = prepared(written(two_jobs()), manifest_attribute=attribute)
        assert outcome.documents == [("Ann met Bob", (Span(begin, begin + 3, "PER"),))]


def test_several_attributes_and_none_configured_are_named() -> None:
    problem = prepared(written(two_jobs())).preparation.file_problem

    assert problem is not None
    assert problem.rule == "several-attributes"
    assert '"entities", "second"' in problem.message


def test_the_only_attribute_of_its_type_counts() -> None:
    line = two_jobs()
    del line["entities"], line["entities-metadata"]
    assert prepared(written(line)).documents == [("Ann met Bob", spans((8, 11, "PER")))]


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ([{"source-ref": "s3://b/k", "entities-metadata": {"type": "groundtruth/text-span"}}], "source-ref"),
        ([{"source": "x", "topic": 1, "topic-metadata": {"type": "groundtruth/text-classification"}}], "no-text-spans"),
        ([{"source": "x"}], "no-text-spans"),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused_with_a_sentence(lines: list[dict[str, Any]], rule: str) -> None:
    outcome = prepared(written(*lines))

    assert not outcome.preparation.accepted
    assert outcome.preparation.file_problem is not None
    assert outcome.preparation.file_problem.rule == rule


def test_a_job_of_which_every_task_expired_gives_no_documents() -> None:
    expired = {"source": "text", "entities-metadata": {"failure-reason": "expired", "type": "groundtruth/text-span"}}
    outcome = prepared(written(*[expired | {"source": f"text {number}"} for number in range(399)]))

    assert not outcome.preparation.accepted
    assert outcome.documents == []
    assert outcome.preparation.bad_lines == {"failed-annotation": 399}
