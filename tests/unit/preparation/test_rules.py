"""Each rule on its own: what breaks it, what it says, and that the lines around a bad one are taken."""

from __future__ import annotations

import io
from collections import Counter

import pytest

from flywheel.preparation import (
    ConflictingLabels,
    LabelRules,
    Limits,
    Preparation,
    Problem,
    labels_hash,
    prepare,
    rules,
)
from flywheel.preparation.label_advice import nearest_label
from flywheel.preparation.problems import Rule
from flywheel.preparation.report import render_text
from flywheel.preparation.rules import check_utf8, is_blank

LABELS = ("SPORTS", "SCI_TECH", "World News")
ONE_LABEL = LabelRules(labels=LABELS, multi_label=False)
SEVERAL_LABELS = LabelRules(labels=LABELS, multi_label=True)


def prepared(
    data: bytes, *, rules: LabelRules = ONE_LABEL, limits: Limits | None = None, block_bytes: int = 1 << 16
) -> tuple[Preparation, bytes, bytes]:
    sink, hashes, bad = io.BytesIO(), io.BytesIO(), io.BytesIO()
    preparation = prepare(
        source=io.BytesIO(data),
        sink=sink,
        hashes=hashes,
        rules=rules,
        limits=limits or Limits(maximum_bad_lines_percent=100),
        name="news.csv",
        bad_lines=bad,
        block_bytes=block_bytes,
    )
    assert len(hashes.getvalue()) == 8 * preparation.documents
    return preparation, sink.getvalue(), bad.getvalue()


def only_problem(line: bytes, *, rules: LabelRules = ONE_LABEL, limits: Limits | None = None) -> Problem:
    """What is said of a line that stands between two good ones, which must be taken."""
    if line.startswith(b"{"):
        before, after = (b'{"label": "SPORTS", "text": "%s"}\n' % text for text in (b"before", b"after"))
    else:
        before, after = b"SPORTS,before\n", b"SPORTS,after\n"
    preparation, written, bad = prepared(before + line + b"\n" + after, rules=rules, limits=limits)
    assert preparation.accepted
    assert written == b'SPORTS,"before"\nSPORTS,"after"\n'
    assert bad == line + b"\n"
    (problem,) = preparation.examples
    assert preparation.bad_lines == {problem.rule: 1}
    assert problem.line == 2
    return problem


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b"SPORTS,caf\xe9", "not-utf8"),
        (b"SPORTS", "wrong-columns"),
        (b"SPORTS,one, two", "wrong-columns"),
        (b'SPORTS,"said "hello" twice"', "broken-quotes"),
        (b'SPORTS,"never closed', "unclosed-quote"),
        (b",text", "empty-label"),
        (b'"  ",text', "empty-label"),
        (b"SPORTS,", "empty-text"),
        (b'SPORTS,"  "', "empty-text"),
        ("SPORTS,\u00a0\u200b".encode(), "empty-text"),
        (b"sports,text", "unknown-label"),
        (b"SPORTS|SCI_TECH,text", "unknown-label"),
        (b'{"label": "SPORTS", "text": "x"', "invalid-json"),
        (b"{" * 10, "invalid-json"),
        (b'{"label": "SPORTS"}', "missing-json-key"),
        (b'{"text": "x"}', "missing-json-key"),
        (b'{"label": "SPORTS", "labels": ["SPORTS"], "text": "x"}', "wrong-json-value"),
        (b'{"label": "SPORTS", "text": 7}', "wrong-json-value"),
        (b'{"label": null, "text": "x"}', "wrong-json-value"),
        (b'{"labels": "SPORTS", "text": "x"}', "wrong-json-value"),
        (b'{"labels": [["SPORTS"]], "text": "x"}', "wrong-json-value"),
        (b'{"labels": [], "text": "x"}', "empty-label"),
        (b'{"label": " ", "text": "x"}', "empty-label"),
        (b'{"label": "SPORTS", "text": "\\n"}', "empty-text"),
        (b'{"labels": ["SPORTS", "SCI_TECH"], "text": "x"}', "too-many-labels"),
        (b'{"label": "SPORTS", "text": "\\ud800"}', "not-utf8"),
        (b'{"label": "SPORTS", "text": "caf\xe9"}', "not-utf8"),
    ],
)
def test_one_bad_line_is_reported_and_does_not_sink_the_file(line: bytes, rule: str) -> None:
    problem = only_problem(line)

    assert problem.rule == rule
    assert problem.message
    assert problem.fix
    assert "{" not in problem.message


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b"SPORTS|SPORTS,text", "repeated-label"),
        (b"SPORTS|Sport,text", "unknown-label"),
        (b"SPORTS|,text", "empty-label"),
        (b'{"labels": ["SPORTS", "SPORTS"], "text": "x"}', "repeated-label"),
        (b'{"labels": ["SPORTS|SCI_TECH"], "text": "x"}', "unknown-label"),
    ],
)
def test_bad_lines_of_several_labels(line: bytes, rule: str) -> None:
    assert only_problem(line, rules=SEVERAL_LABELS).rule == rule


