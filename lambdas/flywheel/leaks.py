"""Documents that stand in the training and in the test data: they would make a model look better than it is."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flywheel.parts import accepted_hashes, read_all_hashes

if TYPE_CHECKING:
    from flywheel.intake import IntakeBucket
    from flywheel.upload_records import Split


@dataclass(frozen=True, kw_only=True)
class Leaks:
    """`digests` of the leaked texts, and how many documents of each part have one."""

    digests: frozenset[int]
    by_part: dict[str, int]

    def to_bytes(self) -> bytes:
        return array("Q", sorted(self.digests)).tobytes()


def find_leaks(intake: IntakeBucket, hashes_keys: Mapping[str, str], *, other: Split) -> Leaks:
    """Which documents of the parts (`content hash -> key of its digests`) are in a dataset of the `other` split.

    The parts' digests are held in memory, those of the other split pass by: there may be fifty datasets of them.
    """
    by_part = dict(zip(hashes_keys, read_all_hashes(intake, hashes_keys.values()), strict=True))
    waiting: set[int] = set()
    for hashes in by_part.values():
        waiting.update(hashes)
    leaked: set[int] = set()
    if waiting:
        for hashes in accepted_hashes(intake, other):
            leaked |= waiting.intersection(hashes)
    counts = {content_hash: sum(digest in leaked for digest in hashes) for content_hash, hashes in by_part.items()}
    return Leaks(digests=frozenset(leaked), by_part={key: count for key, count in counts.items() if count})
