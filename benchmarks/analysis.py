"""Documents per second of the batch path: the functions' own splitting and joining, and a whole job in the local cloud.

    python -m benchmarks.analysis [--lines N] [--documents N] [--json PATH]

The functions' part works on N lines of about 100 bytes, against files in this process instead of S3 and with answers
that are made up beforehand: what is measured is reading, checking, indexing, joining and writing. The whole job is
`flywheel analyze` against a local cloud with a model that was really trained, from the upload to the summary.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import random
import resource
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from flywheel.analysis.begin_analysis import JobLimits
from flywheel.analysis.collect_part import Collector
from flywheel.analysis.join_analysis import join_analysis
from flywheel.analysis.plan_analysis import plan_analysis
from flywheel.analysis.split_analysis import split_analysis
from flywheel.comprehend.flywheel import FlywheelService
from flywheel.comprehend.model_kind import Job
from flywheel.records.analyses import (
    AnalysisBeginning,
    InputFile,
    InputFormat,
    PartItem,
    RunFolder,
    Segment,
    Unit,
    input_folder,
)
from flywheel.records.job_attempts import JobAttempt
from flywheel.store.bucket import IntakeBucket
from flywheel.store.concatenation import Source
from flywheel.store.record import Record
from local.cloud import LocalCloud
from local.sample_news import LABELS, Recipe, documents, write_csv
from local.walk import Walk
from ops.verbs import analyze

JOB, RUN = "benchmark", "0"
MEBIBYTE = 1 << 20
LIMITS = JobLimits()


@dataclass(frozen=True, kw_only=True)
class Measured:
    what: str
    documents: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.what:<46} {self.documents:>9,} documents {self.seconds:>7.1f} s {self.rate:>11,.0f} documents/s"

    @property
    def rate(self) -> float:
        return self.documents / self.seconds


class FolderBucket(IntakeBucket):
    """The intake bucket as a folder: no network and no emulator is measured along."""

    def __init__(self, folder: Path) -> None:
        self.name = "folder"
        self._folder = folder

    def path(self, key: str) -> Path:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def read_with_etag(self, key: str, kind: type[Any]) -> tuple[Any, str] | None:
        path = self.path(key)
        return (kind.model_validate_json(path.read_bytes()), "") if path.exists() else None

    def write(self, key: str, record: Record) -> None:
        self.path(key).write_text(record.model_dump_json())

    def write_text(self, key: str, text: str, *, content_type: str = "") -> None:  # noqa: ARG002 - as the bucket's
        self.path(key).write_text(text)

    def read_bytes(self, key: str) -> bytes:
        return self.path(key).read_bytes()

    def upload_file(self, path: Path, key: str) -> None:
        shutil.copyfile(path, self.path(key))

    def open(self, key: str, *, version_id: str | None = None, first_byte: int = 0) -> Any:  # noqa: ARG002 - as the bucket's
        stream = self.path(key).open("rb")
        stream.seek(first_byte)
        return stream

    def exists(self, key: str) -> bool:
        return self.path(key).exists()

    def list_versions(self, prefix: str) -> Any:  # noqa: ARG002 - as the bucket's
        return iter(())

    def concatenate(
        self,
        target: str,
        sources: Sequence[Source],
        *,
        head: bytes = b"",
        content_type: str,  # noqa: ARG002 - as the bucket's
    ) -> None:
        with self.path(target).open("wb") as sink:
            sink.write(head)
            for source in sources:
                with self.path(source.key).open("rb") as content:
                    shutil.copyfileobj(content, sink)


class Answered:
    """Comprehend, which has answered already."""

    def __init__(self, archive: str) -> None:
        self._archive = archive

    @property
    def jobs(self) -> Answered:
        return self

    def find(self, job_id: str) -> Job:
        return Job(id=job_id, running=False, completed=True, message=None, archive_uri=f"s3://folder/{self._archive}")


def functions_alone(lines: int) -> list[Measured]:
    with tempfile.TemporaryDirectory() as temporary:
        intake = FolderBucket(Path(temporary))
        size = write_lines(intake.path(f"{input_folder(JOB)}lines.txt"), lines)
        folder = RunFolder(JOB, RUN)
        file = InputFile(key=f"{input_folder(JOB)}lines.txt", version_id="1", size=size)
        intake.write(folder.plan(0), Unit(segments=(Segment(file=file, start=0, end=size),)))
        intake.write(
            folder.beginning,
            AnalysisBeginning(
                job=JOB,
                run=RUN,
                began_at=datetime.now(UTC),
                format=InputFormat.LINES,
                files=1,
                objects=1,
                bytes=size,
                newest=datetime.now(UTC),
                units=1,
                model_arn="model",
                flywheel_arn=None,
            ),
        )
        began = time.monotonic()
        facts = split_analysis(job=JOB, run=RUN, unit=0, intake=intake, limits=LIMITS)
        items = plan_analysis(job=JOB, run=RUN, intake=intake)
        found = [Measured(what="split", documents=lines, seconds=time.monotonic() - began)]
        seconds = 0.0
        for part, item in zip(facts.parts, items, strict=True):
            seconds += collect(intake, item, part.documents)
        found.append(Measured(what="join answers and text", documents=lines, seconds=seconds))
        began = time.monotonic()
        joined = join_analysis(job=JOB, run=RUN, intake=intake)
        found.append(Measured(what="put parts together", documents=lines, seconds=time.monotonic() - began))
        assert joined.counts.documents == lines
        found.append(Measured(what="all of it", documents=lines, seconds=sum(each.seconds for each in found)))
    return found


def collect(intake: FolderBucket, item: PartItem, count: int) -> float:
    place = RunFolder(JOB, RUN).part(item.part)
    key = f"{place.answers}output.tar.gz"
    write_answers(intake.path(key), count)
    intake.write(place.attempt, JobAttempt(attempt=1, job_id="1", model_arn="model"))
    began = time.monotonic()
    Collector(
        intake=intake,
        service=cast("FlywheelService", Answered(key)),
        limits=LIMITS,
        low_confidence=0.7,
        delimiter="|",
    ).collect(item)
    return time.monotonic() - began


def write_lines(path: Path, lines: int) -> int:
    recipe = Recipe(documents_per_label=2500)
    texts = [text for _, text in documents(recipe, seed=1)]
    with path.open("w", encoding="utf-8") as file:
        for number in range(lines):
            file.write(f"{texts[number % len(texts)]}\n")
    return path.stat().st_size


def write_answers(path: Path, count: int) -> None:
    chance = random.Random(1)
    with tempfile.TemporaryFile() as content:
        for number in range(count):
            best = round(chance.uniform(0.4, 1), 4)
            scores = [
                {"Name": label, "Score": best if not place else round((1 - best) / 3, 4)}
                for place, label in enumerate(LABELS[:3])
            ]
            answer = {"File": "documents.txt", "Line": str(number), "Classes": scores}
            content.write(f"{json.dumps(answer)}\n".encode())
        member = tarfile.TarInfo("predictions.jsonl")
        member.size = content.tell()
        content.seek(0)
        with tarfile.open(path, "w:gz", compresslevel=1) as archive:
            archive.addfile(member, io.BufferedReader(cast("Any", content)))


def whole_job(count: int) -> list[Measured]:
    context = {"name": "bench", "labels": ",".join(LABELS), "mode": "MULTI_CLASS"}
    with tempfile.TemporaryDirectory() as temporary, LocalCloud(instance="benchmark") as cloud:
        folder = Path(temporary)
        walk = Walk.deploy(cloud, name="bench", parameters={"MinimumScore": "0"}, context=context)
        train = write_csv(folder / "train.csv", documents(Recipe(documents_per_label=200), seed=1))
        test = write_csv(folder / "test.csv", documents(Recipe(documents_per_label=20), seed=2))
        record = walk.after_promotion(walk.turn(train=[train], test=[test]))
        print(f"model: {record.decision}, {record.promotion.status if record.promotion else 'not promoted'}")
        path = folder / "documents.txt"
        write_lines(path, count)
        began = time.monotonic()
        started = analyze.start_job(walk.deployment, [path])
        summary = analyze.wait_for_analysis(walk.deployment, started, poll_seconds=0.25)
        seconds = time.monotonic() - began
        assert summary.documents == count, summary.reason
        return [Measured(what="whole job in the local cloud, with the upload", documents=count, seconds=seconds)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000, help="for the functions alone; 0: not")
    parser.add_argument("--documents", type=int, default=20_000, help="for the whole job; 0: not")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    machine = f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    print(machine)
    found: list[Measured] = []
    if arguments.lines:
        found += functions_alone(arguments.lines)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEBIBYTE
    if arguments.documents:
        found += whole_job(arguments.documents)
    for measured in found:
        print(measured)
    print(f"most memory of the functions alone: {memory:,.0f} MiB")
    if arguments.json:
        figures = [{**asdict(measured), "documents_per_second": measured.rate} for measured in found]
        arguments.json.write_text(json.dumps({"machine": machine, "memory_mib": memory, "figures": figures}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