def test_columns_are_counted_also_between_quotes() -> None:
    assert "has 1 column(s)" in only_problem(b"SPORTS").message
    assert "has 4 column(s)" in only_problem(b"SPORTS,a,b,c").message
    assert "has 4 column(s)" in only_problem(b'SPORTS,a,"b,b",c').message
    preparation, _, bad = prepared(b'SPORTS,ok\nSPORTS,a,"b\nb,",c\n')
    assert "has 4 column(s)" in preparation.examples[0].message
    assert bad == b'SPORTS,a,"b\nb,",c\n'


@pytest.mark.parametrize(
    ("written", "meant"),
    [("SCI_TEC", "SCI_TECH"), ("sci tech", "SCI_TECH"), ("Sports", "SPORTS"), ("world  news", "World News")],
)
def test_an_unknown_label_gets_the_one_that_was_probably_meant(written: str, meant: str) -> None:
    problem = only_problem(f"{written},text".encode())

    assert f'"{written}"' in problem.message
    assert problem.fix == f'Did you mean "{meant}"?'


def test_a_label_that_resembles_none_gets_the_list() -> None:
    assert only_problem(b"qqq,text").fix == "Use one of: SPORTS, SCI_TECH, World News."
    assert nearest_label("S" * 100_000, LABELS) is None


def test_a_not_utf8_line_says_which_byte() -> None:
    assert "0xe9) at byte 11" in only_problem(b"SPORTS,caf\xe9").message
    long = b"x" * (1 << 20) + b"\xc3\xa9" + b"y\xe9"
    violation = check_utf8(long)
    assert violation is not None
    assert "(0xe9) at byte 1048580" in str(violation.facts["reason"])
    across_pieces = b"x" * ((1 << 20) - 1) + b"\xc3\xa9"
    assert check_utf8(across_pieces) is None
    cut = check_utf8(across_pieces[:-1])
    assert cut is not None
    assert "at byte 1048576" in str(cut.facts["reason"])


@pytest.mark.parametrize("line", [b'SPORTS,"%s"', b"SPORTS,%s", b'{"label": "SPORTS", "text": "%s"}'])
def test_a_document_over_the_limit(line: bytes) -> None:
    limits = Limits(maximum_bad_lines_percent=100, document_bytes=10)
    # The limit counts bytes, not characters.
    problem = only_problem(line % "12345678é0".encode(), limits=limits)
    assert problem.rule == "document-too-large"
    assert "10 bytes" in problem.message

    preparation, written, _ = prepared(line % "12345678é".encode(), limits=limits)
    assert written == 'SPORTS,"12345678é"\n'.encode()
    assert not preparation.bad_lines


@pytest.mark.parametrize("start", [b"SPORTS,", b'SPORTS,"', b'{"label": "SPORTS", "text": "'])
def test_a_line_too_long_to_be_read_at_all_is_kept_and_passed_over(start: bytes) -> None:
    limits = Limits(maximum_bad_lines_percent=100, document_bytes=10)
    for size in (70_000, 700_000):
        assert only_problem(start + b"x" * size, limits=limits).rule == "document-too-large"


@pytest.mark.parametrize("block_bytes", [100, 1 << 19])
def test_an_unclosed_quote_costs_one_line_however_much_follows_without_a_quote(block_bytes: int) -> None:
    limits = Limits(maximum_bad_lines_percent=100, document_bytes=100)
    later = [f"SPORTS,document number {number}\n".encode() for number in range(10_000)]
    data = b"SPORTS,first\n" + b'SPORTS,"never closed\n' + b"".join(later)

    preparation, written, bad = prepared(data, limits=limits, block_bytes=block_bytes)

    assert [(problem.rule, problem.line) for problem in preparation.examples] == [("unclosed-quote", 2)]
    assert bad == b'SPORTS,"never closed\n'
    assert preparation.documents == 10_001
    assert written.splitlines()[-1] == b'SPORTS,"document number 9999"'


