"""Reads hostile shapes of CSV and JSON Lines: each is a small piece repeated to 200 MB.

    python -m benchmarks.hostile_uploads [MEGABYTES]

A file of it has to be read at 20 MB/s, or the reading has to end early, when it is plain that the file cannot be
accepted.
"""

from __future__ import annotations

import gzip
import multiprocessing
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import describe_machine
from flywheel.preparation import LabelRules, Limits, prepare

LABELS = ("BUSINESS", "SCI_TECH", "SPORTS", "WORLD")
MEGABYTE, MEBIBYTE = 1_000_000, 1 << 20


def hostile_shapes() -> dict[str, bytes]:
    """Made when they are asked for: some are megabytes, which would count as the programs' memory."""
    return {
        "newlines": b"\n",
        "CRLF newlines": b"\r\n",
        "carriage returns": b"\r",
        "spaces": b" ",
        "unknown labels": b"X,y\n",
        "commas": b",",
        "lines of a comma": b",\n",
        "quotes": b'"',
        "lines of a quote": b'"\n',
        "quoted columns": b'"a",',
        "open quotes": b'SPORTS,"x\n',
        "an open quote and rows": b'SPORTS,"x\n' + b"WORLD,y\n" * 500,
        "texts of two lines": b'SPORTS,"a\nb"\n',
        "texts of blank lines": b'SPORTS,"a' + b"\n" * 20_000 + b'"\n',
        "duplicates": b"SPORTS,x\n",
        "duplicates, one not UTF-8": b"SPORTS,x\n" * 10_000 + b"SPORTS,\xff\n",
        "duplicates with a lone CR": b"SPORTS,x\n" * 10_000 + b"SPORTS,x\ry\n",
        "rows between blank lines": b"SPORTS,x\n" + b"\n" * 30_000,
        "not UTF-8": b"SPORTS,\xff\n",
        "NUL": b"\0",
        "NUL in each text": b"SPORTS,some text\0\n",
        "JSON objects": b"{}\n",
        "JSON duplicates": b'{"label":"SPORTS","text":"x"}\n',
        "JSON of many values": b'{"label":"SPORTS","text":"x","more":[' + b"[]," * 3_000_000 + b"1]}\n",
        "one JSON line": b'{"label":"SPORTS","text":"' + b"x" * 9_000_000,
        "one line": b"x",
        "gzip of newlines": gzip.compress(b"\n" * MEBIBYTE),
        "gzip of nothing": gzip.compress(b""),
    }


class Repeated:
    """A file of one piece again and again, which is made while it is read."""

    def __init__(self, piece: bytes, size: int) -> None:
        self._piece = piece * max(1, MEBIBYTE // len(piece))
        self._size = size
        self._rest = b""
        self.read_so_far = 0

    def read(self, size: int = -1) -> bytes:
        self._rest = self._rest or self._piece
        wanted = min(size, self._size - self.read_so_far)
        found, self._rest = self._rest[:wanted], self._rest[wanted:]
        self.read_so_far += len(found)
        return found


def run_hostile(name: str, megabytes: int) -> dict[str, Any]:
    """Runs in a process of its own, whose peak memory is the shape's."""
    source: Any = Repeated(hostile_shapes()[name], megabytes * MEGABYTE)
    start, cpu_start = time.perf_counter(), time.process_time()
    with Path(os.devnull).open("wb") as nowhere:
        preparation = prepare(
            source=source,
            sink=nowhere,
            hashes=nowhere,
            rules=LabelRules(labels=LABELS, multi_label=False),
            limits=Limits(),
            name=name,
            bad_lines=nowhere,
        )
    return {
        "shape": name,
        "megabytes_read": source.read_so_far / MEGABYTE,
        "early_end": source.read_so_far < megabytes * MEGABYTE,
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - cpu_start,
        "peak_mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        * (1 if sys.platform == "darwin" else 1024)
        / MEBIBYTE,
        "outcome": preparation.file_problem.rule if preparation.file_problem else "accepted",
    }


def measure(name: str, megabytes: int) -> None:
    result = run_hostile(name, megabytes)
    read, seconds = result["megabytes_read"], result["cpu_seconds"]
    print(
        f"{name:27} {read:7.1f} MB in {seconds:5.1f} s of processor, {read / seconds:7.1f} MB/s"
        f" {'(early end) ' if result['early_end'] else ' ' * 12} {result['peak_mebibytes']:5.0f} MiB "
        f"{result['outcome']}",
        flush=True,
    )


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(describe_machine())
    for name in hostile_shapes():
        # In a process of its own: the most memory that a process had is never less than before.
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(name, megabytes))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
