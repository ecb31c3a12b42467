"""Analysis jobs of a deployment: files into a folder, and what the analysis machine makes of them."""

from __future__ import annotations

import csv
import io
import itertools
import json
from typing import TYPE_CHECKING, Any

from flywheel.records.analyses import OPTIONS, SUMMARY, WORK, AnalysisSummary, input_folder, output_key
from ops.verbs import analyze
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, documents

if TYPE_CHECKING:
    from tests.simulation.machines.execution import Execution

LINES = "ONE_DOC_PER_LINE"
FILES = "ONE_DOC_PER_FILE"
ANALYSIS: dict[str, object] = {"quiet_period_minutes": 0, "low_confidence": 0.7, "audit_percent": 0}
"""Parameters of the Analysis stack."""
_numbers = itertools.count(1)


def with_model(*, analysis: dict[str, object] | None = None, **more: Any) -> Deployment:
    """A deployment with an active model; the rest as of `Deployment`."""
    at = Deployment(analysis={**ANALYSIS, **(analysis or {})}, **more)
    at.upload("test/test.csv", documents(*at.labels, count=6, words="judge: "))
    at.upload("train/train.csv", documents(*at.labels, count=20))
    at.run_turn()
    assert at.parameters()["active-model-arn"]
    return at


def limit_parts(at: Deployment, *, size: int) -> None:
    """To so many bytes: no parameter allows less than a megabyte."""
    for function in ("begin_analysis", "split_analysis", "collect_part"):
        at.set_variable(function, MEGABYTES_PER_PART=str(size / 1_000_000))


def send(at: Deployment, files: dict[str, bytes], *, options: Any = None, job: str | None = None) -> str:
    """Files into a job's folder, from where the job begins; the job's name."""
    job = job or f"job {next(_numbers)}"
    for name, content in files.items():
        at.upload(f"{input_folder(job)}{name}", content)
    if options is not None:
        at.upload(f"{input_folder(job)}{OPTIONS}", json.dumps(options).encode())
    return job


def analysed(at: Deployment, job: str, files: dict[str, bytes], *, options: Any = None) -> AnalysisSummary:
    """The job from the upload of its files to its end."""
    send(at, files, options=options, job=job)
    return ended(at, job)


def ended(at: Deployment, job: str) -> AnalysisSummary:
    """The job, once nothing runs any more but what is held."""
    at.settle()
    return at.bucket.require(output_key(job, SUMMARY), AnalysisSummary)


def again(at: Deployment, job: str) -> AnalysisSummary:
    """`flywheel analyze --again`."""
    analyze.start_again(at.operator, job)
    return ended(at, job)


def executions_of(at: Deployment, job: str) -> list[Execution]:
    """Oldest first."""
    return [one for one in at.executions("Analyze") if one.input == {"job": job}]


def comprehend_jobs(at: Deployment, job: str = "") -> list[dict[str, Any]]:
    """Of an analysis job, or of whatever asks for some; newest first."""
    found: list[dict[str, Any]] = at.comprehend.list_document_classification_jobs(MaxResults=500)[
        "DocumentClassificationJobPropertiesList"
    ]
    return [each for each in found if not job or f"/{WORK}{job}/" in each["InputDataConfig"]["S3Uri"]]


def outputs(at: Deployment, job: str) -> list[str]:
    """Names of the files."""
    return sorted(key.rpartition("/")[2] for key in at.keys(output_key(job, "")))


def csv_rows_of(at: Deployment, job: str) -> list[dict[str, str]]:
    text = at.bucket.read_bytes(output_key(job, "predictions.csv")).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def rows_of(at: Deployment, job: str) -> list[dict[str, Any]]:
    lines = at.bucket.read_bytes(output_key(job, "predictions.jsonl")).decode().splitlines()
    return [json.loads(line) for line in lines]


def texts(count: int, *, start: int = 0) -> list[str]:
    return [text for _, text in documents(*LABELS, start=start, count=count)][:count]


def as_lines(found: list[str], end: str = "\n") -> bytes:
    return "".join(f"{text}{end}" for text in found).encode()
