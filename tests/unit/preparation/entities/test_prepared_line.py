"""The form of prepared documents and of what stands for their annotations."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel.preparation.entities import ATTRIBUTE, Span, annotations_hash, combination, from_line, to_line
from flywheel.preparation.entities.spans import counts_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
SPANS = st.lists(
    st.builds(
        Span,
        st.integers(0, 5000),
        st.integers(0, 5000),
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=64),
    )
)


def test_a_line_is_one_of_a_manifest_as_ground_truth_writes_it() -> None:
    line = to_line("Zoë met Ann", [Span(8, 11, "PER"), Span(0, 3, "PER")])

    assert line.endswith("}\n")
    assert "Zoë" in line
    value = json.loads(line)
    metadata = value.pop(f"{ATTRIBUTE}-metadata")
    entities = [{"startOffset": 0, "endOffset": 3, "label": "PER"}, {"startOffset": 8, "endOffset": 11, "label": "PER"}]
    assert value == {
        "source": "Zoë met Ann",
        "entities": {"annotations": {"entities": entities, "labels": [{"label": "PER"}]}},
    }
    assert metadata["type"] == "groundtruth/text-span"
    assert metadata["human-annotated"] == "yes"
    assert metadata["entities"] == [{"confidence": 1}] * 2


@settings(deadline=None)
@given(TEXTS, SPANS)
def test_a_line_reads_back_code_point_for_code_point(text: str, spans: list[Span]) -> None:
    line = to_line(text, spans)

    assert line.count("\n") == 1
    assert from_line(line) == (text, tuple(sorted(spans)))
    assert to_line(text, sorted(spans, reverse=True)) == line


@settings(deadline=None)
@given(SPANS)
def test_a_combination_is_types_with_counts(spans: list[Span]) -> None:
    counts = counts_of(combination(spans))

    assert sum(counts.values()) == len(spans)
    assert list(counts) == sorted({span.type for span in spans})
    assert combination(reversed(spans)) == combination(spans)


def test_a_combination_as_records_keep_it() -> None:
    spans = [Span(0, 1, "PER"), Span(2, 3, "LOC"), Span(4, 5, "LOC")]
    assert combination(spans) == "LOC\x1e2\x1fPER\x1e1"
    assert combination([]) == ""


def test_the_hash_of_annotations_is_the_same_in_every_process_and_whatever_their_order() -> None:
    spans = [Span(0, 1, "PER"), Span(2, 3, "LOC")]
    assert annotations_hash(spans).hex() == annotations_hash(spans[::-1]).hex() == "bb0f51126255df91"
    assert len(annotations_hash(spans)) == 8
    assert annotations_hash(spans) != annotations_hash(spans[:1])
