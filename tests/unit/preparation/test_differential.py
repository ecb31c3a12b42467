"""The fast reading of CSV against a slow one that goes byte by byte, over files made to be nasty."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from flywheel.preparation import LabelRules, Limits, Preparation, prepare, text_hash
from flywheel.preparation.file_format import FileKind, LineEnds
from flywheel.preparation.labels import LabelColumn
from flywheel.preparation.layout import find_layout
from flywheel.preparation.unsupported import check_type

LABELS = ("A", "B", "B,C", 'say "hi"', "two words")
WHITE_SPACE = " \t\n\r\x0b\x0c"
BLANK = "\x85\xa0\xad\u1680\u2000\u2003\u200b\u200f\u2028\u202f\u205f\u2060\u3000\ufeff"

PADDING = WHITE_SPACE + BLANK + "\x1c"


@dataclass
class Expected:
    written: bytes = b""
    hashes: bytes = b""
    labels: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)
    bad_lines: bytes = b""
    lines: int = 0

    def add(self, label: str, text: str) -> None:
        quoted = '"' + label.replace('"', '""') + '"' if "," in label or '"' in label else label
        self.written += f'{quoted},"{text.replace(chr(34), chr(34) * 2)}"\n'.encode()
        self.hashes += text_hash(text)
        self.labels[label] += 1


def read_record(data: bytes, start: int, delimiter: bytes) -> tuple[list[bytes], int] | str:
    """Fields and end of the record at ``start``, or what is wrong with its quotes; one byte after the other."""
    fields = []
    position = start + 3 * data.startswith(b'\xef\xbb\xbf"', start)
    while True:
        at_quote = position
        while data[at_quote : at_quote + 1] == b" ":
            at_quote += 1
        value = b""
        if data[at_quote : at_quote + 1] == b'"':
            position = at_quote + 1
            while True:
                if position >= len(data):
                    return "unclosed-quote"
                if data[position : position + 2] == b'""':
                    value += b'"'
                    position += 2
                elif data[position : position + 1] == b'"':
                    position += 1
                    break
                else:
                    value += data[position : position + 1]
                    position += 1
            while data[position : position + 1] in (b" ", b"\r"):
                position += 1
            if data[position : position + 1] not in (b"", b"\n", delimiter):
                return "unclosed-quote" if b"\n" in data[start:position] else "broken-quotes"
        else:
            while data[position : position + 1] not in (b"", b"\n", delimiter):
                value += data[position : position + 1]
                position += 1
        fields.append(value)
        if data[position : position + 1] in (b"", b"\n"):
            return fields, position
        position += 1


def label_parts(cell: str, rules: LabelRules) -> list[str] | str:
    """The labels of a document, or the rule that is broken."""
    parts = [
        part.strip().strip(BLANK).strip() for part in (cell.split(rules.delimiter) if rules.multi_label else [cell])
    ]
    if not all(parts):
        return "empty-label"
    for place, part in enumerate(parts):
        if part in parts[:place]:
            return "repeated-label"
    return parts if set(parts) <= set(rules.labels) else "unknown-label"


@dataclass
class Reading:
    """How a file is read."""

    rules: LabelRules
    limits: Limits
    delimiter: bytes
    text_first: bool
    texts_without_quotes: bool


def judge(raw: bytes, fields: list[bytes], reading: Reading) -> tuple[str, str] | str:
    """Label combination and text of the record ``raw``, or the rule that is broken."""
    rules = reading.rules
    try:
        raw.decode()
    except UnicodeDecodeError:
        return "not-utf8"
    if len(fields) != 2:
        return "wrong-columns"
    cell, text = (part.decode().replace("\r", " ").replace("\n", " ") for part in fields)
    if reading.text_first:
        cell, text = text, cell
    parts = label_parts(cell, rules)
    if isinstance(parts, str):
        return parts
    text = text.strip(WHITE_SPACE)
    broken = [
        rule
        for rule, is_broken in {
            "empty-text": not text.strip(WHITE_SPACE + BLANK),
            "control-character": "\0" in text,
            "document-too-large": len(text.encode()) > reading.limits.document_bytes,
        }.items()
        if is_broken
    ]
    return broken[0] if broken else (rules.delimiter.join(sorted(parts, key=rules.labels.index)), text)


def mistake(
    data: bytes, start: int, line: int, end: int, closing: int, reading: Reading
) -> tuple[str, int, int] | None:
    """Rule, end of what is bad, and line of the closing quote, if quotes join what look like records."""
    joined = data[start:end].split(b"\n")
    if len(joined) == 1:
        _, _, text = in_two(joined[0], reading)
        if b'"' not in text and reading.delimiter not in text and like_record(joined[0], reading):
            reading.texts_without_quotes = True
        return None
    inner = [part for part in (joined[:-1] if reading.text_first else joined[1:]) if part.strip()]
    alike = sum(like_record(part, reading) for part in inner)
    if not alike or not reading.texts_without_quotes:
        return None
    if 2 * alike > len(inner):
        return "unclosed-quote", start + len(joined[0]), line + len(joined) - 1
    return "records-in-quotes", end, closing


def in_two(line: bytes, reading: Reading) -> tuple[bytes, bytes, bytes]:
    """Label cell, delimiter and text, if quotes hide no delimiter."""
    text, found, cell = line.rpartition(reading.delimiter)
    return (cell, found, text) if reading.text_first else line.partition(reading.delimiter)


def like_record(line: bytes, reading: Reading) -> bool:
    cell, found, _ = in_two(line, reading)
    alone = read_record(cell, 0, reading.delimiter)
    return bool(found) and not isinstance(alone, str) and is_label(b"".join(alone[0]), reading.rules)


def is_label(cell: bytes, rules: LabelRules) -> bool:
    return not isinstance(label_parts(cell.decode(errors="replace"), rules), str)


def is_whole(line: bytes, reading: Reading) -> bool:
    """Whether a line is a document on its own although a quote opened above would end on it."""
    alone = read_record(line, 0, reading.delimiter)
    pairs = in_two(line, reading)[2].count(b'"') % 2 == 0
    return pairs and not isinstance(alone, str) and not isinstance(judge(line, alone[0], reading), str)


def expect(data: bytes, rules: LabelRules, limits: Limits) -> Expected:
    layout = find_layout(data, whole=True, labels=LabelColumn(rules))
    file_format = layout.format
    assume(file_format.kind is FileKind.CSV and file_format.delimiter is not None)
    delimiter = (file_format.delimiter or "").encode()
    if file_format.byte_order_mark:
        data = data[3:]
    if file_format.line_ends is LineEnds.CR:
        data = data.replace(b"\r", b"\n")
    raw_lines = io.BytesIO(data).readlines()
    data = data.replace(b"\r\n", b"\n")
    expected = Expected(lines=len(raw_lines))
    seen = set()
    position, line, closing = 0, 1, 0
    reading = Reading(rules, limits, delimiter, file_format.text_first, not layout.quotes_all)
    for _ in range(file_format.header_lines):
        position, line = position + len(raw_lines[line - 1].replace(b"\r\n", b"\n")), line + 1
    while position < len(data):
        line_end = data.find(b"\n", position) if b"\n" in data[position:] else len(data)
        first_line = data[position:line_end]
        record = read_record(data, position, delimiter)
        end = line_end
        rule = ""
        if not first_line.strip():
            pass
        elif line == closing and not is_whole(first_line, reading):
            rule = "closing-quote"
        elif isinstance(record, str):
            alone = read_record(first_line, 0, delimiter)
            rule = alone if isinstance(alone, str) else record
        else:
            fields, end = record
            rule, end, closing = mistake(data, position, line, end, closing, reading) or ("", end, closing)
            found = rule or judge(data[position:end], fields, reading)
            if isinstance(found, str):
                rule = found
            elif found in seen:
                expected.duplicates += 1
            else:
                seen.add(found)
                expected.add(*found)
        lines = data.count(b"\n", position, end) + 1
        if rule:
            expected.bad.append((line, rule))
            expected.bad_lines += b"".join(raw_lines[line - 1 : line - 1 + lines])
        position, line = end + 1, line + lines
    return expected


LOOSE = st.sampled_from(
    [b"x", b"y z", b'"', b'""', b",", b";", b"\t", b"|", b"\n", b"\r", b"\r\n", b" ", b"\x0b", b"\x1c", b"\0", b"A,"]
    + [character.encode() for character in "é中😀" + BLANK]
    + [b"\xff", b"\xc3", b"\xed\xa0\x80"]
)
LOOSE_TEXT = st.lists(LOOSE, max_size=8).map(b"".join)
TIDY_TEXT = st.text("xy ,;é中", max_size=12).map(str.encode)
QUOTED_TEXT = st.one_of(LOOSE_TEXT, TIDY_TEXT).map(lambda text: b'"' + text.replace(b'"', b'""') + b'"')
# Between quotes without a thought: a misplaced quote, bytes that are not UTF-8, nothing that can be seen.
WRAPPED_TEXT = st.lists(LOOSE, min_size=1, max_size=3).map(b"".join).map(lambda text: b'"' + text + b'"')
ODD_CELLS = (
    *("B", "B,C", '"B,C"', '"A"', ' "A" ', " A", "A ", '"say ""hi"""', 'say "hi"', "two words", "a", "X", "", '"'),
    *("A|B", "B|A", "A | B", "A|A", "A|", "B;A", '"A\n"', "\xa0A"),
)
CELLS = st.one_of(st.just(b"A"), st.sampled_from(ODD_CELLS).map(str.encode))
ENDS = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\n\n", b" \n", b""])


