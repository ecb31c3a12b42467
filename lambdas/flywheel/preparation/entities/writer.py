"""Writes a recognizer's prepared documents: each once, with what later steps need to know about them."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import BinaryIO, NamedTuple, Protocol

from ..documents import TEXT_HASH_BYTES, text_hash
from ..label_advice import shortened
from ..problems import BadLines, Problem, Violation
from .prepared_line import to_line
from .rules import CONFLICTING_ANNOTATIONS
from .spans import Span, annotations_hash, combination, combination_of, counts_of

_DIGEST_BYTES = 16
_CONFLICT_EXAMPLES = 10
_PLACE = Struct("<IQ")


class Place(NamedTuple):
    """Where a document stands: the file's name if the upload is a folder, and the line, from 1."""

    file: str | None
    line: int

    def __str__(self) -> str:
        return f"line {self.line:,}" + ("" if self.file is None else f" of {shortened(self.file)}")


class TakesDocuments(Protocol):
    def add(self, text: str, spans: tuple[Span, ...], place: Place, raw: bytes, /) -> None:
        """Take a document; ``raw`` is its record as it stood."""


class EntityWriter:
    """Writes documents; those it has written before only with ``keep_repeated``.

    Two documents are the same when 64 bits of hash over the text and over the annotations agree. One with the text of
    an earlier one and other annotations is a conflict: it is counted and written, or with ``refuse_conflicts`` it is a
    bad line. Once more documents than ``capacity`` are written it is ``full`` and takes nothing else.
    """

    def __init__(
        self,
        *,
        sink: BinaryIO,
        hashes: BinaryIO,
        label_hashes: BinaryIO | None,
        combination_hashes: BinaryIO | None,
        capacity: int,
        bad: BadLines,
        refuse_conflicts: bool,
        keep_repeated: bool,
    ) -> None:
        self._sink = sink
        self._hashes = hashes
        self._label_hashes = label_hashes
        self._combination_hashes = combination_hashes
        self._capacity = capacity
        self._bad = bad
        self._refuse_conflicts = refuse_conflicts
        self._keep_repeated = keep_repeated
        # Hash of a text -> the annotations and the place it first came with, packed.
        self._first: dict[bytes, bytes] = {}
        self._files: dict[str | None, int] = {}
        self._file_names: list[str | None] = []
        # Texts and annotations of documents whose text first came with other annotations.
        self._further: set[bytes] = set()
        self._digest = blake2b(digest_size=_DIGEST_BYTES)
        self.combinations: Counter[str] = Counter()
        """Documents by `combination`."""
        self.documents = 0
        self.bytes = 0
        self.duplicates = 0
        self.conflicts = 0
        self.conflict_examples: list[Problem] = []

    def add(self, text: str, spans: tuple[Span, ...], place: Place, raw: bytes) -> None:
        """Write a document, if it is a new one."""
        if self.full:
            return
        text_digest, annotations = text_hash(text), annotations_hash(spans)
        first = self._first.get(text_digest)
        if first is None:
            number = self._files.setdefault(place.file, len(self._files))
            if number == len(self._file_names):
                self._file_names.append(place.file)
            self._first[text_digest] = annotations + _PLACE.pack(number, place.line)
        elif first.startswith(annotations) or text_digest + annotations in self._further:
            if not self._keep_repeated:
                self.duplicates += 1
                return
        elif self._is_refused(first, text, spans, place, raw):
            return
        else:
            self._further.add(text_digest + annotations)
        line = to_line(text, spans).encode()
        self._sink.write(line)
        self._hashes.write(text_digest)
        if self._label_hashes is not None:
            self._label_hashes.write(annotations)
        self._digest.update(line)
        combined = _combination(tuple(span.type for span in spans))
        if self._combination_hashes is not None:
            self._combination_hashes.write(text_hash(combined))
        self.combinations[combined] += 1
        self.documents += 1
        self.bytes += len(line)

    def _is_refused(self, first: bytes, text: str, spans: tuple[Span, ...], place: Place, raw: bytes) -> bool:
        """Count a conflict, and tell of it."""
        self.conflicts += 1
        number, line = _PLACE.unpack_from(first, TEXT_HASH_BYTES)
        facts = {"first": Place(self._file_names[number], line), "here": _types_shown(spans)}
        violation = Violation(CONFLICTING_ANNOTATIONS, facts)
        if self._refuse_conflicts:
            self._bad.add(violation, line=place.line, raw=raw, file=place.file)
        elif len(self.conflict_examples) < _CONFLICT_EXAMPLES:
            self.conflict_examples.append(violation.problem(line=place.line, raw=text.encode(), file=place.file))
        return self._refuse_conflicts

    @property
    def full(self) -> bool:
        return self.documents > self._capacity

    @property
    def content_hash(self) -> str:
        """32 hex digits that are equal exactly when the written documents and their order are."""
        return self._digest.hexdigest()

    @property
    def annotations(self) -> dict[str, int]:
        """Annotations written, by type."""
        counts: Counter[str] = Counter()
        for combined, documents in self.combinations.items():
            for name, count in counts_of(combined).items():
                counts[name] += count * documents
        return dict(counts)


@lru_cache(maxsize=1 << 12)
def _combination(types: tuple[str, ...]) -> str:
    return combination_of(Counter(types))


def _types_shown(spans: tuple[Span, ...]) -> str:
    counts = counts_of(combination(spans))
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"
