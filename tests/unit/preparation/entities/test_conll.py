"""CoNLL: tags of every scheme become the same entities."""

from __future__ import annotations

import pytest

from flywheel.preparation import FileKind

from .uploads import prepared, spans

TEXT = "Ann Lee met Bob in New York"
WANTED = spans((0, 7, "PER"), (12, 15, "PER"), (19, 27, "LOC"))


def conll(tags: str, tokens: str = TEXT, separator: str = "\t") -> str:
    return "".join(f"{token}{separator}{tag}\n" for token, tag in zip(tokens.split(), tags.split(), strict=True))


@pytest.mark.parametrize(
    "tags",
    [
        "B-PER I-PER O B-PER O B-LOC I-LOC",
        "I-PER I-PER O I-PER O I-LOC I-LOC",
        "B-PER E-PER O S-PER O B-LOC E-LOC",
        "B-PER L-PER O U-PER O B-LOC L-LOC",
    ],
)
@pytest.mark.parametrize("separator", ["\t", " ", "\tNNP\t_\t", "  NNP  "])
def test_every_scheme_and_separator_gives_the_same(tags: str, separator: str) -> None:
    outcome = prepared(conll(tags, separator=separator))

    assert outcome.preparation.format is not None
    assert outcome.preparation.format.kind is FileKind.CONLL
    assert outcome.documents == [(TEXT, WANTED)]
    assert outcome.remarks == []


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ("B-PER B-PER", [(0, 1, "PER"), (2, 3, "PER")]),
        ("I-PER B-PER", [(0, 1, "PER"), (2, 3, "PER")]),
        ("B-PER I-LOC", [(0, 1, "PER"), (2, 3, "LOC")]),
        ("S-PER S-PER", [(0, 1, "PER"), (2, 3, "PER")]),
    ],
)
def test_entities_that_follow_each_other(tags: str, wanted: list[tuple[int, int, str]]) -> None:
    assert prepared(conll(tags, "a b")).documents == [("a b", spans(*wanted))]


def test_a_tag_that_continues_nothing_begins_an_entity_and_is_remarked_upon() -> None:
    outcome = prepared(conll("B-PER O I-LOC", "a b c"))

    assert outcome.documents == [("a b c", spans((0, 1, "PER"), (4, 5, "LOC")))]
    assert outcome.remarks == [(1, "tag-without-begin")]


def test_documents_end_at_blank_lines_and_starts_of_documents() -> None:
    data = "-DOCSTART- -X- O\n\nAnn B-PER\nmet O\n \t\nBob B-PER\n-DOCSTART- -X- O\n# id = 7\nx O\n\n\n\ny O"
    outcome = prepared(data)

    assert [text for text, _ in outcome.documents] == ["Ann met", "Bob", "x", "y"]
    assert outcome.preparation.lines == 13


def test_a_hash_sign_may_be_a_token_or_begin_a_comment() -> None:
    data = "# a comment\n#\tO\nwin\tO\n# sent_id\n\n#\tB-PER\nx\tO\n"
    assert [text for text, _ in prepared(data).documents] == ["# win", "# x"]
    assert [text for text, _ in prepared("# text = Ann met\n# O\nwin O\n").documents] == ["# win"]


@pytest.mark.parametrize(
    ("bad", "rule", "number"),
    [
        ("x\tO\ntoken\n", "no-tag", 5),
        ("x\tO\n\tO\n", "no-tag", 5),
        ("x\tX-PER\n", "unknown-tag", 4),
        ("x\tB-\n", "unknown-tag", 4),
        ("x\tO\t\n", "unknown-tag", 4),
        ("#\tQ\n", "unknown-tag", 4),
        ("x\tB-NONE\n", "unknown-type", None),
        ("x\x00\tO\n", "control-character", None),
        ("\u00a0\tO\n", "empty-text", None),
        ("word\tO\n" * 1001, "document-too-large", None),
        ("w\tO\n" * 300_000, "document-too-large", None),
    ],
)
@pytest.mark.parametrize("block_bytes", [1 << 12, 1 << 16])
def test_one_bad_document_is_reported_and_the_others_are_taken(
    bad: str, rule: str, number: int | None, block_bytes: int
) -> None:
    outcome = prepared("Ann\tB-PER\nmet\tO\n\n" + bad + "\nBob\tB-PER\ncame\tO\n", block_bytes=block_bytes)

    assert outcome.problems == [(4, rule)]
    assert [text for text, _ in outcome.documents] == ["Ann met", "Bob came"]
    assert outcome.bad == bad.encode()
    if number is not None:
        assert f"Line {number} " in outcome.preparation.examples[0].message


def test_a_line_without_end_is_passed_over_with_its_document() -> None:
    data = b"a\tO\n\nb\tO\n" + b"x" * 3_000_000 + b"\nc\tO\n\nd\tO\n"
    outcome = prepared(data)

    assert outcome.problems == [(3, "document-too-large")]
    assert [text for text, _ in outcome.documents] == ["a", "d"]
    assert outcome.bad == data[5:-5]


def test_what_is_not_utf8_costs_its_document() -> None:
    outcome = prepared(b"a\tO\n\ncaf\xe9\tO\n\nb\tO\n")

    assert outcome.problems == [(3, "not-utf8")]
    assert [text for text, _ in outcome.documents] == ["a", "b"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_and_a_byte_order_mark_are_no_part_of_tokens(line_end: str) -> None:
    data = "\ufeff" + conll("B-PER I-PER O B-PER O B-LOC I-LOC").replace("\n", line_end) + line_end + "x\tO"
    assert prepared(data).documents == [(TEXT, WANTED), ("x", ())]


def test_tokens_may_have_spaces_where_tabs_separate_columns() -> None:
    assert prepared("New York\tB-LOC\nis\tO\n").documents == [("New York is", spans((0, 8, "LOC")))]
