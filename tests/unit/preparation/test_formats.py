"""What people upload, and the one form it all becomes."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel.preparation import (
    FileFormat,
    FileKind,
    LabelRules,
    Limits,
    LineEnds,
    Preparation,
    RepeatedDocuments,
    prepare,
    text_hash,
)
from flywheel.preparation.labels import LabelColumn
from flywheel.preparation.layout import find_layout
from flywheel.preparation.report import render_text

RULES = LabelRules(labels=("WORLD", "SPORTS", "SCI_TECH"), multi_label=False)
SEVERAL = LabelRules(labels=("WORLD", "SPORTS", "SCI_TECH"), multi_label=True)
WANTED = b'WORLD,"one"\nSPORTS,"two, three"\nWORLD,"say ""four"""\nSCI_TECH,"five  six"\n'


def prepared(
    data: bytes,
    *,
    rules: LabelRules = RULES,
    name: str = "news.csv",
    repeated_documents: RepeatedDocuments = RepeatedDocuments.DROP,
) -> tuple[Preparation, bytes, bytes]:
    sink, hashes, bad = io.BytesIO(), io.BytesIO(), io.BytesIO()
    preparation = prepare(
        source=io.BytesIO(data),
        sink=sink,
        hashes=hashes,
        rules=rules,
        limits=Limits(maximum_bad_lines_percent=50, repeated_documents=repeated_documents),
        name=name,
        bad_lines=bad,
    )
    assert preparation.bad_lines or not bad.getvalue()
    return preparation, sink.getvalue(), hashes.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        WANTED,
        WANTED.removesuffix(b"\n"),
        WANTED.replace(b"\n", b"\r\n"),
        WANTED.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + WANTED,
        b"label,text\n" + WANTED,
        b"\xef\xbb\xbfLabels, Document \r\n" + WANTED.replace(b"\n", b"\r\n"),
        b"class,text\n\n\n" + WANTED + b"\n  \n",
        b"sentiment,text\n" + WANTED,
        b'"WORLD","one"\n"SPORTS","two, three"\n"WORLD","say ""four"""\n"SCI_TECH","five  six"\n',
        b'WORLD;one\nSPORTS;two, three\nWORLD;say "four"\nSCI_TECH;"five\r\n\nsix"\n'.replace(b"\r\n\n", b"\r\n\r\n"),
        b'WORLD\tone\nSPORTS\ttwo, three\nWORLD\tsay "four"\nSCI_TECH\tfive  six\n',
        b'WORLD|one\nSPORTS|two, three\nWORLD|say "four"\nSCI_TECH|five  six\n',
        b'text,label\none,WORLD\n"two, three",SPORTS\n"say ""four""",WORLD\n"five\n\nsix",SCI_TECH\n',
        b'document;category\none;WORLD\ntwo, three;SPORTS\nsay "four";WORLD\nfive  six;SCI_TECH\n',
        b'WORLD , one\n SPORTS, "two, three" \nWORLD,"say ""four"""\nSCI_TECH, five  six \n',
        (
            b'{"label": "WORLD", "text": "one"}\n{"text": "two, three", "label": "SPORTS", "id": 7}\n'
            b'{"labels": ["WORLD"], "text": "say \\"four\\""}\n{"label": " SCI_TECH ", "text": "five\\r\\n\\nsix\\n"}\n'
        ),
        (
            b'\xef\xbb\xbf{"label":"WORLD","text":"one"}\r\n\r\n{"label":"SPORTS","text":"two, three"}\r\n'
            b'{"label":"WORLD","text":"say \\u0022four\\u0022"}\r\n{"label":"SCI_TECH","text":"five \\u0020six"}'
        ),
    ],
)
def test_every_form_becomes_the_same_file(data: bytes) -> None:
    preparation, written, hashes = prepared(data)

    assert written == WANTED
    assert not preparation.bad_lines
    assert preparation.labels == {"WORLD": 2, "SPORTS": 1, "SCI_TECH": 1}
    assert hashes == b"".join(map(text_hash, ["one", "two, three", 'say "four"', "five  six"]))
    assert preparation.content_hash == prepared(WANTED)[0].content_hash


