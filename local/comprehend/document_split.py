"""The documents held out for testing when there are no TEST data: one in ten (developer guide, "Testing the model"),
stratified, and the same ones whatever order the data arrived in."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar


class Labelled(Protocol):
    """A document, ordered by its contents."""

    def __lt__(self, other: Any, /) -> bool: ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Its labels, or the types of its entities; none is a stratum of its own."""

    @property
    def identity(self) -> str:
        """Text that is another one for another document."""


Document = TypeVar("Document", bound=Labelled)


def held_out(documents: Sequence[Document]) -> tuple[list[Document], list[Document]]:
    """``(training documents, test documents)``.

    A document belongs to the stratum of the rarest of its labels. Within one, the tenth with the smallest digests is
    held out, at least one of two or more: a document once held out mostly stays so when more documents arrive, so that
    an earlier model has seldom been trained on what it is scored on.
    """
    frequency = Counter(label for document in documents for label in document.labels)
    strata: dict[str | None, list[Document]] = defaultdict(list)
    for document in documents:
        strata[min(document.labels, key=lambda label: (frequency[label], label), default=None)].append(document)
    training: list[Document] = []
    testing: list[Document] = []
    for members in strata.values():
        members.sort(key=_digest)
        size = max(round(len(members) / 10), 1) if len(members) > 1 else 0
        testing += members[:size]
        training += members[size:]
    return sorted(training), sorted(testing)


def _digest(document: Document) -> tuple[bytes, Document]:
    return hashlib.sha256(document.identity.encode()).digest(), document
