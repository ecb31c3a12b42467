"""Which waiting documents count: each text with its labels once, none that a dataset has already, and none that stands
in the other split, which would make a model look better than it is.

Documents are the same if 64 bits of digest over their text and 64 over their labels are. Of what waits as much is held
in memory as one dataset may have; the digests of all datasets pass by, part by part: there may be fifty of a million.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flywheel.datasets.part_rows import combination_of, part_documents
from flywheel.datasets.stored_parts import StoredPart
from flywheel.preparation import ConflictingLabels
from flywheel.records.datasets import LabelConflict, labels_of
from flywheel.records.parts import PLACES, as_numbers, label_digest, read_hashes

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket

_EXAMPLES = 20
UNKNOWN_LABELS = "?"


@dataclass(kw_only=True)
class Distinct:
    """What is left of one part: `labels` counts it. The rest are places of documents, ascending."""

    stored: StoredPart
    labels: dict[str, int]
    dropped: array[int] = field(default_factory=lambda: array(PLACES))
    """Leaked ones and duplicates."""
    refused: array[int] = field(default_factory=lambda: array(PLACES))
    """Their text came before with other labels, and ConflictingLabels is REFUSE."""
    leaked: int = 0
    """Their text stands in the other split."""
    duplicates: int = 0
    """They are in a dataset, or in an older waiting part, or twice in this one."""
    accepted_before: int = 0
    """Those of the duplicates that are in a dataset."""

    @property
    def documents(self) -> int:
        return self.stored.part.documents - len(self.dropped) - len(self.refused)

    @property
    def all_accepted_before(self) -> bool:
        """Nothing of the part is needed: a dataset has every document of it."""
        return self.accepted_before == self.stored.part.documents


@dataclass(frozen=True, kw_only=True)
class Found:
    """`parts` are the oldest, at least as many as fill a dataset; `all_seen` if no other waits."""

    parts: tuple[Distinct, ...]
    all_seen: bool
    conflicts: int = 0
    """Documents whose text came before with other labels, kept or not."""
    examples: tuple[LabelConflict, ...] = ()


Digests = Callable[[StoredPart], tuple["array[int]", Callable[[], "array[int]"]]]
"""The digests of a part's texts, and what reads those of its labels, which seldom are needed."""


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
    capacity: int,
    conflicting_labels: ConflictingLabels,
) -> Found:
    """What a dataset of `capacity` documents could be made of, oldest part first.

    `accepted` are the parts of the datasets that the documents would be added to, `other` those of the other split.
    Both are gone through once for every `capacity` of waiting documents that is looked at.
    """
    seen = _Seen(refuse=conflicting_labels is ConflictingLabels.REFUSE)
    found: list[Distinct] = []
    kept = looked_at = 0
    while looked_at < len(waiting) and kept <= capacity:
        window = _window(waiting, start=looked_at, capacity=capacity)
        looked_at += len(window)
        read = [digests(stored) for stored in window]
        clean = seen.begin([texts for texts, _ in read], accepted(), other(), digests)
        if clean and looked_at == len(waiting):
            # The usual case: every document is new, and no later part has to be compared with these.
            found += [Distinct(stored=stored, labels=stored.part.labels) for stored in window]
            break
        for stored, (texts, labels) in zip(window, read, strict=True):
            found.append(seen.take(stored, texts, labels()))
            kept += found[-1].documents
    return Found(
        parts=tuple(found),
        all_seen=looked_at == len(waiting),
        conflicts=seen.conflicts,
        examples=tuple(seen.examples()),
    )


def _window(waiting: Sequence[StoredPart], *, start: int, capacity: int) -> Sequence[StoredPart]:
    """At least one part, and no more than `capacity` documents if there are several."""
    documents, end = 0, start
    while end < len(waiting) and (end == start or documents + waiting[end].part.documents <= capacity):
        documents += waiting[end].part.documents
        end += 1
    return waiting[start:end]


@dataclass(frozen=True, eq=False)
class _Origin:
    """The digest of the labels with which a text came first, and from where. One for many documents."""

    labels: int
    stored: StoredPart


