"""Files as people's tools write them: what is taken is what was uploaded, and what is not is named in a sentence."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable

import pytest

from flywheel.preparation import AnyLabel, LabelRules, Limits, Preparation, prepare

ONE = LabelRules(("BILLING", "RETURNS", "SHIPPING"), multi_label=False)
BAR = LabelRules(("ACCOUNT", "MONEY", "TRAVEL", "URGENT"), multi_label=True)
SEMICOLON = LabelRules(BAR.labels, multi_label=True, delimiter=";")
ROWS = [(ONE.labels[number % 3], f"a letter, number {number}, about something") for number in range(60)]
PAIRS = [(BAR.labels[n % 4], BAR.labels[(n + 1) % 4], f"letter {n}, about something") for n in range(60)]


def lines(found: Iterable[str]) -> bytes:
    return "".join(line + "\n" for line in found).encode()


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def prepared(data: bytes, rules: LabelRules | AnyLabel = ONE, **limits: float) -> tuple[Preparation, list[list[str]]]:
    """The outcome, and the rows that were written."""
    sink = io.BytesIO()
    preparation = prepare(
        source=io.BytesIO(data),
        sink=sink,
        hashes=io.BytesIO(),
        rules=rules,
        limits=Limits(**limits),  # type: ignore[arg-type]  # percents and counts
        name="file",
        bad_lines=None,
    )
    return preparation, list(csv.reader(io.StringIO(sink.getvalue().decode(), newline="")))


def bad(preparation: Preparation) -> list[tuple[int | None, str]]:
    return [(problem.line, problem.rule) for problem in preparation.examples]


def refusal(data: bytes, rules: LabelRules = ONE) -> str:
    preparation, _ = prepared(data, rules)
    assert not preparation.accepted
    assert preparation.file_problem is not None
    return f"{preparation.file_problem.message} {preparation.file_problem.fix}"


# --- columns ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rules", "joint"), [(BAR, "|"), (SEMICOLON, ";")])
def test_one_unquoted_comma_costs_its_line_and_no_label_of_the_others(rules: LabelRules, joint: str) -> None:
    rows = [f"{one}{joint}{other},{quoted(text)}" for one, other, text in PAIRS]
    rows[30] = rows[30].replace('"', "")

    preparation, written = prepared(lines(rows), rules)

    assert bad(preparation) == [(31, "wrong-columns")]
    assert len(written) == 59
    assert {text for _, text in written} == {text for n, (_, _, text) in enumerate(PAIRS) if n != 30}


@pytest.mark.parametrize("rules", [BAR, SEMICOLON, ONE])
@pytest.mark.parametrize("joint", ["|", ";", "\t"])
@pytest.mark.parametrize("quotes", [True, False])
def test_what_joins_labels_never_separates_columns(rules: LabelRules, joint: str, quotes: bool) -> None:
    labels = rules.labels
    rows = [(labels[n % 3], labels[(n + 1) % 3], text) for n, (_, _, text) in enumerate(PAIRS)]
    data = lines(f"{one}{joint}{other},{quoted(text) if quotes else text}" for one, other, text in rows)

    preparation, written = prepared(data, rules)

    if rules.multi_label and rules.delimiter == joint and quotes:
        assert [text for _, text in written] == [text for _, _, text in rows]
    else:
        assert not preparation.accepted
        assert not written


def test_a_delimiter_of_labels_that_separates_columns_is_named() -> None:
    assert "a semicolon, which joins the labels" in refusal(
        lines(f"{one};{text.replace(',', '')}" for one, _, text in PAIRS), SEMICOLON
    )


def test_texts_may_begin_like_a_label_where_another_delimiter_is_used() -> None:
    preparation, written = prepared(lines(f"{label};{label}, {n}" for n, (label, _) in enumerate(ROWS)))

    assert not preparation.bad_lines
    assert written[0] == ["BILLING", "BILLING, 0"]


@pytest.mark.parametrize("hint", ["sep=;", "SEP=;", '"sep=;"', "sep=,"])
@pytest.mark.parametrize("header", [["label;text"], []])
def test_a_line_for_excel_is_no_document(hint: str, header: list[str]) -> None:
    preparation, written = prepared(b"\xef\xbb\xbf" + lines([hint, *header, *(f"{a};{b}" for a, b in ROWS[:8])]))

    assert preparation.format is not None
    assert preparation.format.separator_line == hint
    assert not preparation.bad_lines
    assert [tuple(row) for row in written] == ROWS[:8]
    assert preparation.lines == 9 + len(header)


@pytest.mark.parametrize("header", ["Text,Label", "utterance,intent", "ticket text,queue id", "Beschwerde,tag"])
def test_a_header_may_say_that_the_text_comes_first(header: str) -> None:
    preparation, _ = prepared(lines([header, *(f"{quoted(text)},{label}" for label, text in ROWS)]))

    assert (preparation.documents, preparation.bad_lines) == (60, {})


@pytest.mark.parametrize("header", [[], ["label,text"], ["foo,bar"]])
def test_labels_in_the_second_column_are_named(header: list[str]) -> None:
    said = refusal(lines([*header, *(f"{quoted(text)},{label}" for label, text in ROWS)]))

    assert said.startswith("The labels stand in the second column (line ")
    assert "text,label" in said


def test_a_header_above_nothing_but_misplaced_quotes_is_a_bad_file() -> None:
    assert "2 of 2 lines are bad" in refusal(b'label,text\nBILLING,"a"b\nBILLING,"a"b\n')


def test_a_first_row_with_an_unknown_label_is_no_header() -> None:
    rows = [f"{quoted(text)},{label}" for label, text in ROWS]
    preparation, _ = prepared(lines(["bye,FAREWELL", *rows]))
    assert preparation.format is not None
    assert preparation.format.header is None


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{n},{text},{label}", ["3 columns", "column 3", "Column 1 looks like an identifier"]),
        ("{label},T-{n},{text}", ["3 columns", "column 1", "Column 2 looks like an identifier"]),
        ("{label},{text},,", ["4 columns", "Column 3 and 4 is empty"]),
    ],
)
def test_more_columns_are_named(row: str, says: list[str]) -> None:
    said = refusal(lines(row.format(n=n, label=label, text=quoted(text)) for n, (label, text) in enumerate(ROWS)))
    assert all(words in said for words in says), said


def test_texts_without_quotes_are_named() -> None:
    assert refusal(lines(f"{label},{text}" for label, text in ROWS)).startswith("The texts hold a comma and are not")


# --- quotes ----------------------------------------------------------------------------------------------------------


def plain(count: int) -> list[str]:
    return [f"{ONE.labels[number % 3]},letter {number}" for number in range(count)]


@pytest.mark.parametrize("text_first", [False, True])
def test_a_quote_that_swallows_rows_costs_the_line_it_opens_on_and_that_it_closes_on(text_first: bool) -> None:
    rows = plain(60)
    rows[19] = rows[19].replace(",", ',"')
    rows[49] += ' of 55"'
    header = []
    if text_first:
        header = ["text,label"]
        rows = [",".join(reversed(row.split(","))) for row in rows]
        rows[19], rows[49] = '"letter 19,RETURNS', 'letter 49 of 55",RETURNS'

    preparation, written = prepared(lines([*header, *rows]))

    first = 20 + len(header)
    assert sorted(bad(preparation)) == [(first, "unclosed-quote"), (first + 30, "closing-quote")]
    assert [text for _, text in written] == [f"letter {n}" for n in range(60) if n not in (19, 49)]


def test_texts_of_several_lines_are_texts() -> None:
    data = lines(f'{label},"Hello,\n\n{text}\nBye"' for label, text in ROWS)

    preparation, written = prepared(data)

    assert not preparation.bad_lines
    assert written[0][1] == f"Hello,  {ROWS[0][1]} Bye"


def test_where_every_text_has_quotes_a_line_without_is_no_record() -> None:
    rows = [f"{label},{quoted(text)}" for label, text in ROWS]
    preparation, written = prepared(lines([*rows, 'BILLING,"see\nRETURNS,please\nfor more"']))

    assert not preparation.bad_lines
    assert written[-1] == ["BILLING", "see RETURNS,please for more"]


def test_some_lines_like_records_in_a_text_make_it_bad_as_a_whole() -> None:
    preparation, _ = prepared(lines([*plain(40), 'BILLING,"see\nRETURNS,please\nfor\nmore"', *plain(41)[40:]]))

    assert bad(preparation) == [(41, "records-in-quotes")]
    assert preparation.documents == 41


def test_a_record_reaches_over_so_many_lines_and_no_more() -> None:
    data = lines([*plain(9), 'BILLING,"open', *["and on"] * 30, '"', *plain(10)[9:]])

    far, _ = prepared(data, record_lines=32, maximum_bad_lines_percent=100)
    near, _ = prepared(data, record_lines=31, maximum_bad_lines_percent=100)

    assert not far.bad_lines
    assert near.documents == 10
    assert near.bad_lines["unclosed-quote"] == 2


# --- characters ------------------------------------------------------------------------------------------------------


def test_nul_is_a_bad_line_and_the_end_mark_of_dos_is_none() -> None:
    rows = [f"{label},{quoted(text)}" for label, text in ROWS]
    preparation, _ = prepared(lines([*rows, 'BILLING,"a\0b"', "BILLING,\0"]) + b"\x1a")
    assert [rule for _, rule in bad(preparation)] == ["control-character"] * 2
    assert "U+0000" in preparation.examples[0].message

    objects = [json.dumps({"label": label, "text": text}) for label, text in ROWS]
    preparation, _ = prepared(lines([*objects, '{"label": "BILLING", "text": "a\\u0000b"}']) + b"\x1a\x1a")
    assert [rule for _, rule in bad(preparation)] == ["control-character"]


@pytest.mark.parametrize(
    ("written", "configured"),
    [
        ("BILLING\u200b", "BILLING"),
        ("\u00a0BILLING\ufeff", "BILLING"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("Caf\u00e9", "Cafe\u0301"),
    ],
)
def test_padding_and_composition_do_not_make_another_label(written: str, configured: str) -> None:
    preparation, rows = prepared(lines([f"{written},x", "OTHER,y"]), LabelRules((configured, "OTHER"), False))
    assert preparation.labels == {configured: 1, "OTHER": 1}
    assert rows[0] == [configured, "x"]


@pytest.mark.parametrize(
    ("written", "configured", "said"),
    [
        ("\u0412ILLING", "BILLING", "its character 1 is U+0412 (CYRILLIC CAPITAL LETTER VE)"),
        ("BILLING", "\u0412ILLING", "its character 1 is U+0042 (LATIN CAPITAL LETTER B)"),
        ("Billing\u00a0team", "Billing team", "its character 8 is U+00A0 (NO-BREAK SPACE)"),
        ("BILL\u200bING", "BILLING", "its character 5 is U+200B (ZERO WIDTH SPACE)"),
    ],
)
def test_a_label_that_looks_like_another_is_told_from_it(written: str, configured: str, said: str) -> None:
    said_of_file = refusal(lines([f"{written},x"]), LabelRules((configured, "OTHER"), False))
    assert said in said_of_file


def test_labels_that_look_alike_are_no_rules() -> None:
    with pytest.raises(ValueError, match="look like"):
        LabelRules(("Caf\u00e9", "Cafe\u0301"), multi_label=False)


def test_a_byte_order_mark_inside_a_file_hides_no_quote() -> None:
    one, other = (lines(f"{quoted(a)},{quoted(b)}" for a, b in rows) for rows in (ROWS[:30], ROWS[30:]))
    preparation, _ = prepared(one + b"\xef\xbb\xbf" + other)
    assert (preparation.documents, preparation.bad_lines) == (60, {})

    objects = [json.dumps({"label": label, "text": text}).encode() for label, text in ROWS]
    preparation, _ = prepared(b"\n\xef\xbb\xbf".join(objects))
    assert (preparation.documents, preparation.bad_lines) == (60, {})


# --- several labels --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    ["{0}#{1}", "{0}/{1}", "{0}, {1}", "{0};{1}", "['{0}', '{1}']", '["{0}", "{1}"]', '{{"choices": ["{0}", "{1}"]}}'],
)
@pytest.mark.parametrize("header", [[], ["label,text"]])
def test_labels_joined_in_another_way_lose_none(form: str, header: list[str]) -> None:
    data = lines([*header, *(f"{quoted(form.format(one, other))},{quoted(text)}" for one, other, text in PAIRS)])

    said = refusal(data, BAR)

    assert form.format("ACCOUNT", "MONEY") in said
    assert 'a vertical bar joins the labels of a document: write "ACCOUNT|MONEY"' in said
    preparation, _ = prepared(data, BAR)
    assert not any("Did you mean" in problem.fix for problem in preparation.examples)


def test_a_list_under_label_is_taken_as_labels() -> None:
    data = lines(json.dumps({"id": 1, "text": text, "label": [label], "Comments": []}) for label, text in ROWS)
    assert prepared(data)[0].documents == 60
    several = lines(json.dumps({"text": text, "label": [one, other]}) for one, other, text in PAIRS)
    assert prepared(several, BAR)[0].labels["ACCOUNT|MONEY"] == 15
    assert "2 labels, but this flywheel takes one" in refusal(lines(['{"label": ["BILLING", "RETURNS"], "text": "x"}']))


# --- JSON ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "rule", "says"),
    [
        ('{"label": "BILLING", "text": "x", "label": "RETURNS"}', "repeated-json-key", '"label"'),
        ('{"text": "x", "label": "BILLING", "te\\u0078t": "y"}', "repeated-json-key", '"text"'),
        ('{"label": "BILLING", "text": "x", "Label": "RETURNS"}', "repeated-json-key", '"Label"'),
        ('{"label": "BILLING", "text": NaN}', "invalid-json", "NaN"),
        ('{"label": -Infinity, "text": "x"}', "invalid-json", "-Infinity"),
        ('{"label": "BILLING", "text": "x", "score": NaN}', "invalid-json", "NaN"),
        ('{"label": "BILLING", "text": "x"}{"label": "RETURNS", "text": "y"}', "invalid-json", "another object begins"),
        ('{"label": "BILLING", "text": "x"},', "invalid-json", "a comma follows it"),
        ('{"category": "BILLING", "text": "x"}', "missing-json-key", 'it has only "category", "text"'),
    ],
)
def test_a_json_line_with_two_meanings_is_bad(line: str, rule: str, says: str) -> None:
    good = [json.dumps({"label": label, "text": text}) for label, text in ROWS]
    preparation, _ = prepared(lines([*good, line]))
    assert bad(preparation) == [(61, rule)]
    assert says in preparation.examples[0].message


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b'\xef\xbb\xbf[{"label": "A"}]', "one JSON array"),
        (b'\n \t[\n  {"label": "A"}\n]', "one JSON array"),
        (b'{\n "data": [1]\n}', "one JSON value over several lines"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a Git LFS pointer"),
        (b"\n<html><head><title>403</title>", "a web page"),
        (b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code>', "an XML error message"),
        (b"PK\x03\x04 mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "an OpenDocument spreadsheet"),
        (b"\xff\xfe\x00\x00" + "A,x\n".encode("utf-32-le"), "UTF-32 text"),
        (b"a.csv".ljust(257, b"\0") + b"ustar", "a tar archive"),
        (b"A,\x00\x00\x01\x02" * 40, "binary"),
    ],
)
def test_a_wrong_kind_of_file_is_named(data: bytes, what: str) -> None:
    said = refusal(data)
    assert said.startswith(f"The file is {what}")


# --- an early end ----------------------------------------------------------------------------------------------------


def test_reading_ends_when_the_file_cannot_be_accepted_any_more() -> None:
    source = io.BytesIO(b"X,y\n" * 100_000)
    sink = io.BytesIO()
    preparation = prepare(
        source=source,
        sink=sink,
        hashes=sink,
        rules=ONE,
        limits=Limits(documents=1000),
        name="file",
        bad_lines=None,
        block_bytes=4000,
    )
    assert preparation.file_problem is not None
    assert preparation.file_problem.rule == "too-many-bad-lines"
    assert "The rest was not checked" in preparation.file_problem.message
    assert source.tell() < 300_000


def test_a_file_has_so_many_rows_and_no_more_however_many_are_duplicates() -> None:
    data = b"BILLING,x\n" * 100
    assert prepared(data, rows=100)[0].accepted
    preparation, _ = prepared(data, rows=99)
    assert preparation.file_problem is not None
    assert preparation.file_problem.rule == "too-many-rows"


def test_any_label_will_do_for_a_flywheel_that_is_not_there_yet() -> None:
    data = lines(["label,text", *(f"{label},{quoted(text)}" for label, text in ROWS)])
    assert prepared(data, AnyLabel(multi_label=False))[0].labels == dict.fromkeys(ONE.labels, 20)
    preparation, _ = prepared(lines(f"L{n},x" for n in range(9)), AnyLabel(multi_label=False, most=8))
    assert bad(preparation) == [(9, "too-many-classes")]
    half = lines(['{"label": "A", "text": "x"}', '{"label": "\\ud800", "text": "y"}'])
    assert bad(prepared(half, AnyLabel(multi_label=False))[0]) == [(2, "not-utf8")]


def test_a_small_file_of_many_short_lines_is_read_to_its_end() -> None:
    """More lines than the smallest table has slots, in a file that is looked at as a whole."""
    rows = [f"BILLING,x{number}" for number in range(10_000)]
    preparation, _ = prepared(lines([*rows, *rows[::2]]))
    assert (preparation.documents, preparation.duplicates) == (10_000, 5_000)