def test_an_unclosed_quote_at_the_end_of_a_line_costs_that_line_alone() -> None:
    data = b'SPORTS,ok\nSPORTS,"one\nSPORTS,"two"\nSCI_TECH,"three\r\nSPORTS,four\r\n'

    preparation, written, bad = prepared(data)

    assert [(problem.rule, problem.line) for problem in preparation.examples] == [
        ("unclosed-quote", 2),
        ("unclosed-quote", 4),
    ]
    assert written == b'SPORTS,"ok"\nSPORTS,"two"\nSPORTS,"four"\n'
    assert bad == b'SPORTS,"one\nSCI_TECH,"three\r\n'


def test_a_document_may_have_more_lines_than_a_block_has_bytes() -> None:
    lines = [f"line {number}" for number in range(20_000)]
    data = ('SPORTS,"' + "\r\n".join(lines) + '"\r\nSCI_TECH,next\r\n').encode()

    preparation, written, bad = prepared(data, block_bytes=1000)

    assert written == f'SPORTS,"{" ".join(lines)}"\nSCI_TECH,"next"\n'.encode()
    assert (preparation.lines, preparation.documents, bad) == (20_001, 2, b"")


def test_too_many_bad_lines_reject_the_file_with_the_numbers() -> None:
    good = b"".join(b"SPORTS,text %d\n" % number for number in range(95))
    duplicates = b"SPORTS,text 1\n" * 50
    bad = [b"Sprots,text\n"] * 6

    accepted, _, _ = prepared(good + duplicates + b"".join(bad[:5]), limits=Limits())
    rejected, _, bad_lines = prepared(good + duplicates + b"".join(bad), limits=Limits())

    assert accepted.accepted
    assert accepted.duplicates == 50
    assert not rejected.accepted
    assert rejected.file_problem is not None
    assert rejected.file_problem.rule == "too-many-bad-lines"
    assert rejected.file_problem.message.startswith("6 of 101 lines are bad (5.94 %), more than the 5 % allowed")
    assert bad_lines == b"".join(bad)


def test_all_bad_lines_are_counted_and_three_of_a_kind_spelled_out() -> None:
    data = b"SPORTS,good\n" + b"".join(b"SPORTS\nX%d,%d\n" % (number % 20, number) for number in range(150))

    preparation, _, bad = prepared(data)

    assert preparation.bad_lines == {"wrong-columns": 150, "unknown-label": 150}
    assert preparation.bad_lines_total == 300
    kinds = Counter((problem.rule, problem.alike) for problem in preparation.examples)
    # Ten unknown labels are told apart; the others are one kind.
    assert kinds == {("wrong-columns", 150): 3, ("unknown-label", 8): 30, ("unknown-label", 70): 3}
    assert bad == data.removeprefix(b"SPORTS,good\n")


@pytest.mark.parametrize("data", [b"", b"\n\r\n  \n", b"\xef\xbb\xbf", b"label,text\n", b"label;text"])
def test_a_file_without_a_line_is_empty(data: bytes) -> None:
    preparation, written, _ = prepared(data)

    assert not preparation.accepted
    assert preparation.file_problem is not None
    assert preparation.file_problem.rule == "empty-file"
    assert written == b""


def test_a_file_without_a_good_line_is_never_accepted() -> None:
    preparation, _, _ = prepared(b"SPORTS,\n", limits=Limits(maximum_bad_lines_percent=100))

    assert not preparation.accepted


@pytest.mark.parametrize("block_bytes", [1, 1 << 16])
def test_a_file_over_the_limit_is_rejected_whole(block_bytes: int) -> None:
    data = b'SPORTS,"text 1"\nSPORTS,"text 2"\n'

    at_limit, _, _ = prepared(data, limits=Limits(file_bytes=len(data)), block_bytes=block_bytes)
    over, _, _ = prepared(data, limits=Limits(file_bytes=len(data) - 1), block_bytes=block_bytes)

    assert at_limit.accepted
    assert over.file_problem is not None
    assert over.file_problem.rule == "file-too-large"


def test_what_would_be_written_must_keep_to_the_limit_too() -> None:
    data = b"SPORTS,text 1\nSPORTS,text 2\n"

    preparation, _, _ = prepared(data, limits=Limits(file_bytes=len(data)))

    assert preparation.file_problem is not None
    assert preparation.file_problem.rule == "file-too-large"


