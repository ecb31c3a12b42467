"""Reads and rewrites the CSV rows of a part."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flywheel.records.datasets import LABEL_SEPARATOR_IN_RECORDS, labels_of
from flywheel.records.parts import PartLocation, read_hashes
from flywheel.store.stream import buffered

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket

# A document may have 10 MB (reference 3.3), but by default the csv module refuses fields above 128 KiB.
csv.field_size_limit(16 * 1024 * 1024)


def part_documents(intake: IntakeBucket, location: PartLocation) -> Iterator[tuple[list[str], int]]:
    """Rows and text digests, in order. Prepared documents contain no newline, so each line is a row."""
    hashes = read_hashes(intake, location.hashes)
    with intake.open(location.documents) as stream:
        lines = io.TextIOWrapper(buffered(stream), encoding="utf-8", newline="")
        yield from zip(csv.reader(lines), hashes, strict=True)


def rewritten(
    intake: IntakeBucket, location: PartLocation, before: str, delimiter: str
) -> Iterator[tuple[list[str], int, str]]:
    """Rows, text digests and label combinations. `delimiter` replaces `before` between a row's labels."""
    for row, digest in part_documents(intake, location):
        combination = combination_of(row[0], before)
        yield [delimiter.join(labels_of(combination)), row[1]], digest, combination


def combination_of(label_column: str, delimiter: str) -> str:
    return label_column.replace(delimiter, LABEL_SEPARATOR_IN_RECORDS) if delimiter else label_column


def count_bytes(
    intake: IntakeBucket,
    location: PartLocation,
    *,
    before: str,
    without: frozenset[int],
    held_back: frozenset[str],
    delimiter: str,
) -> int:
    """The part's size in a dataset, without documents at the places in `without` or with a label in `held_back`."""
    sink = _ByteCounter()
    rows = csv.writer(sink, lineterminator="\n")
    for place, (row, _, combination) in enumerate(rewritten(intake, location, before, delimiter)):
        if place not in without and held_back.isdisjoint(labels_of(combination)):
            rows.writerow(row)
    return sink.bytes


class _ByteCounter:
    def __init__(self) -> None:
        self.bytes = 0

    def write(self, text: str) -> None:
        self.bytes += len(text.encode())
