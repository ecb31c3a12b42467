"""Reading the documents of a part again."""

from __future__ import annotations

import io
from array import array
from typing import TYPE_CHECKING, cast

from flywheel.datasets.distinct import read_labels
from flywheel.datasets.part_documents import part_documents
from flywheel.datasets.stored_parts import StoredPart
from flywheel.records.datasets import LABEL_SEPARATOR_IN_RECORDS
from flywheel.records.parts import PartLocation, label_digest
from flywheel.records.uploads import Part, Split

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket


class Files:
    """As much of a bucket as reading a part takes."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def open(self, key: str) -> io.BytesIO:
        return io.BytesIO(self._files[key])

    def read_bytes(self, key: str) -> bytes:
        return self._files[key]

    def read_bytes_if_there(self, key: str) -> bytes | None:
        return self._files.get(key)


def test_the_largest_documents_are_counted_like_any_other() -> None:
    large = "word " * 2_000_000
    files = Files(
        {
            "documents.csv": f'A,"{large}"\nB,"small"\nB,"left out"\n'.encode(),
            "hashes.bin": array("Q", [1, 2, 3]).tobytes(),
        }
    )
    location = PartLocation(documents="documents.csv", hashes="hashes.bin", labels="labels.bin")
    rows = list(part_documents(cast("IntakeBucket", files), location))
    assert [(column, digest) for column, _, digest in rows] == [("A", 1), ("B", 2), ("B", 3)]


def test_a_part_of_an_earlier_version_has_its_label_digests_made() -> None:
    files = Files({"documents.csv": b'A|B,"one"\nB,"two"\n', "hashes.bin": array("Q", [1, 2]).tobytes()})
    part = Part.model_validate(
        {
            "content_hash": "c",
            "split": Split.TRAIN,
            "documents": 2,
            "bytes": 1,
            "labels": {},
            "delimiter": "|",
            "sources": (),
            "prepared_at": "2026-11-21T00:00:00Z",
        }
    )
    location = PartLocation(documents="documents.csv", hashes="hashes.bin", labels="labels.bin")
    stored = StoredPart(part=part, location=location, source="s")
    made = read_labels(cast("IntakeBucket", files), stored)
    assert list(made) == [label_digest(f"A{LABEL_SEPARATOR_IN_RECORDS}B"), label_digest("B")]
