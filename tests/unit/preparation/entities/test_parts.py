"""What a folder lacks, by the beginnings of its files."""

from __future__ import annotations

import pytest

from flywheel.preparation.entities import HEAD_BYTES, missing_parts

ANNOTATIONS = b"File,Line,Begin Offset,End Offset,Type\na.txt,0,0,3,PER\nb.txt,0,0,3,PER\n"
LIST = b"\xef\xbb\xbfText;Type\nAnn;PER\n"
TEXT = b"Ann met Bob\n"


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        ({}, "its files"),
        ({".DS_Store": b"x"}, "its files"),
        ({"a.txt": TEXT}, "annotations (CSV"),
        ({"a.txt": b""}, "annotations (CSV"),
        ({"a.txt": TEXT, "b.jsonl": b'{"text": "x", "entities": []}\n'}, "annotations (CSV"),
        ({"list.csv": LIST}, "its documents"),
        ({"list.csv": LIST, "a.txt": TEXT}, None),
        ({"rows.csv": ANNOTATIONS}, 'the documents "a.txt", "b.txt"'),
        ({"rows.csv": ANNOTATIONS, "a.txt": TEXT}, 'the documents "b.txt"'),
        ({"rows.csv": ANNOTATIONS.replace(b"\n", b"\r"), "a.txt": TEXT}, 'the documents "b.txt"'),
        ({"rows.csv": ANNOTATIONS, "x/a.txt": TEXT, "b.txt": TEXT}, None),
        ({"rows.csv": ANNOTATIONS[:39]}, "its documents"),
        ({"rows.csv": ANNOTATIONS, "list.csv": LIST, "a.txt": TEXT, "b.txt": TEXT}, None),
        ({"a.jsonl": b'{"text": "x", "entities": []}\n'}, None),
        ({"a.conll": b"Ann\tB-PER\n"}, None),
        ({"a.pdf": b"%PDF-1.4"}, None),
    ],
)
def test_the_missing_part_is_named(files: dict[str, bytes], missing: str | None) -> None:
    found = missing_parts(files.items())
    assert found == missing if missing is None else (found or "").startswith(missing)


def test_a_head_may_end_within_a_row() -> None:
    row = b"a.txt,0,0,3,PER\n"
    head = (ANNOTATIONS[:39] + row * (HEAD_BYTES // len(row)))[: HEAD_BYTES - 3] + b"b.t"
    assert missing_parts([("rows.csv", head), ("a.txt", TEXT)]) is None


def test_many_files_that_are_missing_are_not_all_listed() -> None:
    rows = b"".join(b"%d.txt,0,0,1,PER\n" % number for number in range(50))
    found = missing_parts([("rows.csv", ANNOTATIONS[:39] + rows)])
    assert found is not None
    assert found.count(".txt") == 5
    assert found.endswith(", ...")
