"""Measures reading uploads for recognizers: each form of the same documents, beside reading the files alone.

python -m benchmarks.prepare_entities [MEGABYTES]
"""

from __future__ import annotations

import io
import json
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.machine import describe_machine
from flywheel.preparation import SourceFile
from flywheel.preparation.entities import EntityLimits, EntityRules, Span, prepare_entities, to_line

TYPES = ("PER", "LOC", "ORG")
WORDS, NAMES = 20_000, 500
LETTERS = "abcdefghijklmnopqrstuvwxyzé"
MEGABYTE = 1_000_000
BLOCK = 1 << 17

Document = tuple[list[str], list[str]]
"""Tokens and their tags in BIO; an entity has one token."""


class Nothing(io.BytesIO):
    """Takes what is written and keeps none of it."""

    def write(self, data: object, /) -> int:
        return len(data) if isinstance(data, bytes) else 0


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(describe_machine())
    with tempfile.TemporaryDirectory() as folder:
        for form, paths in generate(Path(folder), megabytes * MEGABYTE).items():
            # In a process of its own: the most memory that a process had is never less than before.
            process = multiprocessing.Process(target=measure, args=(form, paths))
            process.start()
            process.join()


def documents(words: Sequence[str], names: Sequence[str]) -> Iterator[Document]:
    """Of about 24 words each, with an entity in most, no two alike."""
    chance = random.Random(2)
    number = 0
    while True:
        number += 1
        tokens = [*(chance.choice(words) for _ in range(chance.randint(8, 40))), str(number)]
        tags = ["O"] * len(tokens)
        for place in chance.sample(range(len(tokens) - 1), chance.randint(0, 3)):
            tokens[place], tags[place] = chance.choice(names), "B-" + chance.choice(TYPES)
        yield tokens, tags


def spans(document: Document) -> list[Span]:
    found, position = [], 0
    for token, tag in zip(*document, strict=True):
        if tag != "O":
            found.append(Span(position, position + len(token), tag[2:]))
        position += len(token) + 1
    return found


def generate(folder: Path, size: int) -> dict[str, list[Path]]:
    """Files of at least so many bytes in each form; a folder's are its documents."""
    chance = random.Random(1)
    words = ["".join(chance.choices(LETTERS, k=chance.randint(2, 10))) for _ in range(WORDS)]
    names = [word.capitalize() for word in words[:NAMES]]
    files = {
        "JSON Lines": [folder / "documents.jsonl"],
        "manifest": [folder / "documents.manifest"],
        "CoNLL": [folder / "documents.conll"],
        "annotations": [folder / "documents.txt", folder / "annotations.csv"],
    }
    for form, paths in files.items():
        opened = [path.open("w", encoding="utf-8") for path in paths]
        written = 0
        for line, document in enumerate(documents(words, names)):
            for file, text in zip(opened, texts(form, document, line), strict=True):
                written += file.write(text)
            if written > size:
                break
        for file in opened:
            file.close()
    entities = folder / "list.csv"
    entities.write_text("Text,Type\n" + "".join(f"{name},PER\n" for name in names), encoding="utf-8")
    return files | {"entity list": [folder / "documents.txt", entities]}


def texts(form: str, document: Document, line: int) -> list[str]:
    """What a document adds to each of a form's files."""
    text = " ".join(document[0])
    if form == "JSON Lines":
        entities = [{"begin": span.begin, "end": span.end, "type": span.type} for span in spans(document)]
        return [json.dumps({"text": text, "entities": entities}, ensure_ascii=False) + "\n"]
    if form == "manifest":
        return [to_line(text, spans(document))]
    if form == "CoNLL":
        return ["".join(f"{token}\t{tag}\n" for token, tag in zip(*document, strict=True)) + "\n"]
    header = "File,Line,Begin Offset,End Offset,Type\n" if line == 0 else ""
    rows = (f"documents.txt,{line},{span.begin},{span.end},{span.type}\n" for span in spans(document))
    return [text + "\n", header + "".join(rows)]


def measure(form: str, paths: Sequence[Path]) -> None:
    size = sum(path.stat().st_size for path in paths)
    started = time.process_time()
    for path in paths:
        with path.open("rb") as file:
            while file.read(BLOCK):
                pass
    alone = time.process_time() - started
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.process_time()
    preparation = prepare_entities(
        files=[SourceFile(path.name, path.stat().st_size, lambda path=path: path.open("rb")) for path in paths],  # type: ignore[misc]  # mypy does not know the type of such a lambda
        sink=Nothing(),
        hashes=Nothing(),
        label_hashes=Nothing(),
        rules=EntityRules(TYPES),
        limits=EntityLimits(documents=10_000_000, rows=20_000_000, file_bytes=10**12),
        name=form,
        bad_lines=None,
    )
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert preparation.accepted
    annotations = sum((preparation.annotations or {}).values())
    print(
        f"{form:<12} {size / MEGABYTE:6.1f} MB, {preparation.documents:,} documents, {annotations:,} annotations: "
        f"{size / MEGABYTE / seconds:.1f} MB/s, reading alone {size / MEGABYTE / alone:,.0f} MB/s; "
        f"{peak:.0f} MiB, {before:.0f} before",
        flush=True,
    )


if __name__ == "__main__":
    main()
