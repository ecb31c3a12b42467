"""Entity lists: where a document has an entry as whole words, and in its case, it has an entity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ..problems import Violation
from .annotations import Annotation
from .intake import Intake
from .rules import EMPTY_ENTRY, ENTRY_TOO_LARGE, FEW_MATCHES, TWO_TYPES, UNMATCHED_ENTRY
from .tables import Table
from .type_names import TypeNames
from .words import units
from .writer import Place


class _Entry(NamedTuple):
    type: str
    place: Place


class EntityList:
    """The entries of all lists of a folder, and which of them documents had."""

    def __init__(self, *, intake: Intake) -> None:
        self._intake = intake
        self._entries: dict[str, _Entry] = {}
        # First word of an entry -> the lengths of the entries that begin with it.
        self._lengths: dict[str, set[int]] = {}
        self._matched: set[str] = set()

    @property
    def full(self) -> bool:
        """Whether there are more entries than may be."""
        return len(self._entries) > self._intake.limits.list_entries

    def add(self, text: str, name: str, *, place: Place, raw: bytes) -> None:
        """An entry; one that stands twice with one type is one."""
        limit = self._intake.limits.list_entry_characters
        known = self._entries.get(text)
        violation = None
        if not text:
            violation = Violation(EMPTY_ENTRY)
        elif len(text) > limit:
            violation = Violation(ENTRY_TOO_LARGE, {"limit": limit})
        elif known is not None and known.type != name:
            facts = {"text": text, "type": name, "other": known.type, "place": str(known.place)}
            violation = Violation(TWO_TYPES, facts)
        if violation is not None:
            self._intake.refuse(violation, place=place, raw=raw)
        elif known is None and not self.full:
            self._entries[text] = _Entry(name, place)
            _, first = next(units(text))
            self._lengths.setdefault(first, set()).add(len(text))

    def annotations(self, text: str) -> list[Annotation]:
        """What of a document are entries: the longest first, none of which overlaps another."""
        found = list(units(text))
        ends = {begin + len(unit) for begin, unit in found}
        matches = [
            (begin, begin + length)
            for begin, unit in found
            for length in self._lengths.get(unit, ())
            if begin + length in ends and text[begin : begin + length] in self._entries
        ]
        matches.sort(key=lambda match: (match[0] - match[1], match[0]))
        taken = bytearray(len(text))
        annotations = []
        for begin, end in matches:
            if taken.find(1, begin, end) < 0:
                taken[begin:end] = b"\1" * (end - begin)
                entry = text[begin:end]
                self._matched.add(entry)
                annotations.append(Annotation(begin, end, self._entries[entry].type))
        return annotations

    def remarks(self, counts: Mapping[str, int]) -> Iterator[tuple[Violation, Place | None, bytes]]:
        """What to know when all documents are read, where, and of what; ``counts`` are their annotations by type."""
        wanted = self._intake.limits.list_matches
        for name in sorted({entry.type for entry in self._entries.values()}):
            if counts.get(name, 0) < wanted:
                facts = {"type": name, "count": counts.get(name, 0), "wanted": wanted}
                yield Violation(FEW_MATCHES, facts), None, b""
        for text, entry in self._entries.items():
            if text not in self._matched:
                yield Violation(UNMATCHED_ENTRY, {"text": text}), entry.place, text.encode()


class EntityTable:
    """Takes the rows of one file with an entity list."""

    def __init__(self, table: Table, *, name: str, entities: EntityList, intake: Intake, types: TypeNames) -> None:
        self._name = name
        self._entities = entities
        self._intake = intake
        self._types = types
        self._text, self._type = table.columns["text"], table.columns["type"]

    def take(self, cells: Sequence[str], line: int, raw: bytes) -> None:
        """Take a row; ``raw`` is the row as it stood."""
        name = self._types.of(cells[self._type])
        if isinstance(name, Violation):
            return self.refuse(name, line, raw)
        return self._entities.add(cells[self._text].strip(), name, place=Place(self._name, line), raw=raw)

    def refuse(self, violation: Violation, line: int, raw: bytes) -> None:
        """Take note of a row that is no entry."""
        self._intake.refuse(violation, place=Place(self._name, line), raw=raw)


class ListedDocuments:
    """Takes the lines of a file of documents, and finds the list's entities in them."""

    def __init__(self, entities: EntityList, *, file: str, intake: Intake) -> None:
        self._entities = entities
        self._file = file
        self._intake = intake

    def take(self, text: str, number: int, raw: bytes) -> None:
        """Take the document in line ``number``, counted from 0."""
        annotations: list[Annotation] = []
        if len(raw) <= self._intake.limits.document_bytes + len("\r\n"):
            annotations = self._entities.annotations(text)
        self._intake.take(text, annotations, place=Place(self._file, number + 1), raw=raw, counted=True)

    def drop(self, number: int) -> None:
        """Nothing is held for a document."""
