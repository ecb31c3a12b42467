"""Measures preparing an upload as large as a classifier's dataset may be: processor time, memory and disk.

    python -m benchmarks.largest_uploads [MEGABYTES [FORM...]]

5,000 megabytes (the default is a tenth) are a million documents, Comprehend's limit for both. Each form is read in a
process of its own, and once more at a tenth of the size, which shows whether memory grows. With 1,769 MB of memory a
function has one processor for 900 seconds.
"""

from __future__ import annotations

import gzip
import json
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from benchmarks.machine import describe_machine
from flywheel.preparation import LabelRules, Limits, prepare

MEGABYTE, MEBIBYTE = 1_000_000, 1 << 20
DOCUMENT_BYTES = 4_850
DOCUMENTS_OF_A_BLOCK = 1_000
LABELS = tuple(f"LABEL {number}" for number in range(100))
MARK = b"@@@@@@@@"
"""Becomes the number of the block, so that no two documents are equal."""

Line = Callable[[random.Random, str], str]


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    forms = sys.argv[2:] or list(FORMS)
    print(describe_machine())
    for size in (megabytes // 10, megabytes):
        for form in forms:
            with tempfile.TemporaryDirectory() as folder:
                steps = (pack, measure) if "gzip" in form else (measure,)
                for step in steps:
                    # In a process of its own: the most memory that a process had is never less than before.
                    process = multiprocessing.get_context("spawn").Process(
                        target=step, args=(form, Path(folder), size * MEGABYTE)
                    )
                    process.start()
                    process.join()


def labels_of(chance: random.Random, most: int) -> list[str]:
    return chance.sample(LABELS, chance.randint(1, most))


def csv_line(chance: random.Random, text: str) -> str:
    return f'{chance.choice(LABELS)},"{text.replace(chr(34), chr(34) * 2)}"\n'


def csv_line_of_one_of_few(chance: random.Random, text: str) -> str:
    """Ten labels have 1,013 combinations with up to ten labels each."""
    labels = "|".join(chance.sample(LABELS[:10], chance.randint(1, 10)))
    return f'{labels},"{text.replace(chr(34), chr(34) * 2)}"\n'


def csv_line_of_many(chance: random.Random, text: str) -> str:
    """A combination that hardly any other document has."""
    return f'{"|".join(labels_of(chance, 10))},"{text.replace(chr(34), chr(34) * 2)}"\n'


def json_line(chance: random.Random, text: str) -> str:
    return json.dumps({"label": chance.choice(LABELS), "text": text}, ensure_ascii=False) + "\n"


FORMS: dict[str, tuple[Line, bool]] = {
    "CSV": (csv_line, False),
    "CSV, gzip": (csv_line, False),
    "JSON Lines": (json_line, False),
    "multi-label": (csv_line_of_one_of_few, True),
    "combinations": (csv_line_of_many, True),
}
"""How a line is written, and whether a document may have several labels."""


def blocks(form: str, size: int) -> Iterator[bytes]:
    """Lines of at most so many bytes. But for "combinations", the labels of the first block come again and again."""
    line = FORMS[form][0]
    chance = random.Random(3)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(20_000)]
    words += ["naïve", '"so"', "well,", "end."] * 200
    texts = []
    for number in range(DOCUMENTS_OF_A_BLOCK):
        text = f"{MARK.decode()} {number} " + " ".join(chance.choices(words, k=DOCUMENT_BYTES // 5))
        texts.append(text[:DOCUMENT_BYTES].strip() + ".")
    block = b""
    for number in range(size // (DOCUMENTS_OF_A_BLOCK * (DOCUMENT_BYTES + 150))):
        if not block or form == "combinations":
            block = "".join(line(chance, text) for text in texts).encode()
        yield block.replace(MARK, b"%08d" % number)


class Stream:
    """The blocks as a file, made while it is read: that is a hundredth of the time."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = memoryview(b"")
        self.bytes_read = 0

    def read(self, size: int) -> bytes:
        self._piece = self._piece or memoryview(next(self._pieces, b""))
        found, self._piece = bytes(self._piece[:size]), self._piece[size:]
        self.bytes_read += len(found)
        return found


def pack(form: str, folder: Path, size: int) -> None:
    with gzip.open(folder / "packed", "wb", compresslevel=1) as packed:
        for block in blocks(form, size):
            packed.write(block)


def measure(form: str, folder: Path, size: int) -> None:
    names = ("documents", "hashes.bin", "labels.bin", "bad-lines")
    packed = folder / "packed"
    source = Stream(iter(partial(packed.open("rb").read, MEBIBYTE), b"") if packed.exists() else blocks(form, size))
    sinks = [(folder / name).open("wb") for name in names]
    before = time.process_time()
    found = prepare(
        source=cast("BinaryIO", source),
        sink=sinks[0],
        hashes=sinks[1],
        label_hashes=sinks[2],
        bad_lines=sinks[3],
        rules=LabelRules(LABELS, multi_label=FORMS[form][1]),
        limits=Limits(),
        name=form,
    )
    for sink in sinks:
        sink.close()
    seconds = time.process_time() - before
    assert found.accepted, found.file_problem
    disk = sum((folder / name).stat().st_size for name in names) / MEGABYTE
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEBIBYTE
    print(
        f"{form:<13} {source.bytes_read / MEGABYTE:7,.0f} MB, {found.documents:9,} documents, {len(found.labels):7,} "
        f"combinations of labels: {seconds:6.1f} s of processor, {peak:5.0f} MiB, {disk:7,.0f} MB of disk",
        flush=True,
    )


if __name__ == "__main__":
    main()