def test_the_content_hash_tells_text_label_and_order_apart() -> None:
    files = [b"WORLD,one\n", b"WORLD,two\n", b"SPORTS,one\n", b"WORLD,one\nWORLD,two\n", b"WORLD,two\nWORLD,one\n"]

    hashes = {prepared(data)[0].content_hash for data in files}

    assert len(hashes) == len(files)
    assert prepared(b"WORLD,one\nWORLD,one\nWORLD,\n")[0].content_hash == prepared(files[0])[0].content_hash
    assert all(len(content_hash) == 32 for content_hash in hashes)


def test_a_duplicate_has_the_same_labels_and_the_same_text() -> None:
    data = b'WORLD,one\nSPORTS,one\n"WORLD"," one "\nWORLD,two\nSPORTS,one\n'

    preparation, written, _ = prepared(data)

    assert written == b'WORLD,"one"\nSPORTS,"one"\nWORLD,"two"\n'
    assert preparation.duplicates == 2
    assert preparation.lines == 5


def test_repeated_documents_are_kept_where_that_is_meant() -> None:
    data = b'WORLD,one\nSPORTS,one\n"WORLD"," one "\nWORLD,two\nSPORTS,one\n'

    preparation, written, _ = prepared(data, repeated_documents=RepeatedDocuments.KEEP)

    assert written == b'WORLD,"one"\nSPORTS,"one"\nWORLD,"one"\nWORLD,"two"\nSPORTS,"one"\n'
    assert (preparation.documents, preparation.duplicates, preparation.conflicts) == (5, 0, 1)
    assert preparation.labels == {"WORLD": 3, "SPORTS": 2}


@pytest.mark.parametrize(
    "data",
    [
        b"SCI_TECH|WORLD,one\nSPORTS,two\nWORLD | SCI_TECH,three\n",
        b"SCI_TECH|WORLD;one\nSPORTS;two\nWORLD|SCI_TECH;three\n",
        (
            b'{"labels": ["SCI_TECH", "WORLD"], "text": "one"}\n{"label": "SPORTS", "text": "two"}\n'
            b'{"label": "WORLD|SCI_TECH", "text": "three"}\n'
        ),
    ],
)
def test_several_labels_are_written_in_the_order_of_the_settings(data: bytes) -> None:
    preparation, written, _ = prepared(data, rules=SEVERAL)

    assert written == b'WORLD|SCI_TECH,"one"\nSPORTS,"two"\nWORLD|SCI_TECH,"three"\n'
    assert preparation.labels == {"WORLD|SCI_TECH": 2, "SPORTS": 1}


def test_class_numbers_are_labels_in_json_too() -> None:
    _, written, _ = prepared(b'{"label": 3, "text": "x"}\n', rules=LabelRules(("1", "3"), multi_label=False))

    assert written == b'3,"x"\n'


@pytest.mark.parametrize("line", [b"label,text\n", b"text,label\n", b"category,document\n"])
def test_a_configured_label_is_never_taken_for_a_header(line: bytes) -> None:
    rules = LabelRules(labels=("label", "text", "category"), multi_label=False)

    preparation, written, _ = prepared(line + b"category,other\n", rules=rules)

    assert preparation.format is not None
    assert preparation.format.header is None
    assert preparation.documents == 2
    assert written.startswith(line.split(b",")[0] + b',"')


def test_a_row_that_only_lacks_a_known_label_is_no_header() -> None:
    preparation, _, _ = prepared(b"WORL,some news\nWORLD,one\nWORLD,two\n")

    assert preparation.examples[0].rule == "unknown-label"
    assert preparation.examples[0].line == 1