@st.composite
def files(draw: st.DrawFn) -> bytes:
    delimiter = draw(st.sampled_from([b",", b",", b";", b"\t", b"|"]))
    text_first = draw(st.booleans())
    line_end = draw(st.sampled_from([b"\n", b"\n", b"\r\n", b"\r", None]))
    rows: list[bytes] = []
    for cell in draw(st.lists(CELLS, max_size=12)):
        # A label is read in the fast way once it was seen in a good line, so the first is one if its label is.
        text = draw(st.one_of(TIDY_TEXT, QUOTED_TEXT, LOOSE_TEXT, WRAPPED_TEXT)) if rows else b"good"
        columns = (text, cell) if text_first else (cell, text)
        separator = draw(st.sampled_from([delimiter] * 8 + [b", ", b" ,", b""]))
        rows.append(separator.join(columns) + (draw(ENDS) if line_end is None else line_end))
    if rows:
        rows += draw(st.lists(st.sampled_from(rows), max_size=4))
        rows += draw(st.lists(LOOSE_TEXT, max_size=2))
    header = delimiter.join((b"text", b"label") if text_first else (b"Label", b"text")) + (line_end or b"\n")
    start = header if text_first or draw(st.booleans()) else b""
    mark = draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf"]))
    data = mark + start + b"".join(rows)
    return data[: len(data) - draw(st.integers(0, 2))]


