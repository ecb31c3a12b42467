"""Writes prepared documents: each once, as Comprehend wants them, with what later steps need to know about them."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import compress
from struct import pack, unpack
from typing import BinaryIO, Protocol

from .labels import LabelColumn
from .problems import BadLines, Problem, Violation
from .rules import CONFLICTING_LABELS

TEXT_HASH_BYTES = 8
_DIGEST_BYTES = 16
_CONFLICT_EXAMPLES = 10
_SMALLEST_TABLE = 1 << 12
_SMALLEST_BATCH = 1 << 10
_LARGEST_BATCH = 1 << 16


def text_hash(text: str) -> bytes:
    """The eight bytes that stand for a text in a file of hashes: BLAKE2b of its UTF-8, the same in every process."""
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()[:TEXT_HASH_BYTES]


class TakesDocuments(Protocol):
    def write(self, heads: list[bytes], texts: list[bytes], with_quotes: Iterable[int], /) -> None:
        """Take documents in order. ``with_quotes`` are the places in ``texts`` that may hold double quotes."""


class DocumentWriter:
    """Takes batches of documents, drops those it has seen, and writes the rest.

    ``capacity`` is the most documents it is made for; once it holds more it is ``full`` and takes nothing else. The
    table of what was seen has at least twice as many slots of twelve bytes from the first document on, so memory does
    not grow with the file; `expect` says of a small file that it needs fewer. Two documents count as the same when 64
    bits of hash over label and text agree.

    With ``keep_repeated`` documents that it has seen are written again. A document with the text of an earlier one and
    other labels is a conflict. It is counted and written, or with ``refuse_conflicts`` not written: then it is a bad
    line.
    """

    def __init__(
        self,
        *,
        sink: BinaryIO,
        hashes: BinaryIO,
        label_hashes: BinaryIO | None,
        labels: LabelColumn,
        capacity: int,
        bad: BadLines,
        refuse_conflicts: bool,
        keep_repeated: bool,
    ) -> None:
        self._sink = sink
        self._hashes = hashes
        self._label_hashes = label_hashes
        self._bad = bad
        self._refuse_conflicts = refuse_conflicts
        self._keep_repeated = keep_repeated
        self._labels = labels
        self._capacity = capacity
        self._expected = capacity
        # Small enough that the table cannot fill up before `full` is noticed.
        self._batch = min(max(capacity, _SMALLEST_BATCH), _LARGEST_BATCH)
        # An open-addressing hash set of texts. Zero marks a free slot; that a text hashes to zero is as unlikely as a
        # clash. With each text the labels it first came with: the place of the head among those met.
        self._texts = array("Q")
        self._first_labels = array("I")
        self._met: dict[bytes, int] = {}
        # Hashes over text and labels of the documents whose text first came with other labels.
        self._further: set[int] = set()
        self._heads: Counter[bytes] = Counter()
        self._digests_hash = blake2b(digest_size=_DIGEST_BYTES)
        self._heads_hash = blake2b(digest_size=_DIGEST_BYTES)
        self.documents = 0
        self.bytes = 0
        self.duplicates = 0
        self.conflicts = 0
        self.conflict_examples: list[Problem] = []

    def expect(self, documents: int) -> None:
        """Say before the first document how many there are at most: for a million, the table takes milliseconds."""
        self._expected = min(documents, self._capacity)

    def write(self, heads: list[bytes], texts: list[bytes], with_quotes: Iterable[int]) -> None:
        """Write documents in order, as `TakesDocuments` has it."""
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
        duplicates, conflicts = self._compare(heads, text_hashes)
        if self._keep_repeated:
            duplicates = []
        self.duplicates += len(duplicates)
        if conflicts:
            self._tell(conflicts, heads, texts)
            if self._refuse_conflicts:
                duplicates += [index for index, _ in conflicts]
        if duplicates:
            kept = [True] * len(heads)
            for index in duplicates:
                kept[index] = False
            heads, texts, digests = (list(compress(column, kept)) for column in (heads, texts, digests))
            text_hashes = list(compress(text_hashes, kept))
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
        if self._label_hashes is not None:
            self._label_hashes.write(pack(f"<{len(heads)}Q", *map(self._labels.salts.__getitem__, heads)))
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

    def _compare(self, heads: Sequence[bytes], text_hashes: Sequence[int]) -> tuple[list[int], list[tuple[int, int]]]:
        """Places of documents that came before, and of those whose text did with other labels, with the place of those
        labels among the heads met."""
        if not self._texts:
            self._make_table()
        table, first_labels, met = self._texts, self._first_labels, self._met
        mask = len(table) - 1
        for head in set(heads):
            met.setdefault(head, len(met))
        duplicates: list[int] = []
        conflicts: list[tuple[int, int]] = []
        places = map(met.__getitem__, heads)
        for index, (text, place) in enumerate(zip(text_hashes, places, strict=True)):
            slot = text & mask
            while held := table[slot]:
                if held == text:
                    first = first_labels[slot]
                    if first == place or text ^ self._labels.salts[heads[index]] in self._further:
                        duplicates.append(index)
                    else:
                        conflicts.append((index, first))
                        if not self._refuse_conflicts:
                            self._further.add(text ^ self._labels.salts[heads[index]])
                    break
                slot = (slot + 1) & mask
            else:
                table[slot] = text
                first_labels[slot] = place
        return duplicates, conflicts

    def _make_table(self) -> None:
        size = _SMALLEST_TABLE
        while size < 2 * self._expected:
            size *= 2
        self._texts = array("Q", [0]) * size
        self._first_labels = array("I", [0]) * size

    def _tell(self, conflicts: list[tuple[int, int]], heads: Sequence[bytes], texts: Sequence[bytes]) -> None:
        self.conflicts += len(conflicts)
        by_place = list(self._met)
        for index, place in conflicts:
            first, labels = (self._labels.names[head] for head in (by_place[place], heads[index]))
            violation = Violation(CONFLICTING_LABELS, {"first": first, "labels": labels, "pair": (first, labels)})
            if self._refuse_conflicts:
                self._bad.add(violation, line=None, raw=heads[index][2:] + texts[index] + b'"\n')
            elif len(self.conflict_examples) < _CONFLICT_EXAMPLES:
                self.conflict_examples.append(violation.problem(raw=texts[index]))