def test_lines_are_counted_from_the_first_of_the_file_header_included() -> None:
    preparation, _, _ = prepared(b'label,"text\n"\n\nWORLD,"a\nb"\nWORLD,c\nX,d\n')

    assert preparation.format is not None
    assert (preparation.format.header, preparation.format.header_lines) == (("label", "text"), 2)
    assert [problem.line for problem in preparation.examples] == [7]
    assert preparation.lines == 7


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"WORLD,a;b\n", FileFormat(FileKind.CSV, LineEnds.LF, delimiter=",")),
        (b"WORLD;a,b\n", FileFormat(FileKind.CSV, LineEnds.LF, delimiter=";")),
        (b"no label, at; all\n", FileFormat(FileKind.CSV, LineEnds.LF, delimiter=",")),
        (b"WORLD\ta\r\nWORLD\tb\n", FileFormat(FileKind.CSV, LineEnds.MIXED, delimiter="\t")),
        (b"WORLD|a\rWORLD|b\r", FileFormat(FileKind.CSV, LineEnds.CR, delimiter="|")),
        # Unknown labels everywhere: two columns in each line are evidence enough.
        (b"X;a, b, c\nY;d, e\n", FileFormat(FileKind.CSV, LineEnds.LF, delimiter=";")),
        (
            b"label\ttext\nX\ta, b\n",
            FileFormat(FileKind.CSV, LineEnds.LF, delimiter="\t", header=("label", "text"), header_lines=1),
        ),
        (b'\xef\xbb\xbf \n{"a":1}\n', FileFormat(FileKind.JSON_LINES, LineEnds.LF, byte_order_mark=True)),
        (b"{,x\n", FileFormat(FileKind.JSON_LINES, LineEnds.LF)),
    ],
)
def test_the_format_is_found_by_evidence(head: bytes, expected: FileFormat) -> None:
    assert find_layout(head, whole=True, labels=LabelColumn(RULES)).format == expected


def test_a_label_may_begin_with_a_brace() -> None:
    _, written, _ = prepared(b"{x},text\n", rules=LabelRules(("{x}",), multi_label=False))

    assert written == b'{x},"text"\n'


def test_a_record_cut_off_by_the_end_of_the_sample_is_no_evidence() -> None:
    labels = LabelColumn(RULES)
    data = b"WORLD;a\n" + b'WORLD;"' + b",\n" * 200_000 + b'"\n'

    assert find_layout(data, whole=True, labels=labels).format.delimiter == ";"


DOCUMENTS = st.lists(
    st.tuples(
        st.sampled_from(RULES.labels),
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).filter(lambda text: text.strip()),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=80, deadline=None)
@given(
    documents=DOCUMENTS, delimiter=st.sampled_from(",;\t|"), quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
)
def test_csv_and_json_lines_of_the_same_documents_become_the_same_file_which_csv_reads_back(
    documents: list[tuple[str, str]], delimiter: str, quoting: Literal[0, 1]
) -> None:
    table = io.StringIO()
    writer = csv.writer(table, delimiter=delimiter, quoting=quoting, lineterminator="\r\n")
    writer.writerow(("label", "text"))
    writer.writerows(documents)
    from_csv, csv_written, csv_hashes = prepared(table.getvalue().encode())
    objects = "".join(json.dumps({"label": label, "text": text}) + "\n" for label, text in documents)
    from_json, json_written, json_hashes = prepared(objects.encode())

    assert (csv_written, csv_hashes) == (json_written, json_hashes)
    assert from_csv.content_hash == from_json.content_hash
    rows = list(csv.reader(io.StringIO(csv_written.decode(), newline="")))
    assert len(rows) == from_csv.documents
    kept = dict.fromkeys((label, one_line(text)) for label, text in documents)
    assert [tuple(row) for row in rows] == [pair for pair in kept if pair[1]]


