"""Finds the waiting documents that may go into a dataset: without duplicates, without those that a dataset has already,
and without those that the other split has, which would make a model look better than it is.

Two documents are the same if the 64-bit digests of their texts and of their labels are equal. In memory are at most as
many waiting documents as one dataset may have. The digests of all datasets, which may be 50 of a million documents
each, are read one part at a time.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flywheel.datasets.part_documents import label_digests, rewritten
from flywheel.datasets.stored_parts import StoredPart
from flywheel.preparation import ConflictingLabels
from flywheel.records.datasets import LabelConflict, labels_of
from flywheel.records.parts import PLACES, as_numbers, combination_digest, label_digest, read_hashes
from flywheel.records.uploads import DocumentForm

if TYPE_CHECKING:
    from flywheel.records.exclusions import DocumentId
    from flywheel.store.bucket import IntakeBucket

EXAMPLES = 20
UNKNOWN_LABELS = "?"


@dataclass(kw_only=True)
class Distinct:
    """The distinct documents of one part. Places of documents are in ascending order."""

    stored: StoredPart
    labels: dict[str, int]
    """Distinct documents by label combination."""
    dropped: array[int] = field(default_factory=lambda: array(PLACES))
    """Places of leaked documents and duplicates."""
    refused: array[int] = field(default_factory=lambda: array(PLACES))
    """Places of documents whose text came earlier with other labels, if ConflictingLabels is REFUSE."""
    excluded: array[int] = field(default_factory=lambda: array(PLACES))
    """Places of documents that people excluded."""
    conflicts: int = 0
    """Documents whose text came earlier with other labels, used or not."""
    leaked: int = 0
    """Documents whose text the other split has."""
    duplicates: int = 0
    """Documents that are in a dataset or in an older waiting part."""
    accepted_before: int = 0
    """Duplicates that are in a dataset."""

    @property
    def documents(self) -> int:
        return self.stored.part.documents - len(self.dropped) - len(self.refused) - len(self.excluded)

    @property
    def all_accepted_before(self) -> bool:
        """Datasets have every document of the part, so it is not needed."""
        return self.accepted_before == self.stored.part.documents


@dataclass(frozen=True, kw_only=True)
class DistinctParts:
    """The oldest waiting parts, at least as many as fill a dataset."""

    parts: tuple[Distinct, ...]
    all_seen: bool
    """No other part waits."""
    examples: tuple[LabelConflict, ...] = ()

    @property
    def conflicts(self) -> int:
        return sum(part.conflicts for part in self.parts)


Digests = Callable[[StoredPart], tuple["array[int]", Callable[[], "array[int]"]]]
"""Gives the digests of a part's texts, and a function that reads those of its labels, which are seldom needed."""


Combinations = Callable[[StoredPart], Iterable[tuple[int, str]]]
"""Gives the label digest and the label combination of each document of a part. Only parts with annotations need it,
where documents with the same entity types have different digests."""


def read_combinations(intake: IntakeBucket) -> Combinations:
    def read(stored: StoredPart) -> Iterator[tuple[int, str]]:
        key, delimiter = stored.location.combinations, stored.part.delimiter
        digests = intake.read_bytes_if_there(key) if key else None
        if digests is not None:
            names = {combination_digest(name): name for name in stored.part.labels}
            of_documents = (names.get(digest, UNKNOWN_LABELS) for digest in as_numbers(digests))
            yield from zip(read_labels(intake, stored), of_documents, strict=True)
            return
        for document in rewritten(intake, stored.location, delimiter, delimiter):
            yield document.label_digest, document.combination

    return read


def read_digests(intake: IntakeBucket) -> Digests:
    def read(stored: StoredPart) -> tuple[array[int], Callable[[], array[int]]]:
        return read_hashes(intake, stored.location.hashes), lambda: read_labels(intake, stored)

    return read


