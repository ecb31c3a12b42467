"""Uploads for recognizers in memory, and what became of them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from flywheel.preparation import Preparation, SourceFile, text_hash
from flywheel.preparation.entities import (
    AnyType,
    EntityLimits,
    EntityRules,
    Span,
    annotations_hash,
    combination,
    from_line,
    prepare_entities,
    to_line,
)

RULES = EntityRules(("PER", "LOC", "Job title"))
GOOD = '{"text": "Ann met Bob", "entities": [{"begin": 0, "end": 3, "type": "PER"}]}\n'
Document = tuple[str, tuple[Span, ...]]


class _OnlyRead:
    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self._stream.read(size)


@dataclass(frozen=True)
class Outcome:
    preparation: Preparation
    documents: list[Document]
    bad: bytes

    @property
    def problems(self) -> list[tuple[int | None, str]]:
        return [(problem.line, problem.rule) for problem in self.preparation.examples]

    @property
    def remarks(self) -> list[tuple[int | None, str]]:
        return [(problem.line, problem.rule) for problem in self.preparation.remark_examples]


def source(name: str, data: bytes) -> SourceFile:
    return SourceFile(name=name, size=len(data), open=lambda: cast("BinaryIO", _OnlyRead(data)))


def prepared(
    files: bytes | str | Mapping[str, bytes | str],
    *,
    rules: EntityRules | AnyType = RULES,
    block_bytes: int = 1 << 16,
    **limits: Any,
) -> Outcome:
    """The outcome, after a look at all that was written."""
    if not isinstance(files, Mapping):
        files = {"file": files}
    sink, hashes, label_hashes, bad = io.BytesIO(), io.BytesIO(), io.BytesIO(), io.BytesIO()
    encoded = {name: data.encode() if isinstance(data, str) else data for name, data in files.items()}
    preparation = prepare_entities(
        files=[source(name, data) for name, data in encoded.items()],
        sink=sink,
        hashes=hashes,
        label_hashes=label_hashes,
        rules=rules,
        limits=EntityLimits(**{"maximum_bad_lines_percent": 100, **limits}),
        name="upload",
        bad_lines=bad,
        block_bytes=block_bytes,
    )
    lines = sink.getvalue().decode().split("\n")
    assert lines.pop() == ""
    documents = [from_line(line) for line in lines]
    assert [to_line(*document) for document in documents] == [line + "\n" for line in lines]
    assert hashes.getvalue() == b"".join(text_hash(text) for text, _ in documents)
    assert label_hashes.getvalue() == b"".join(annotations_hash(spans) for _, spans in documents)
    assert preparation.documents == len(documents)
    assert preparation.bytes == len(sink.getvalue())
    assert sum(preparation.labels.values()) == len(documents)
    assert set(preparation.labels) == {combination(spans) for _, spans in documents}
    return Outcome(preparation, documents, bad.getvalue())


def line_of(text: str, entities: Iterable[tuple[int, int, str]] = (), **more: object) -> str:
    listed = [{"begin": begin, "end": end, "type": name} for begin, end, name in entities]
    return json.dumps({"text": text, "entities": listed, **more}) + "\n"


def spans(*triples: tuple[int, int, str]) -> tuple[Span, ...]:
    return tuple(Span(*triple) for triple in triples)