def one_line(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", " ").replace("\n", " ").strip(" \t\n\r\x0b\x0c")
    nothing_to_see = "\x85\xa0\xad\u1680\u2028\u2029\u205f\u2060\u3000\ufeff"
    ranges = [chr(code) for code in [*range(0x2000, 0x2010), *range(0x2028, 0x2030)]]
    return text if text.strip(nothing_to_see + "".join(ranges) + " \t\n\r\x0b\x0c") else ""


class Generated(io.RawIOBase):
    """A file that is made while it is read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self._rest = self._rest or next(self._chunks, b"")
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


class Nowhere(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        return len(data)  # type: ignore[arg-type]  # any buffer has a length here


def peak_memory(kilobytes: int, rest_of_line: bytes) -> int:
    """Bytes allocated at the most while a file with a different text on each line is prepared."""
    count = kilobytes * 1000 // len(rest_of_line)
    return peak_memory_of(b"WORLD,%07d" % number + rest_of_line for number in range(count))


def peak_memory_of(lines: Iterator[bytes]) -> int:
    tracemalloc.start()
    try:
        prepare(
            source=Generated(lines),  # type: ignore[arg-type]  # a stream that is only read
            sink=Nowhere(),  # type: ignore[arg-type]  # a stream that is only written
            hashes=Nowhere(),  # type: ignore[arg-type]  # a stream that is only written
            rules=RULES,
            limits=Limits(maximum_bad_lines_percent=100, document_bytes=100_000, documents=10_000, examples=10),
            name="large.csv",
            bad_lines=Nowhere(),  # type: ignore[arg-type]  # a stream that is only written
            block_bytes=1 << 16,
        )
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "rest_of_line",
    [b"x" * 1000 + b"\n", b",too,many,columns" + b"x" * 1000 + b"\n", b'"unclosed' + b"x" * 1000, b"x" * 1000],
    ids=["documents", "bad lines", "one line with quotes", "one line"],
)
def test_memory_does_not_grow_with_the_file(rest_of_line: bytes) -> None:
    small, large = peak_memory(500, rest_of_line), peak_memory(2000, rest_of_line)

    assert large < small + 100_000


def test_memory_does_not_grow_with_the_spaces_around_labels() -> None:
    def spaced(count: int) -> Iterator[bytes]:
        return (b"WORLD" + b" " * (10_000 + number) + b",%d\n" % number for number in range(count))

    assert peak_memory_of(spaced(400)) < peak_memory_of(spaced(100)) + 100_000


def test_the_report_shows_a_thousand_labels() -> None:
    labels = tuple(f"L{number:04d}" for number in range(1002))
    rows = [f"{label},text {label}\n" for label in labels] + [f"{label},more {label}\n" for label in labels[:1000]]
    preparation, _, _ = prepared("".join(rows).encode(), rules=LabelRules(labels, multi_label=False))
    shown = render_text(preparation).splitlines()
    assert [line for line in shown if line.startswith("  L")][:2] == ["  L0000  2", "  L0001  2"]
    assert shown[-1] == "  and 2 more"


def test_the_report_says_what_a_person_needs() -> None:
    rows = [b"category;text", b"WORLD;one", b"WORLD;one", b"SPORTS;two", b"SCI_TEC;three", b"SPORTS;", b"WORLD;four"]
    data = b"\xef\xbb\xbf" + b"".join(row + b"\r\n" for row in rows)

    accepted, _, _ = prepared(data)
    rejected, _, _ = prepared(data + b"a\r\nb\r\n")

    assert render_text(accepted) == (
        "news.csv: accepted, without its bad lines\n"
        "\n"
        'CSV with a semicolon between the columns, header row "category" and "text", byte order mark, CRLF line ends.\n'
        "7 lines read: 3 documents, 1 duplicate dropped, 2 bad lines.\n"
        "\n"
        "Documents by label\n"
        "  WORLD   2\n"
        "  SPORTS  1\n"
        "\n"
        "Bad lines by rule\n"
        "  empty-text     1\n"
        "  unknown-label  1\n"
        "\n"
        "Bad lines\n"
        "\n"
        '  line 5: Label "SCI_TEC" is not one of the flywheel\'s labels (upper and lower case count).\n'
        "  [unknown-label]\n"
        '    Did you mean "SCI_TECH"?\n'
        "    > SCI_TEC;three\n"
        "\n"
        "  line 6: The text is empty. [empty-text]\n"
        "    Write the document's text after the label, or remove the line.\n"
        "    > SPORTS;\n"
    )
    assert render_text(rejected).startswith(
        "news.csv: rejected\n"
        "  4 of 7 lines are bad (57.1 %), more than the 50 % allowed: nothing was taken. [too-many-bad-lines]\n"
    )
    assert "Documents by label" not in render_text(rejected)


def test_the_report_of_a_file_that_could_not_be_read_is_short() -> None:
    preparation, _, _ = prepared(b"%PDF-1.7", name="news.pdf")

    assert render_text(preparation) == (
        "news.pdf: rejected\n"
        "  The file is a PDF document, not a CSV or JSON Lines text file. [unsupported-type]\n"
        "    Extract the text and upload it as CSV: a label and a text on each line.\n"
    )


def test_lines_that_are_bad_in_the_same_way_are_shown_together() -> None:
    preparation, _, _ = prepared(b"X\n" * 120 + b"SPORT,x\n" * 2 + b"WORLD,x\n")

    report = render_text(preparation)

    assert "  line 1 and 119 more: The line has 1 column(s)" in report
    assert "    > X\n    > X (line 2)\n    > X (line 3)\n\n  line 121 and 1 more: Label" in report