def find_distinct(
    waiting: Sequence[StoredPart],
    *,
    accepted: Callable[[], Iterable[StoredPart]],
    other: Callable[[], Iterable[StoredPart]],
    digests: Digests,
    combinations: Combinations,
    capacity: int,
    conflicting_labels: ConflictingLabels,
    excluded: frozenset[DocumentId] = frozenset(),
) -> DistinctParts:
    """The distinct documents of the first waiting parts, for a dataset of `capacity` documents.

    `accepted` gives the parts of the flywheel's datasets of this split, `other` those of the other split. Both are read
    once for every window of `capacity` waiting documents. What is excluded is taken as not there; but in a dataset of
    the other split it is there as long as the flywheel has that dataset.
    """
    refuse = conflicting_labels is ConflictingLabels.REFUSE
    seen = _Seen(refuse=refuse, combinations=combinations, excluded=excluded)
    found: list[Distinct] = []
    documents = looked_at = 0
    while looked_at < len(waiting) and documents <= capacity:
        window = _window(waiting, start=looked_at, capacity=capacity)
        looked_at += len(window)
        read = [digests(stored) for stored in window]
        all_new = seen.look_up([texts for texts, _ in read], accepted(), other(), digests)
        if all_new and looked_at == len(waiting):
            # The usual case: every document is new, and there is no later part to compare with these.
            found += [Distinct(stored=stored, labels=stored.part.labels) for stored in window]
            break
        for stored, (texts, labels) in zip(window, read, strict=True):
            found.append(seen.take(stored, texts, labels()))
            documents += found[-1].documents
    return DistinctParts(
        parts=tuple(found),
        all_seen=looked_at == len(waiting),
        examples=tuple(seen.examples()),
    )


def _window(waiting: Sequence[StoredPart], *, start: int, capacity: int) -> Sequence[StoredPart]:
    """The next parts: at least one, and several only if they have at most `capacity` documents together."""
    documents, end = 0, start
    while end < len(waiting) and (end == start or documents + waiting[end].part.documents <= capacity):
        documents += waiting[end].part.documents
        end += 1
    return waiting[start:end]


@dataclass(frozen=True, eq=False)
class Origin:
    """Where a text came from, and with which labels. Many documents share one."""

    # The digest of the labels.

    labels: int
    stored: StoredPart


