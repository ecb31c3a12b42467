"""The files that are uploaded, and what of each line should become: drawn with them, before anything runs."""

from __future__ import annotations

import csv
import io
import json
import random
from dataclasses import dataclass, field
from enum import StrEnum

_WORDS = ("river", "copper", "violin", "harbour", "orchard", "lantern", "marble", "saddle", "thunder", "velvet")
_FURTHER = "and whatever else is to be said of it stands in the other copy of this letter, which nobody has found yet"


class Fate(StrEnum):
    VALID = "valid"
    REJECTED = "rejected"
    """A line that cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """`labels` are sorted; of a recognizer the types of its entities, in the order of the text."""

    text: str
    labels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class File:
    """`documents` are the valid ones, `bad_lines` how many there are besides."""

    split: str
    name: str
    content: bytes
    documents: tuple[Document, ...]
    bad_lines: int = 0

    @property
    def key(self) -> str:
        return f"{self.split}/{self.name}"


@dataclass(kw_only=True)
class Author:
    """Writes files for one schedule. Texts are told apart by a number, so that each can be followed."""

    random: random.Random
    kind: str
    """MULTI_CLASS, MULTI_LABEL or ENTITIES."""
    labels: tuple[str, ...]
    written: list[Document] = field(default_factory=list)
    tested: list[Document] = field(default_factory=list)
    count: int = 0

    def file(self, split: str, name: str, *, per_label: int, bad: int = 0, repeat: int = 0, leak: int = 0) -> File:
        """`repeat` documents stand in an earlier file, too, `leak` ones of a training file in the test data."""
        draw = self.random
        documents = [self._new(split, label) for label in self.labels for _ in range(per_label)]
        documents += [draw.choice(self.written) for _ in range(repeat if self.written else 0)]
        documents += [draw.choice(self.tested) for _ in range(leak if self.tested and split == "train" else 0)]
        draw.shuffle(documents)
        (self.tested if split == "test" else self.written).extend(documents)
        lines = [self._line(document) for document in documents]
        for _ in range(bad):
            lines.insert(draw.randrange(len(lines) + 1), self._bad_line())
        ending = "jsonl" if self.kind == "ENTITIES" else "csv"
        content = "".join(lines).encode()
        # A file may have a document twice; it is one all the same.
        unique = tuple(dict.fromkeys(documents))
        return File(split=split, name=f"{name}.{ending}", content=content, documents=unique, bad_lines=bad)

    def _new(self, split: str, label: str) -> Document:
        self.count += 1
        labels = {label}
        if self.kind == "MULTI_LABEL" and self.random.random() < 0.3:
            labels.add(self.random.choice(self.labels))
        named = tuple(sorted(labels))
        word, other = self.random.choice(_WORDS), self.random.choice(_WORDS)
        about = " ".join(f"{each}_{word}" if self.kind == "ENTITIES" else f"about:{each}" for each in named)
        text = f"{split} {self.count:06d} says {about} of the {word} and the {other} {_FURTHER} {self.count:06d}"
        return Document(text=text, labels=named)

    def _line(self, document: Document) -> str:
        if self.kind == "ENTITIES":
            entities = []
            for label in document.labels:
                begin = document.text.index(f"{label}_")
                end = document.text.index(" ", begin)
                entities.append({"begin": begin, "end": end, "type": label})
            return json.dumps({"text": document.text, "entities": entities}) + "\n"
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(["|".join(document.labels), document.text])
        return line.getvalue()

    def _bad_line(self) -> str:
        self.count += 1
        if self.kind == "ENTITIES":
            return (
                json.dumps({"text": f"bad {self.count}", "entities": [{"begin": 5, "end": 99, "type": "NOBODY"}]})
                + "\n"
            )
        return self.random.choice((f"NOBODY_{self.count},an unknown label {self.count}\n", f"{self.labels[0]},\n"))
