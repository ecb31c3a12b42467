"""Measures how long finding distinct documents takes and how much memory: a dataset's worth of waiting documents, half
of them known already, against the digests of millions of accepted ones.

    python -m benchmarks.distinct [ACCEPTED] [WAITING]
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from flywheel.datasets.distinct import find_distinct
from flywheel.datasets.stored_parts import StoredPart
from flywheel.preparation import ConflictingLabels, labels_hash
from flywheel.records.parts import as_numbers, prepared_location
from flywheel.records.uploads import Part, Split

PART = 1_000_000
LABELS = tuple(f"LABEL_{number}" for number in range(20))
MEBIBYTE = 1 << 20


def main() -> None:
    accepted, waiting = (int(value.replace("_", "")) for value in [*sys.argv[1:], "5_000_000", "1_000_000"][:2])
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        datasets = [store.write(f"accepted-{first}", first, first + PART) for first in range(0, accepted, PART)]
        # The older half was accepted, spread over all datasets.
        known = sorted(random.Random(1).sample(range(accepted), waiting // 2))
        part = store.write_texts("waiting", [*known, *range(accepted, accepted + waiting - len(known))])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        started = time.perf_counter()
        found = find_distinct(
            [part],
            accepted=lambda: datasets,
            other=lambda: (),
            digests=store.digests,
            # Of documents with annotations only.
            combinations=lambda _: (),
            capacity=1_000_000,
            conflicting_labels=ConflictingLabels.KEEP,
        )
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        (left,) = found.parts
        print(f"{accepted:,} accepted, {waiting:,} waiting: {left.documents:,} new, {left.duplicates:,} duplicates")
        print(f"{seconds:.1f} s, peak {peak:,.0f} MiB ({before:,.0f} MiB before)")


class Store:
    """Digests in files, as in the bucket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._labels = [int.from_bytes(labels_hash([label]), "little") for label in LABELS]

    def write(self, name: str, first: int, end: int) -> StoredPart:
        return self.write_texts(name, range(first, end))

    def write_texts(self, name: str, texts: range | list[int]) -> StoredPart:
        """A text is a number; its digest looks random, and its label follows from it."""
        with (self._folder / name).open("wb") as file:
            _scattered(texts).tofile(file)
        with (self._folder / f"{name}.labels").open("wb") as file:
            array("Q", (self._labels[text % len(LABELS)] for text in texts)).tofile(file)
        part = Part(
            content_hash=name,
            split=Split.TRAIN,
            documents=len(texts),
            bytes=0,
            labels=dict.fromkeys(LABELS, len(texts) // len(LABELS)),
            delimiter="",
            sources=(),
            prepared_at=datetime(2026, 11, 21, tzinfo=UTC),
        )
        return StoredPart(part=part, location=prepared_location(Split.TRAIN, name, part.form), source=name)

    def digests(self, stored: StoredPart) -> tuple[array[int], Callable[[], array[int]]]:
        file = self._folder / stored.part.content_hash
        return as_numbers(file.read_bytes()), lambda: as_numbers(file.with_suffix(".labels").read_bytes())


def _scattered(texts: range | list[int]) -> array[int]:
    def spread() -> Iterator[int]:
        for text in texts:
            yield (text + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF

    return array("Q", spread())


if __name__ == "__main__":
    main()
