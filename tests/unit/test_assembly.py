"""Reading the documents of a part again."""

from __future__ import annotations

import io
from array import array
from typing import TYPE_CHECKING, cast

from flywheel.assembly import count_labels
from flywheel.parts import PartLocation
from flywheel.upload_records import Part, Split

if TYPE_CHECKING:
    from flywheel.intake import IntakeBucket


class Files:
    """As much of a bucket as reading a part takes."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def open(self, key: str) -> io.BytesIO:
        return io.BytesIO(self._files[key])

    def read_bytes(self, key: str) -> bytes:
        return self._files[key]


def test_the_largest_documents_are_counted_like_any_other() -> None:
    large = "word " * 2_000_000
    files = Files(
        {
            "documents.csv": f'A,"{large}"\nB,"small"\nB,"left out"\n'.encode(),
            "hashes.bin": array("Q", [1, 2, 3]).tobytes(),
        }
    )
    part = Part.model_validate(
        {
            "content_hash": "c",
            "split": Split.TRAIN,
            "documents": 3,
            "bytes": 1,
            "labels": {},
            "delimiter": "",
            "sources": (),
            "prepared_at": "2026-11-21T00:00:00Z",
        }
    )
    location = PartLocation(documents="documents.csv", hashes="hashes.bin")
    assert count_labels(cast("IntakeBucket", files), part, location, without=frozenset({3})) == {"A": 1, "B": 1}
