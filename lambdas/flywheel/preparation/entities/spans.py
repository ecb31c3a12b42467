"""The annotations of a document, and the two short forms in which records keep them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from flywheel.spans import BEFORE_COUNT, BETWEEN_LABELS, Span

__all__ = ["Span", "annotations_hash", "combination", "combination_of", "counts_of"]


def combination(spans: Iterable[Span]) -> str:
    """The types with their counts, sorted by type: ``LOC\\x1e2\\x1fPER\\x1e1``; empty without spans."""
    return combination_of(Counter(span.type for span in spans))


def combination_of(counts: Mapping[str, int]) -> str:
    """The `combination` of so many annotations of each type."""
    return BETWEEN_LABELS.join(f"{name}{BEFORE_COUNT}{count}" for name, count in sorted(counts.items()))


def counts_of(combined: str) -> dict[str, int]:
    """Annotations by type of one `combination`."""
    pairs = (part.split(BEFORE_COUNT) for part in combined.split(BETWEEN_LABELS) if part)
    return {name: int(count) for name, count in pairs}


def annotations_hash(spans: Iterable[Span]) -> bytes:
    """The eight bytes that stand for a document's annotations in a file of hashes, whatever their order."""
    parts = (f"{span.begin}\x1f{span.end}\x1f{span.type}" for span in sorted(spans))
    return blake2b("\x1e".join(parts).encode(), digest_size=8).digest()