class _Seen:
    """The texts that have been read so far, with the labels they first had."""

    def __init__(self, *, refuse: bool, combinations: Combinations, excluded: frozenset[DocumentId]) -> None:
        self._refuse = refuse
        self._excluded = excluded
        self._excluded_texts = {text for text, _ in excluded}
        self._combinations = combinations
        self._first: dict[int, Origin] = {}
        self._leaked: dict[int, Origin] = {}
        # Documents as text digest XOR labels digest: those of datasets, and those whose text first had other
        # labels, with the first part that has them.
        self._accepted: set[int] = set()
        self._further: dict[int, StoredPart] = {}
        self._pairs: dict[tuple[int, str, int, str], tuple[Origin, Origin]] = {}

    def look_up(
        self,
        window: Sequence[array[int]],
        accepted: Iterable[StoredPart],
        other: Iterable[StoredPart],
        digests: Digests,
    ) -> bool:
        """Find the texts of the window that datasets have. True if all texts are new and different."""
        texts: set[int] = set()
        for part in window:
            texts.update(part)
        all_new = len(texts) == sum(map(len, window)) and texts.isdisjoint(self._first)
        all_new = all_new and texts.isdisjoint(self._excluded_texts)
        for text, origin in hits(texts, accepted, digests):
            all_new = False
            if (text, origin.labels) in self._excluded:
                continue
            self._accepted.add(text ^ origin.labels)
            if self._first.setdefault(text, origin).labels != origin.labels:
                self._further[text ^ origin.labels] = origin.stored
        for text, origin in hits(texts, other, digests):
            all_new = False
            if origin.stored.accepted_in is None or (text, origin.labels) not in self._excluded:
                self._leaked[text] = origin
        return all_new

    def take(self, stored: StoredPart, texts: array[int], labels: array[int]) -> Distinct:
        result = Distinct(stored=stored, labels={})
        origins = {label: Origin(label, stored) for label in set(labels)}
        for place, (text, label) in enumerate(zip(texts, labels, strict=True)):
            if self._excluded and (text, label) in self._excluded:
                result.excluded.append(place)
            else:
                self._compare(text, origins[label], place, result)
        left_out = [*result.dropped, *result.refused, *result.excluded]
        result.labels = self._count(stored, labels, left_out) if left_out else stored.part.labels
        return result

    def _count(self, stored: StoredPart, labels: array[int], left_out: Iterable[int]) -> dict[str, int]:
        """The part's documents by label combination, without those at the places in `left_out`."""
        if stored.part.form is DocumentForm.CSV:
            by_digest = Counter(labels[place] for place in left_out)
            fewer = {combination: by_digest[label_digest(combination)] for combination in stored.part.labels}
        else:
            combinations = [combination for _, combination in self._combinations(stored)]
            fewer = Counter(combinations[place] for place in left_out)
        left = {key: documents - fewer.get(key, 0) for key, documents in stored.part.labels.items()}
        return {combination: documents for combination, documents in left.items() if documents > 0}

    def _compare(self, text: int, origin: Origin, place: int, result: Distinct) -> None:
        leaked = self._leaked.get(text)
        if leaked is not None:
            result.leaked += 1
            result.dropped.append(place)
            if leaked.labels != origin.labels:
                self._conflict(leaked, origin, result)
            return
        first = self._first.get(text)
        if first is None:
            self._first[text] = origin
            return
        document = text ^ origin.labels
        before = first.stored if first.labels == origin.labels else self._further.get(document)
        if before is origin.stored:
            # A part has a document several times if RepeatedDocuments was KEEP when the upload was prepared.
            return
        if before is not None:
            result.duplicates += 1
            result.accepted_before += document in self._accepted
            result.dropped.append(place)
            return
        self._conflict(first, origin, result)
        if self._refuse:
            result.refused.append(place)
        else:
            self._further[document] = origin.stored

    def _conflict(self, first: Origin, origin: Origin, result: Distinct) -> None:
        result.conflicts += 1
        if len(self._pairs) < EXAMPLES:
            pair = first.labels, first.stored.source, origin.labels, origin.stored.source
            self._pairs.setdefault(pair, (first, origin))

    def examples(self) -> Iterator[LabelConflict]:
        """Each pair of labels and sources once."""
        for first, origin in self._pairs.values():
            yield LabelConflict(
                labels=self._labels_of(first),
                source=first.stored.source,
                other_labels=self._labels_of(origin),
                other_source=origin.stored.source,
            )

    def _labels_of(self, origin: Origin) -> tuple[str, ...]:
        stored = origin.stored
        if stored.part.form is DocumentForm.CSV:
            known: Iterable[tuple[int, str]] = ((label_digest(name), name) for name in stored.part.labels)
        else:
            known = self._combinations(stored)
        return labels_of(next((name for digest, name in known if digest == origin.labels), UNKNOWN_LABELS))


def hits(texts: set[int], parts: Iterable[StoredPart], digests: Digests) -> Iterator[tuple[int, Origin]]:
    """The documents of the parts that have one of the texts. Labels are read only of parts that have any."""
    for stored in parts if texts else ():
        found, labels = digests(stored)
        there = texts.intersection(found)
        if not there:
            continue
        origins: dict[int, Origin] = {}
        for text, label in zip(found, labels(), strict=True):
            if text in there:
                yield text, origins.setdefault(label, Origin(label, stored))


def read_labels(intake: IntakeBucket, stored: StoredPart) -> array[int]:
    """The digests of a part's labels. If an earlier version of the pipeline wrote the part, they are computed from its
    documents."""
    content = intake.read_bytes_if_there(stored.location.labels)
    if content is not None:
        return as_numbers(content)
    return array("Q", label_digests(intake, stored.location, stored.part.delimiter))
