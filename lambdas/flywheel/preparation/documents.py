"""Writes prepared documents: each once, as Comprehend wants them, with what later steps need to know about them."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import compress
from operator import xor
from struct import pack, unpack
from typing import BinaryIO

from .labels import LabelColumn

TEXT_HASH_BYTES = 8
_DIGEST_BYTES = 16
_SMALLEST_TABLE = 1 << 12
_SMALLEST_BATCH = 1 << 10
_LARGEST_BATCH = 1 << 16


def text_hash(text: str) -> bytes:
    """The eight bytes that stand for a text in a file of hashes: BLAKE2b of its UTF-8, the same in every process."""
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()[:TEXT_HASH_BYTES]


class DocumentWriter:
    """Takes batches of documents, drops those it has seen, and writes the rest.

    ``capacity`` is the most documents it is made for; once it holds more it is ``full`` and takes nothing else. The
    table of what was seen has at least twice as many slots of eight bytes from the beginning, so memory does not grow
    with the file. Two documents count as the same when 64 bits of hash over label and text agree.
    """

    def __init__(self, *, sink: BinaryIO, hashes: BinaryIO, labels: LabelColumn, capacity: int) -> None:
        self._sink = sink
        self._hashes = hashes
        self._labels = labels
        size = _SMALLEST_TABLE
        while size < 2 * capacity:
            size *= 2
        self._mask = size - 1
        self._capacity = capacity
        # Small enough that the table cannot fill up before `full` is noticed.
        self._batch = min(max(capacity, _SMALLEST_BATCH), _LARGEST_BATCH)
        # An open-addressing hash set. Zero marks a free slot; that a document hashes to zero is as unlikely as a clash.
        self._seen = array("Q", [0]) * size
        self._heads: Counter[bytes] = Counter()
        self._digests_hash = blake2b(digest_size=_DIGEST_BYTES)
        self._heads_hash = blake2b(digest_size=_DIGEST_BYTES)
        self.documents = 0
        self.bytes = 0
        self.duplicates = 0

    def write(self, heads: list[bytes], texts: list[bytes], with_quotes: Iterable[int]) -> None:
        """Write documents in order. ``with_quotes`` are the places in ``texts`` that may hold double quotes."""
        digests = [blake2b(text, digest_size=_DIGEST_BYTES).digest() for text in texts]
        for place in with_quotes:
            texts[place] = texts[place].replace(b'"', b'""')
        for start in range(0, len(texts), self._batch):
            if self.full:
                return
            batch = slice(start, start + self._batch)
            self._write_batch(heads[batch], texts[batch], digests[batch])

    @property
    def full(self) -> bool:
        return self.documents > self._capacity

    def _write_batch(self, heads: list[bytes], texts: list[bytes], digests: list[bytes]) -> None:
        text_hashes: Sequence[int] = unpack(f"<{2 * len(digests)}Q", b"".join(digests))[::2]
        fresh = self._first_of_their_kind(heads, text_hashes)
        if fresh is not None:
            self.duplicates += len(texts) - sum(fresh)
            heads, texts, digests = (list(compress(column, fresh)) for column in (heads, texts, digests))
            text_hashes = list(compress(text_hashes, fresh))
            if not texts:
                return
        pieces: list[bytes] = [b""] * (2 * len(texts) + 1)
        pieces[0:-1:2] = heads
        pieces[1::2] = texts
        # A head begins with the end of the document before it; the first has none and the last needs one.
        pieces[0] = heads[0][2:]
        pieces[-1] = b'"\n'
        written = b"".join(pieces)
        self._sink.write(written)
        self._hashes.write(pack(f"<{len(text_hashes)}Q", *text_hashes))
        self._digests_hash.update(b"".join(digests))
        self._heads_hash.update(b"".join(heads))
        self._heads.update(heads)
        self.documents += len(texts)
        self.bytes += len(written)

    @property
    def content_hash(self) -> str:
        """32 hex digits that are equal exactly when the written documents and their order are.

        It is BLAKE2b over the texts' digests and the label columns, because hashing everything written a second time
        would cost a quarter of the throughput.
        """
        parts = self._digests_hash.digest() + self._heads_hash.digest()
        return blake2b(parts, digest_size=_DIGEST_BYTES).hexdigest()

    @property
    def labels(self) -> dict[str, int]:
        """Documents by label combination as written, in the order they first appeared."""
        return {self._labels.names[head]: count for head, count in self._heads.items()}

    def _first_of_their_kind(self, heads: Sequence[bytes], text_hashes: Sequence[int]) -> list[bool] | None:
        """Which documents are seen for the first time; None when all are."""
        seen, mask = self._seen, self._mask
        duplicates = []
        salts = map(self._labels.salts.__getitem__, heads)
        for index, key in enumerate(map(xor, text_hashes, salts)):
            slot = key & mask
            while held := seen[slot]:
                if held == key:
                    duplicates.append(index)
                    break
                slot = (slot + 1) & mask
            else:
                seen[slot] = key
        if not duplicates:
            return None
        fresh = [True] * len(heads)
        for index in duplicates:
            fresh[index] = False
        return fresh
