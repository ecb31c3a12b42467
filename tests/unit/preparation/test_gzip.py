"""Gzip is unpacked while it is read: what it unpacks to counts, or nothing of it does."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import tarfile
import tracemalloc
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel.preparation import LabelRules, Limits, Preparation, Problem, prepare, read_documents
from flywheel.preparation.entities import AnyType, EntityLimits, missing_parts, read_entity_documents
from flywheel.preparation.report import render_text
from flywheel.preparation.unpacking import Unpacked
from tests.unit.preparation.entities.uploads import GOOD, Outcome, line_of
from tests.unit.preparation.entities.uploads import prepared as entities_prepared
from tests.unit.preparation.test_differential import RULES, files, run

LABELS = LabelRules(("CALM", "STORM"), multi_label=False)
ROWS = b"".join(b'CALM,"a lake %d"\nSTORM,"a sea %d"\n' % (number, number) for number in range(200))
LIMITS = Limits(maximum_bad_lines_percent=100, documents=10_000)


def read(data: bytes, *, limits: Limits = LIMITS) -> Preparation:
    preparation, _, _, _ = run(data, LABELS, limits, 1 << 10)
    return preparation


def problem_of(data: bytes, *, limits: Limits = LIMITS) -> Problem:
    preparation = read(data, limits=limits)
    assert not preparation.accepted
    assert preparation.file_problem is not None
    return preparation.file_problem


def with_name(data: bytes) -> bytes:
    """As `gzip FILE` writes it: the header has the file's name and its time."""
    packed = io.BytesIO()
    with gzip.GzipFile(filename="original name.csv", fileobj=packed, mode="wb", mtime=1_700_000_000) as file:
        file.write(data)
    return packed.getvalue()


@st.composite
def archives(draw: st.DrawFn, data: bytes) -> bytes:
    """The data as one or several archives, some of them empty."""
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=3)))
    pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    packed = b"".join(gzip.compress(piece, draw(st.sampled_from([0, 1, 9]))) for piece in pieces)
    return packed + draw(st.sampled_from([b"", b"\0" * 512]))


@settings(max_examples=200, deadline=None)
@given(data=st.data(), plain=files(), rules=RULES, block_bytes=st.sampled_from([1, 2, 16, 1 << 16]))
def test_a_packed_csv_file_is_prepared_as_the_file_itself(
    data: st.DataObject, plain: bytes, rules: LabelRules, block_bytes: int
) -> None:
    packed = data.draw(archives(plain))
    expected, *expected_files = run(plain, rules, LIMITS, 1 << 16)
    found, *found_files = run(packed, rules, LIMITS, block_bytes)
    assert found_files == expected_files
    if expected.file_problem is None or expected.file_problem.rule != "unsupported-type":
        assert same(found, expected)


def same(found: Preparation, expected: Preparation) -> bool:
    if found.format is not None:
        assert found.format.gzip
        found = Preparation(**{**vars(found), "format": expected.format})
    return found == expected


FOLDER = {
    "documents.txt": "Anna Albers lives in Aachen.\nNobody is here.\nBoris Brandt left Bergen.\n",
    "annotations.csv": "File,Line,Begin Offset,End Offset,Type\ndocuments.txt,0,0,11,PER\ndocuments.txt,2,0,12,PER\n",
}
LISTED = {"documents.txt": FOLDER["documents.txt"], "list.csv": "Text,Type\nAnna Albers,PER\nBergen,LOC\n"}
EACH_A_FILE = {
    "one.txt": "Anna Albers lives in Aachen.",
    "sub/two.txt": "Nobody is here.",
    "annotations.csv": "File,Begin Offset,End Offset,Type\none.txt,0,11,PER\n",
}