class _Seen:
    """Texts met so far, with the labels they first came with."""

    def __init__(self, *, refuse: bool) -> None:
        self._refuse = refuse
        self._first: dict[int, _Origin] = {}
        self._leaked: dict[int, _Origin] = {}
        # Documents by text digest XOR labels digest: those of datasets, and those whose text first had other labels.
        self._accepted: set[int] = set()
        self._further: set[int] = set()
        self._pairs: dict[tuple[int, str, int, str], tuple[_Origin, _Origin]] = {}
        self.conflicts = 0

    def begin(
        self,
        window: Sequence[array[int]],
        accepted: Iterable[StoredPart],
        other: Iterable[StoredPart],
        digests: Digests,
    ) -> bool:
        """Find which texts of the window the datasets have. True: none, nor any other part so far, and none twice."""
        texts: set[int] = set()
        for part in window:
            texts.update(part)
        clean = len(texts) == sum(map(len, window)) and texts.isdisjoint(self._first)
        for text, origin in _hits(texts, accepted, digests):
            clean = False
            self._accepted.add(text ^ origin.labels)
            if self._first.setdefault(text, origin).labels != origin.labels:
                self._further.add(text ^ origin.labels)
        for text, origin in _hits(texts, other, digests):
            clean = False
            self._leaked[text] = origin
        return clean

    def take(self, stored: StoredPart, texts: array[int], labels: array[int]) -> Distinct:
        result = Distinct(stored=stored, labels={})
        origins = {label: _Origin(label, stored) for label in set(labels)}
        for place, (text, label) in enumerate(zip(texts, labels, strict=True)):
            self._look(text, origins[label], place, result)
        gone = [*result.dropped, *result.refused]
        result.labels = _count(stored, labels, gone) if gone else stored.part.labels
        return result

    def _look(self, text: int, origin: _Origin, place: int, result: Distinct) -> None:
        leaked = self._leaked.get(text)
        if leaked is not None:
            result.leaked += 1
            result.dropped.append(place)
            if leaked.labels != origin.labels:
                self._conflict(leaked, origin)
            return
        first = self._first.get(text)
        if first is None:
            self._first[text] = origin
            return
        document = text ^ origin.labels
        if first.labels == origin.labels or document in self._further:
            result.duplicates += 1
            result.accepted_before += document in self._accepted
            result.dropped.append(place)
            return
        self._conflict(first, origin)
        if self._refuse:
            result.refused.append(place)
        else:
            self._further.add(document)

    def _conflict(self, first: _Origin, origin: _Origin) -> None:
        self.conflicts += 1
        if len(self._pairs) < _EXAMPLES:
            pair = first.labels, first.stored.source, origin.labels, origin.stored.source
            self._pairs.setdefault(pair, (first, origin))

    def examples(self) -> Iterator[LabelConflict]:
        """Each pair of labels and sources once."""
        for first, origin in self._pairs.values():
            yield LabelConflict(
                labels=_labels_of(first),
                source=first.stored.source,
                other_labels=_labels_of(origin),
                other_source=origin.stored.source,
            )


def _labels_of(origin: _Origin) -> tuple[str, ...]:
    names = (name for name in origin.stored.part.labels if label_digest(name) == origin.labels)
    return labels_of(next(names, UNKNOWN_LABELS))


def _hits(texts: set[int], parts: Iterable[StoredPart], digests: Digests) -> Iterator[tuple[int, _Origin]]:
    """Documents of the parts that have one of the texts; the labels of a part are read only if it has any."""
    for stored in parts if texts else ():
        found, labels = digests(stored)
        hits = texts.intersection(found)
        if not hits:
            continue
        origins: dict[int, _Origin] = {}
        for text, label in zip(found, labels(), strict=True):
            if text in hits:
                yield text, origins.setdefault(label, _Origin(label, stored))


def _count(stored: StoredPart, labels: array[int], gone: Iterable[int]) -> dict[str, int]:
    """The part's documents by label combination without those at the places, in the part's order of combinations."""
    taken = Counter(labels[place] for place in gone)
    left = {
        combination: documents - taken[label_digest(combination)]
        for combination, documents in stored.part.labels.items()
    }
    return {combination: documents for combination, documents in left.items() if documents > 0}


def read_labels(intake: IntakeBucket, stored: StoredPart) -> array[int]:
    """The digests of the labels of a part's documents; of a part of an earlier version they are made of its rows."""
    content = intake.read_bytes_if_there(stored.location.labels)
    if content is not None:
        return as_numbers(content)
    made: dict[str, int] = {}
    digests: array[int] = array("Q")
    for row, _ in part_documents(intake, stored.location):
        combination = combination_of(row[0], stored.part.delimiter)
        if combination not in made:
            made[combination] = label_digest(combination)
        digests.append(made[combination])
    return digests
