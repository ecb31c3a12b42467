"""Throughput and peak memory of upload preparation, against the csv module, pandas, Polars and DuckDB at the same work.

    python benchmarks/prepare_upload.py [--json PATH] [--quick]

The work: parse a CSV file, check each label, that the text is not empty and not too long, drop duplicates, count by
label, write what is left as CSV. Every program reads the same generated files, in a process of its own, and has to
come to the same counts. The others run from an environment in .local/benchmarks that is made when it is missing.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import random
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
FOLDER = PROJECT / ".local" / "benchmarks"
LABELS = ("BUSINESS", "SCI_TECH", "SPORTS", "WORLD")
DOCUMENT_BYTES = 10_000_000
MEGABYTE = 1_000_000
MEBIBYTE = 1 << 20

Counts = dict[str, int]
"""Documents by label."""


# --- the files -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """A generated CSV file: mostly good lines, one in 100 a duplicate, one in 1,000 bad."""

    megabytes: int
    document_bytes: int

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.megabytes}-mb-of-{self.document_bytes}-bytes.csv"

    def __str__(self) -> str:
        return f"{self.megabytes} MB of {self.document_bytes}-byte documents"


LARGE = Sample(megabytes=500, document_bytes=600)
SMALL_DOCUMENTS = Sample(megabytes=200, document_bytes=256)
# With LARGE they show what memory does when the file grows.
GROWING = (Sample(megabytes=20, document_bytes=600), Sample(megabytes=100, document_bytes=600))


def generate(sample: Sample) -> None:
    """Write the file a few documents at a time. The same sample is the same bytes on every machine."""
    chance = random.Random(f"{sample.megabytes}/{sample.document_bytes}")
    phrases = [_phrase(chance) for _ in range(5000)]
    partial = sample.path.with_suffix(".partial")
    written = 0
    lines = [""]
    with partial.open("w", encoding="utf-8", newline="") as file:
        while written < sample.megabytes * MEGABYTE:
            lines = [_line(chance, phrases, sample.document_bytes, lines) for _ in range(1000)]
            written += file.write("".join(lines))
    partial.replace(sample.path)


def _phrase(chance: random.Random) -> str:
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(12)]
    # Inside double quotes a double quote stands twice.
    words[chance.randrange(12)] += chance.choices([",", ".", ' ""so""', " naïve", ""], [8, 4, 1, 1, 26])[0]
    return " ".join(words)


def _line(chance: random.Random, phrases: list[str], size: int, earlier: list[str]) -> str:
    lot = chance.random()
    if lot < 0.01:
        return chance.choice(earlier)
    label = "SCITECH" if lot < 0.0105 else chance.choice(LABELS)
    if lot > 0.9995:
        return f'{label},""\n'
    text = f"{chance.getrandbits(64):x} " + " ".join(chance.choices(phrases, k=size // 60 + 1))
    text = text[: size - 1].rstrip(' "') + "."
    # Three texts in four are written between quotes, the others only if they have to be.
    return f'{label},"{text}"\n' if lot < 0.75 or "," in text or '"' in text else f"{label},{text}\n"


# --- the programs ----------------------------------------------------------------------------------------------------


def ours(source: Path, target: Path) -> Counts:
    sys.path.insert(0, str(PROJECT / "lambdas"))
    from flywheel.preparation import LabelRules, Limits, prepare

    beside = target.with_suffix
    with (
        source.open("rb") as uploaded,
        target.open("wb") as sink,
        beside(".hashes").open("wb") as hashes,
        beside(".bad").open("wb") as bad_lines,
    ):
        preparation = prepare(
            source=uploaded,
            sink=sink,
            hashes=hashes,
            rules=LabelRules(labels=LABELS, multi_label=False),
            limits=Limits(document_bytes=DOCUMENT_BYTES),
            name=source.name,
            bad_lines=bad_lines,
        )
    assert preparation.accepted, preparation.file_problem
    return preparation.labels


def csv_module(source: Path, target: Path) -> Counts:
    labels = frozenset(LABELS)
    seen: set[int] = set()
    counts: Counter[str] = Counter()
    with source.open(encoding="utf-8", newline="") as file, target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        for row in csv.reader(file):
            if len(row) != 2:
                continue
            label, text = row
            if label not in labels or not text.strip() or len(text.encode()) > DOCUMENT_BYTES:
                continue
            key = hash((label, text))
            if key in seen:
                continue
            seen.add(key)
            counts[label] += 1
            writer.writerow(row)
    return dict(counts)


def pandas(source: Path, target: Path) -> Counts:
    pd: Any = importlib.import_module("pandas")
    table = pd.read_csv(source, header=None, names=["label", "text"], dtype=str, keep_default_na=False)
    table = table[table["label"].isin(LABELS)]
    table = table[(table["text"].str.strip() != "") & (table["text"].str.len() <= DOCUMENT_BYTES)]
    table = table.drop_duplicates()
    counts = table["label"].value_counts().to_dict()
    table.to_csv(target, header=False, index=False, lineterminator="\n")
    return {str(label): int(count) for label, count in counts.items()}


def polars(source: Path, target: Path) -> Counts:
    pl: Any = importlib.import_module("polars")
    schema = {"label": pl.String, "text": pl.String}
    table = pl.read_csv(source, has_header=False, schema=schema)
    text = pl.col("text")
    table = table.filter(
        pl.col("label").is_in(LABELS), text.str.strip_chars() != "", text.str.len_bytes() <= DOCUMENT_BYTES
    ).unique(maintain_order=True)
    counts = table.group_by("label").len().rows()
    table.write_csv(target, include_header=False)
    return dict(counts)


def duckdb(source: Path, target: Path) -> Counts:
    connection: Any = importlib.import_module("duckdb").connect()
    connection.execute(
        """
        CREATE TABLE documents AS
        SELECT DISTINCT label, text
        FROM read_csv($source, header = false, delim = ',', quote = '"', escape = '"',
                      columns = {'label': 'VARCHAR', 'text': 'VARCHAR'})
        WHERE list_contains($labels, label) AND trim(text) <> '' AND strlen(text) <= $limit
        """,
        {"source": str(source), "labels": list(LABELS), "limit": DOCUMENT_BYTES},
    )
    counts = connection.execute("SELECT label, count(*) FROM documents GROUP BY label").fetchall()
    connection.execute(f"COPY documents TO '{target}' (HEADER false)")
    return dict(counts)


PROGRAMS: dict[str, Callable[[Path, Path], Counts]] = {
    "prepare_upload": ours,
    "csv module": csv_module,
    "pandas": pandas,
    "polars": polars,
    "duckdb": duckdb,
}
STANDARD_LIBRARY_ONLY = ("prepare_upload", "csv module")


# --- the measurement -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """``seconds`` is wall time, ``cpu_seconds`` that of all threads; importing a library counts in neither."""

    file: str
    program: str
    megabytes_per_second: float
    seconds: float
    cpu_seconds: float
    peak_mebibytes: float
    documents: int


def run_program(name: str, source: Path) -> dict[str, Any]:
    """Runs in a process of its own, whose peak memory is the program's."""
    if name not in STANDARD_LIBRARY_ONLY:
        importlib.import_module(name)
    target = FOLDER / f"written-{name.replace(' ', '-')}.csv"
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    counts = PROGRAMS[name](source, target)
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    for path in (target, target.with_suffix(".hashes"), target.with_suffix(".bad")):
        path.unlink(missing_ok=True)
    return {
        "seconds": seconds,
        "cpu_seconds": used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime,
        # Linux counts in kibibytes, macOS in bytes.
        "peak_bytes": used.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        "counts": counts,
    }