@pytest.mark.parametrize(
    "plain",
    [
        {"a.jsonl": GOOD * 3 + line_of("other")},
        {"a.conll": "Anna\tB-PER\nsleeps\tO\n\nBerlin\tB-LOC\n"},
        {"one.jsonl": GOOD, "two.jsonl": line_of("other")},
        FOLDER,
        LISTED,
        EACH_A_FILE,
    ],
    ids=["json", "conll", "several", "annotations", "list", "each"],
)
@pytest.mark.parametrize("ending", [".gz", ""])
def test_a_packed_upload_for_a_recognizer_is_prepared_as_the_upload_itself(
    plain: Mapping[str, str], ending: str
) -> None:
    packed: dict[str, bytes | str] = {name + ending: gzip.compress(text.encode()) for name, text in plain.items()}
    expected, found = entities_prepared(plain), entities_prepared(packed)
    assert expected.preparation.accepted
    assert expected.documents
    assert found.documents == expected.documents
    assert found.preparation.content_hash == expected.preparation.content_hash
    assert found.preparation.format is not None
    assert found.preparation.format.gzip


@pytest.mark.parametrize("part", list(FOLDER))
def test_one_file_of_a_folder_may_be_packed(part: str) -> None:
    mixed: dict[str, bytes | str] = {**FOLDER}
    mixed[part + ".gz"] = gzip.compress(FOLDER[part].encode())
    del mixed[part]
    assert entities_prepared(mixed).documents == entities_prepared(FOLDER).documents


def test_a_name_with_and_without_its_ending_are_two_files() -> None:
    both: dict[str, bytes | str] = {**FOLDER, "documents.txt.gz": gzip.compress(b"One more.\n")}
    assert entities_prepared(both).documents[:3] == entities_prepared(FOLDER).documents
    assert missing_parts([(name, data.encode()) for name, data in FOLDER.items()]) is None


@pytest.mark.parametrize("name", ["documents.txt", "documents.txt.gz"])
def test_annotations_are_complete_with_packed_documents(name: str) -> None:
    annotations = FOLDER["annotations.csv"].replace("documents.txt", name)
    assert missing_parts([("annotations.csv", annotations.encode()), ("documents.txt.gz", b"Anna\n")]) is None
    assert missing_parts([("annotations.csv", annotations.encode()), ("other.txt.gz", b"Anna\n")]) is not None


def test_the_report_says_that_the_file_is_packed() -> None:
    assert "CSV with a comma between the columns, gzip, no header row, LF line ends." in render_text(
        read(with_name(ROWS))
    )
    rows = "".join(json.dumps({"label": "CALM", "text": f"a lake {number}"}) + "\n" for number in range(3))
    assert "JSON Lines, gzip, LF line ends." in render_text(read(gzip.compress(rows.encode())))
    assert "JSON Lines, gzip" in render_text(entities_prepared({"a": gzip.compress(GOOD.encode())}).preparation)


PACKED = gzip.compress(ROWS)
BROKEN = {
    "its end is missing": [PACKED[:2], PACKED[:9], PACKED[: len(PACKED) // 2], PACKED[:-9], PACKED[:-8], PACKED[:-1]],
    "its checksum is not that of its content": [PACKED[:-8] + bytes([PACKED[-8] ^ 1]) + PACKED[-7:]],
    "its length is not that of its content": [PACKED[:-1] + b"\1"],
    "it cannot be unpacked (": [PACKED[:2] + b"\0" + PACKED[3:], PACKED[:10] + b"\xff" * 20],
    "bytes follow it that are no gzip": [PACKED + b"x", PACKED + b"\0\0CALM,more\n", PACKED + PACKED[:1]],
}


@pytest.mark.parametrize(
    ("data", "reason"),
    [(data, reason) for reason, broken in BROKEN.items() for data in broken],
    ids=itertools.count(),
)
def test_of_a_broken_archive_nothing_is_taken(data: bytes, reason: str) -> None:
    problem = problem_of(data)
    assert problem.rule == "broken-gzip"
    assert f"broken gzip archive: {reason}" in problem.message
    assert not entities_prepared({"a": data, "b": GOOD}).preparation.accepted
    for found in (
        read_documents(data, rules=LABELS, limits=LIMITS),
        read_entity_documents(data, rules=AnyType(), limits=EntityLimits()),
    ):
        assert isinstance(found, Problem)
        assert found.rule == "broken-gzip"


@given(place=st.integers(0, len(PACKED) - 1), bit=st.integers(0, 7))
def test_no_changed_bit_changes_a_document(place: int, bit: int) -> None:
    changed = PACKED[:place] + bytes([PACKED[place] ^ (1 << bit)]) + PACKED[place + 1 :]
    found = read(changed)
    assert not found.accepted or found.content_hash == read(ROWS).content_hash


def test_a_file_of_a_folder_that_is_broken_is_named() -> None:
    packed = gzip.compress(FOLDER["documents.txt"].encode())
    found = entities_prepared({"documents.txt.gz": packed[:-1], "annotations.csv": FOLDER["annotations.csv"]})
    assert found.preparation.file_problem is not None
    assert found.preparation.file_problem.file == "documents.txt.gz"


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(b""), gzip.compress(b"") * 3, gzip.compress(b"\n\n")],
    ids=["nothing", "several", "blank lines"],
)
def test_an_archive_of_nothing_holds_no_document(packed: bytes) -> None:
    assert problem_of(packed).rule == "empty-file"
    assert read_documents(packed, rules=LABELS, limits=LIMITS) == []


