"""Measures reading uploads for recognizers: each form of the same documents, beside reading the files alone.

    python -m benchmarks.prepare_entities [MEGABYTES]

200 megabytes (the default is a tenth) are 200,000 documents, Comprehend's limit of a dataset for both.
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
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.machine import describe_machine
from flywheel.preparation import SourceFile
from flywheel.preparation.entities import EntityLimits, EntityRules, Span, prepare_entities, to_line

TYPES = ("PER", "LOC", "ORG")
WORDS, NAMES = 20_000, 500
LETTERS = "abcdefghijklmnopqrstuvwxyzé"
MEGABYTE = 1_000_000
DOCUMENTS_OF_A_MEGABYTE = 1_000
BLOCK = 1 << 17
FORMS = {
    "JSON Lines": ("documents.jsonl",),
    "manifest": ("documents.manifest",),
    "CoNLL": ("documents.conll",),
    "annotations": ("documents.txt", "annotations.csv"),
    "in any order": ("documents.txt", "mixed.csv"),
    "entity list": ("documents.txt", "list.csv"),
}
"""The files of each form. Annotations in any order have a column with the entities' own texts, too."""

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
        run_apart(generate, Path(folder), megabytes)
        for form, names in FORMS.items():
            run_apart(measure, form, [Path(folder) / name for name in names])


def run_apart(step: Callable[..., None], *arguments: object) -> None:
    """In a process of its own: the most memory that a process had is never less than before."""
    process = multiprocessing.get_context("spawn").Process(target=step, args=arguments)
    process.start()
    process.join()


def documents(words: Sequence[str], names: Sequence[str]) -> Iterator[Document]:
    """Of about 100 words and four entities each, no two alike."""
    chance = random.Random(2)
    number = 0
    while True:
        number += 1
        tokens = [*(chance.choice(words) for _ in range(chance.randint(30, 170))), str(number)]
        tags = ["O"] * len(tokens)
        for place in chance.sample(range(len(tokens) - 1), chance.randint(0, 8)):
            tokens[place], tags[place] = chance.choice(names), "B-" + chance.choice(TYPES)
        yield tokens, tags


def spans(document: Document) -> list[Span]:
    found, position = [], 0
    for token, tag in zip(*document, strict=True):
        if tag != "O":
            found.append(Span(position, position + len(token), tag[2:]))
        position += len(token) + 1
    return found


def generate(folder: Path, megabytes: int) -> None:
    """All files of all forms, of the same documents: as many as are so many megabytes when they are prepared."""
    chance = random.Random(1)
    words = ["".join(chance.choices(LETTERS, k=chance.randint(2, 10))) for _ in range(WORDS)]
    names = [word.capitalize() for word in words[:NAMES]]
    forms = ("JSON Lines", "manifest", "CoNLL", "annotations")
    files = [(form, [(folder / name).open("w", encoding="utf-8") for name in FORMS[form]]) for form in forms]
    mixed: list[str] = []
    written = 0
    for line, document in enumerate(documents(words, names)):
        text, found = " ".join(document[0]), spans(document)
        written += len(to_line(text, found).encode())
        if line == megabytes * DOCUMENTS_OF_A_MEGABYTE or written > megabytes * MEGABYTE:
            break
        for form, opened in files:
            for file, content in zip(opened, texts(form, document, line), strict=True):
                file.write(content)
        mixed += [
            f"documents.txt,{line},{one.begin},{one.end},{one.type},{text[one.begin : one.end]}\n" for one in found
        ]
    for _, opened in files:
        for file in opened:
            file.close()
    chance.shuffle(mixed)
    header = "File,Line,Begin Offset,End Offset,Type,Text\n"
    (folder / "mixed.csv").write_text(header + "".join(mixed), encoding="utf-8")
    listed = "".join(f"{name},PER\n" for name in names)
    (folder / "list.csv").write_text("Text,Type\n" + listed, encoding="utf-8")


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
        limits=EntityLimits(),
        name=form,
        bad_lines=None,
    )
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert preparation.accepted, preparation.file_problem
    annotations = sum((preparation.annotations or {}).values())
    print(
        f"{form:<12} {size / MEGABYTE:6.1f} MB, {preparation.documents:,} documents, {annotations:,} annotations: "
        f"{seconds:.1f} s of processor, {size / MEGABYTE / seconds:.1f} MB/s (alone {size / MEGABYTE / alone:,.0f}); "
        f"{peak:.0f} MiB, {before:.0f} before",
        flush=True,
    )


if __name__ == "__main__":
    main()