def measure(sample: Sample, names: list[str], repeat: int) -> Iterator[Result]:
    """The fastest of ``repeat`` runs of each program. Raises SystemExit if two come to different counts."""
    ensure_sample(sample)
    python = environment() if set(names) - set(STANDARD_LIBRARY_ONLY) else Path(sys.executable)
    megabytes = sample.path.stat().st_size / MEGABYTE
    agreed: Counts | None = None
    for name in names:
        interpreter = sys.executable if name in STANDARD_LIBRARY_ONLY else python
        runs = [_in_own_process(str(interpreter), name, sample.path) for _ in range(repeat)]
        best = min(runs, key=lambda run: float(run["seconds"]))
        counts: Counts = dict(sorted(best["counts"].items()))
        agreed = agreed or counts
        if counts != agreed:
            raise SystemExit(f"{name} counts {counts} in {sample}, but {names[0]} counts {agreed}.")
        yield Result(
            file=str(sample),
            program=name,
            megabytes_per_second=megabytes / best["seconds"],
            seconds=best["seconds"],
            cpu_seconds=best["cpu_seconds"],
            peak_mebibytes=best["peak_bytes"] / MEBIBYTE,
            documents=sum(counts.values()),
        )


def _in_own_process(python: str, name: str, source: Path) -> dict[str, Any]:
    command = [python, __file__, "--program", name, "--source", str(source)]
    answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return answer