def tar(data: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("train.csv")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (gzip.compress(PACKED), "a gzip archive in gzip"),
        (tar(ROWS), "a tar archive in gzip"),
        (gzip.compress(b"PK\x03\x04\x14\x00train.csv"), "a zip archive in gzip"),
    ],
    ids=["gzip", "tar", "zip"],
)
def test_an_archive_in_gzip_is_refused_by_name(data: bytes, what: str) -> None:
    problem = problem_of(data)
    outcomes: list[Outcome] = [entities_prepared({"a": data}), entities_prepared({**FOLDER, "more": data})]
    of_recognizers = [outcome.preparation.file_problem for outcome in outcomes]
    read_whole = [
        read_documents(data, rules=LABELS, limits=LIMITS),
        read_entity_documents(data, rules=AnyType(), limits=EntityLimits()),
    ]
    for found in (problem, *of_recognizers, *read_whole):
        assert isinstance(found, Problem)
        assert found.rule == "unsupported-type"
        assert found.message.startswith(f"The file is {what}, ")


class Endless:
    """Archives of one piece, one after the other, without an end."""

    def __init__(self, piece: bytes) -> None:
        self._archive = gzip.compress(piece * max(1, (1 << 20) // len(piece)))
        self._held = b""
        self.bytes_read = 0

    def read(self, size: int) -> bytes:
        while len(self._held) < size:
            self._held += self._archive
        found, self._held = self._held[:size], self._held[size:]
        self.bytes_read += len(found)
        return found


def prepare_endless(source: Any, **limits: Any) -> Problem:
    nowhere = io.BytesIO()
    preparation = prepare(
        source=source,
        sink=nowhere,
        hashes=nowhere,
        rules=LABELS,
        limits=Limits(**limits),
        name="a",
        bad_lines=None,
    )
    assert preparation.file_problem is not None
    return preparation.file_problem


def test_an_archive_that_unpacks_to_a_thousand_times_its_size_is_refused_at_its_beginning() -> None:
    bomb = Endless(b"\n")
    problem = prepare_endless(bomb)
    assert problem.rule == "unpacks-too-far"
    assert "250 times" in problem.message
    assert bomb.bytes_read < 300_000


def test_an_archive_may_unpack_to_the_limit_and_no_further() -> None:
    limit = len(ROWS)
    assert read(PACKED, limits=Limits(documents=1000, file_bytes=limit)).accepted
    problem = problem_of(PACKED, limits=Limits(documents=1000, file_bytes=limit - 1))
    assert problem.message == f"The file unpacks to more than the limit of {limit - 1:,} bytes."
    assert problem_of(gzip.compress(ROWS, 0), limits=Limits(documents=1000, file_bytes=limit)).rule == "file-too-large"


def test_a_file_that_is_read_whole_may_unpack_to_ten_megabytes() -> None:
    packed = gzip.compress(ROWS * 2000)
    found = read_documents(packed, rules=LABELS, limits=LIMITS)
    assert isinstance(found, Problem)
    assert found.message == "The file unpacks to more than the limit of 10,000,000 bytes."


def test_memory_does_not_grow_with_what_is_unpacked() -> None:
    def peak(size: int) -> int:
        source = Unpacked(Endless(b"CALM,a lake\n" + bytes(range(256)) * 40), limit=1 << 40)
        tracemalloc.start()
        try:
            while size > 0 and (piece := source.read(1 << 17)):
                size -= len(piece)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(1 << 25) < 1.1 * peak(1 << 22)