RULES = st.sampled_from(
    [LabelRules(LABELS, multi_label=False), LabelRules(LABELS, multi_label=True), LabelRules(LABELS, True, ";")]
)


def run(data: bytes, rules: LabelRules, limits: Limits, block_bytes: int) -> tuple[Preparation, bytes, bytes, bytes]:
    sink, hashes, bad = io.BytesIO(), io.BytesIO(), io.BytesIO()
    preparation = prepare(
        source=io.BytesIO(data),
        sink=sink,
        hashes=hashes,
        rules=rules,
        limits=limits,
        name="file",
        bad_lines=bad,
        block_bytes=block_bytes,
    )
    return preparation, sink.getvalue(), hashes.getvalue(), bad.getvalue()


def nasty(data: bytes, *, multi_label: bool = False) -> example:
    """A file that is always tried: each line of these needs one of the checks of the fast way."""
    return example(data=data, rules=LabelRules(LABELS, multi_label), block_bytes=1 << 16, document_bytes=100)


@settings(max_examples=400, deadline=None)
@nasty(b"B | A,good\nB|A,more\nA|B,good\nA|A,good\nA|,good\n", multi_label=True)
@nasty(b'A,good\nA,one,"two\nthree",four\nA,"five\nsix"\nA,seven\nA\n')
@nasty(b'"B,C",good\n"B,text\n')
@nasty(b'A,good\nA,say "hi"\nA, "one"\n')
@nasty(b'A,good\nA,one, two\nA,"one", two\n')
@nasty(b'A,good\nA,one\rtwo\nA,"one\rtwo"\nA,"three"\r\r\nA,"four" \r\n')
@nasty(b'A,good\nA,"one\r\r\ntwo"\nA,"three\r\r\r\n\r\nfour"\r\nA,"\r\r\n\xff"\n')
@nasty(b'A,good\nA,"\xc2\xa0"\nA,\xff\nA,"a"b"\nA,"\nA,""\nA,\n"')
@nasty(b'A,good\nA,"open\nA,one\n\nA,two\nA,55"\nA,more\n')
@nasty(b'A,good\nA,"open\nA,one\nx\ny"\nA,more\n')
@nasty(b'A,"good"\nA,"open\nA,one"\nA,more\nA,"open\nA,one"\n')
@nasty(b'text,label\ngood,A\n"open,A\none,A\n55",A\nmore,A\n')
@nasty(b'text,label\ngood,A\n"\n"A\n,A\n,A\n,A\n",;",A\n')
@nasty(b'A,good\nA,nul\0\nA,"\0"\n\n\n \nA,\xc3\xa9\n')
@nasty(b'text,label\ngood,A\none, two,A\n"one, two",A\n"one", two,A\n"one""," two",A\n"one,A\n')
@given(
    data=files(),
    rules=RULES,
    block_bytes=st.sampled_from([1, 3, 16, 100, 1 << 16]),
    document_bytes=st.sampled_from([5, 10_000_000]),
)
def test_any_csv_file_is_read_as_a_reader_that_goes_byte_by_byte_reads_it(
    data: bytes, rules: LabelRules, block_bytes: int, document_bytes: int
) -> None:
    assume(check_type(data) is None)
    limits = Limits(
        maximum_bad_lines_percent=100, document_bytes=document_bytes, documents=1000, examples_of_a_kind=100
    )
    expected = expect(data, rules, limits)

    preparation, written, hashes, bad = run(data, rules, limits, block_bytes)

    assert sorted((problem.line, problem.rule) for problem in preparation.examples) == expected.bad
    assert written == expected.written
    assert hashes == expected.hashes
    assert bad == expected.bad_lines
    assert preparation.lines == expected.lines
    assert preparation.duplicates == expected.duplicates
    assert preparation.labels == dict(expected.labels)
    assert preparation.documents == expected.labels.total()
    assert preparation.bytes == len(written)


@settings(max_examples=100, deadline=None)
@example(data=b'Label,text\nB,"A\tgood"\n', rules=LabelRules(LABELS, multi_label=False))
@example(data=b'text;label\n"good|A";B\n"good;A";B\n', rules=LabelRules(LABELS, multi_label=True))
@given(data=files(), rules=RULES)
def test_what_was_written_is_read_again_as_it_is(data: bytes, rules: LabelRules) -> None:
    limits = Limits(maximum_bad_lines_percent=100, documents=1000)
    first, written, hashes, _ = run(data, rules, limits, 1 << 16)
    assume(first.documents)

    again, written_again, hashes_again, bad = run(written, rules, limits, 1 << 16)

    assert (written_again, hashes_again, bad) == (written, hashes, b"")
    assert again.content_hash == first.content_hash
    assert again.labels == first.labels


def test_the_digest_of_a_text_is_the_same_in_every_process() -> None:
    assert text_hash("some text") == blake2b(b"some text", digest_size=16).digest()[:8]
    assert text_hash("some text").hex() == "f4059a637a026ee5"