def ensure_sample(sample: Sample) -> None:
    """In a process of its own too: a process starts with the peak memory of the one that started it."""
    if not sample.path.exists():
        print(f"Generating {sample} ...", file=sys.stderr)
        FOLDER.mkdir(parents=True, exist_ok=True)
        size = [str(sample.megabytes), str(sample.document_bytes)]
        subprocess.run([sys.executable, __file__, "--generate", *size], check=True)


def environment() -> Path:
    """The Python that has the other programs, installed when missing."""
    requirements = Path(__file__).with_name("requirements.txt")
    folder = FOLDER / "environment"
    python, installed = folder / "bin" / "python", folder / "requirements.txt"
    if not installed.exists() or installed.read_text() != requirements.read_text():
        print(f"Installing pandas, Polars and DuckDB into {folder.relative_to(PROJECT)} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "-r", str(requirements)], check=True)
        installed.write_text(requirements.read_text())
    return python


def show(result: Result, pandas_speed: float | None) -> None:
    ratio = f"{result.megabytes_per_second / pandas_speed:5.1f} x pandas" if pandas_speed else ""
    print(
        f"{result.file:32} {result.program:15} {result.megabytes_per_second:7.1f} MB/s {ratio:14} "
        f"{result.seconds:7.1f} s {result.cpu_seconds:7.1f} s CPU {result.peak_mebibytes:7.0f} MiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the results there too")
    parser.add_argument("--quick", action="store_true", help="files of a tenth of the size")
    parser.add_argument("--repeat", type=int, default=1, help="take the fastest of so many runs (default 1)")
    parser.add_argument("--program", choices=PROGRAMS, help=argparse.SUPPRESS)
    parser.add_argument("--source", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--generate", type=int, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.generate:
        generate(Sample(*arguments.generate))
    elif arguments.program:
        print(json.dumps(run_program(arguments.program, arguments.source)))
    else:
        _compare(arguments)


def _compare(arguments: argparse.Namespace) -> None:
    results: list[Result] = []
    for sample in (SMALL_DOCUMENTS, LARGE):
        results += _show_all(_sized(sample, arguments), list(PROGRAMS), arguments.repeat)
    for sample in GROWING:
        results += _show_all(_sized(sample, arguments), ["prepare_upload"], arguments.repeat)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")


def _sized(sample: Sample, arguments: argparse.Namespace) -> Sample:
    return Sample(sample.megabytes // 10, sample.document_bytes) if arguments.quick else sample


def _show_all(sample: Sample, names: list[str], repeat: int) -> list[Result]:
    results = list(measure(sample, names, repeat))
    speeds = {result.program: result.megabytes_per_second for result in results}
    for result in results:
        show(result, speeds.get("pandas"))
    return results


if __name__ == "__main__":
    main()