@pytest.mark.parametrize("documents", [10, 2_000])
def test_too_many_documents_reject_the_file(documents: int) -> None:
    lines = [b"SPORTS,%d\n" % number for number in range(documents + 1)]

    at_limit, _, _ = prepared(b"".join(lines[:-1] * 2), limits=Limits(documents=documents))
    over, _, _ = prepared(b"".join(lines), limits=Limits(documents=documents))
    far_over, _, _ = prepared(b"".join(b"SPORTS,%d\n" % number for number in range(50_000)), limits=Limits(documents=5))

    assert at_limit.accepted
    assert at_limit.documents == documents
    assert over.file_problem is not None
    assert over.file_problem.rule == "too-many-documents"
    assert f"{documents:,}" in over.file_problem.message
    assert far_over.file_problem is not None
    assert far_over.file_problem.rule == "too-many-documents"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"%PDF-1.7\n...", "a PDF document"),
        (b"PK\x03\x04\x14\x00[Content_Types].xml...word/document.xml", "a Word document"),
        (b"PK\x03\x04\x14\x00[Content_Types].xml...xl/workbook.xml", "an Excel workbook"),
        (b"PK\x03\x04\x14\x00train.csv", "a zip archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "an old Word, Excel or PowerPoint document"),
        (b"BZh91AY&SY\x00\x01", "a bzip2 archive"),
        (b"PAR1\x15\x04\x15", "a Parquet file"),
        (b"\x89PNG\r\n\x1a\n\x00", "a PNG image"),
        (b"\xff\xd8\xff\xe0", "a JPEG image"),
        ("SPORTS,text\n".encode("utf-16"), "UTF-16 text"),
        ("SPORTS,text\n".encode("utf-16-le"), "UTF-16 text"),
        ("SPORTS,text\n".encode("utf-16-be"), "UTF-16 text"),
        (b'[\n {"label": "SPORTS", "text": "x"}]', "one JSON array"),
        (b"<!DOCTYPE html><html>", "a web page"),
    ],
)
def test_other_types_are_named_with_what_to_do(data: bytes, what: str) -> None:
    preparation, written, _ = prepared(data)

    problem = preparation.file_problem
    assert problem is not None
    assert not preparation.accepted
    assert problem.rule == "unsupported-type"
    assert problem.message.startswith(f"The file is {what}, ")
    assert problem.fix.endswith(".")
    assert (written, preparation.format) == (b"", None)


@pytest.mark.parametrize("label", ["PAR1", "BZh", "GIF89a", "[x]", "PK"])
def test_a_label_that_looks_like_a_signature_is_a_label(label: str) -> None:
    preparation, written, _ = prepared(f"{label},text\n".encode(), rules=LabelRules((label,), multi_label=False))

    assert preparation.accepted
    assert written == f'{label},"text"\n'.encode()


def test_excerpts_are_one_short_printable_line() -> None:
    preparation, _, _ = prepared(b'X,"tab\tbell\x07\nnewline \xff' + b"x" * 200 + b'"\n')

    (problem,) = preparation.examples
    assert problem.excerpt is not None
    assert problem.excerpt.startswith('X,"tab\\tbell\\x07\\nnewline �xxx')
    assert problem.excerpt.endswith("…")
    assert len(problem.excerpt) == 80


@pytest.mark.parametrize(
    ("labels", "delimiter", "said"),
    [
        ((), "|", "at least one label"),
        (("A", "A"), "|", "twice"),
        ((" A",), "|", "' A'"),
        (("",), "|", "''"),
        (("A|B",), "|", "'A|B'"),
        (("A",), "||", "one character"),
    ],
)
def test_a_label_list_that_cannot_work_is_refused(labels: tuple[str, ...], delimiter: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("|", r"\|")):
        LabelRules(labels=labels, multi_label=True, delimiter=delimiter)


def test_a_label_of_a_single_label_flywheel_may_contain_the_delimiter() -> None:
    _, written, _ = prepared(b"A|B,text\n", rules=LabelRules(("A|B", "A"), multi_label=False))

    assert written == b'A|B,"text"\n'


def test_every_rule_has_an_id_of_its_own_and_says_something() -> None:
    known = [rule for rule in vars(rules).values() if isinstance(rule, Rule)]
    assert len({rule.id for rule in known}) == len(known) > 20
    assert all(rule.message and rule.fix for rule in known)


@pytest.mark.parametrize(
    ("text", "blank"), [("", True), (" \t", True), ("\u3000\ufeff\u2060", True), ("\u3000x", False), ("\x1c", False)]
)
def test_blank_text_shows_nothing(text: str, blank: bool) -> None:
    assert is_blank(text.encode()) is blank


CONFLICTS = b'SPORTS,one\nSCI_TECH,two\nSCI_TECH,one\n"World News",one\nSPORTS,one\nSPORTS,three\n'


def test_the_same_text_with_other_labels_is_counted_and_kept() -> None:
    preparation, written, bad = prepared(CONFLICTS)
    assert (preparation.documents, preparation.duplicates, preparation.conflicts) == (5, 1, 2)
    assert (preparation.bad_lines, bad) == ({}, b"")
    assert written.count(b'"one"') == 3
    assert [(found.message, found.excerpt) for found in preparation.conflict_examples] == [
        (f'The same text came before with "SPORTS"; here it has "{label}".', "one")
        for label in ("SCI_TECH", "World News")
    ]


def test_the_same_text_with_other_labels_is_a_bad_line_if_such_are_refused() -> None:
    limits = Limits(maximum_bad_lines_percent=100, conflicting_labels=ConflictingLabels.REFUSE)
    preparation, written, bad = prepared(CONFLICTS, limits=limits)
    assert (preparation.documents, preparation.conflicts) == (3, 2)
    assert preparation.bad_lines == {"conflicting-labels": 2}
    assert written == b'SPORTS,"one"\nSCI_TECH,"two"\nSPORTS,"three"\n'
    assert bad == b'SCI_TECH,"one"\nWorld News,"one"\n'
    assert [problem.excerpt for problem in preparation.examples] == ['SCI_TECH,"one"', 'World News,"one"']
    assert 'World News,"one"' in render_text(preparation)


def test_many_refused_documents_are_reported_by_pairs_of_labels() -> None:
    lines = [f"{label},text {number}\n" for label in ("SPORTS", "SCI_TECH") for number in range(9)]
    limits = Limits(maximum_bad_lines_percent=100, conflicting_labels=ConflictingLabels.REFUSE)
    preparation, _, _ = prepared("".join(lines).encode(), limits=limits)
    assert [problem.alike for problem in preparation.examples] == [9, 9, 9]
    assert '9 documents: The same text came before with "SPORTS"; here it has "SCI_TECH".' in render_text(preparation)


def test_a_file_of_refused_documents_is_rejected_with_an_example() -> None:
    lines = [f"{label},text {number}\n" for label in ("SPORTS", "SCI_TECH") for number in range(9)]
    limits = Limits(conflicting_labels=ConflictingLabels.REFUSE)
    preparation, _, _ = prepared("".join(lines).encode(), limits=limits)
    assert preparation.file_problem is not None
    assert preparation.file_problem.message == (
        "9 of 18 lines are bad (50 %), more than the 5 % allowed: nothing was taken. "
        'For example: The same text came before with "SPORTS"; here it has "SCI_TECH".'
    )


@pytest.mark.parametrize("refuse", [False, True])
def test_labels_in_another_order_are_no_conflict(refuse: bool) -> None:
    limits = Limits(conflicting_labels=ConflictingLabels.REFUSE if refuse else ConflictingLabels.KEEP)
    preparation, _, _ = prepared(b"SPORTS|SCI_TECH,one\nSCI_TECH|SPORTS,one\n", rules=SEVERAL_LABELS, limits=limits)
    assert (preparation.documents, preparation.duplicates, preparation.conflicts) == (1, 1, 0)


def test_label_digests_depend_on_neither_order_nor_delimiter() -> None:
    def digests(rules: LabelRules, line: bytes) -> bytes:
        label_hashes = io.BytesIO()
        prepare(
            source=io.BytesIO(line),
            sink=io.BytesIO(),
            hashes=io.BytesIO(),
            rules=rules,
            limits=Limits(),
            name="n",
            bad_lines=None,
            label_hashes=label_hashes,
        )
        return label_hashes.getvalue()

    other = LabelRules(labels=tuple(reversed(LABELS)), multi_label=True, delimiter=";")
    assert digests(SEVERAL_LABELS, b"SPORTS|SCI_TECH,one\nSPORTS,two\n") == digests(
        other, b"SCI_TECH;SPORTS,one\nSPORTS,two\n"
    )
    assert labels_hash(["SPORTS", "SCI_TECH"]).hex() == "5cd31637501ce9d9"
