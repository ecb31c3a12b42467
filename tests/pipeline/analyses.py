"""Analysis jobs of a deployment: files into a folder, and what the analysis machine makes of them."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from flywheel.records.analyses import SUMMARY, AnalysisSummary, input_folder, output_key

if TYPE_CHECKING:
    from tests.pipeline.deployed import Deployment

ANALYSIS: dict[str, object] = {"quiet_period_minutes": 0, "low_confidence": 0.7}
"""Parameters of the Analysis stack."""


def analysed(at: Deployment, job: str, files: dict[str, bytes]) -> AnalysisSummary:
    """The job from the upload of its files to its end."""
    for name, content in files.items():
        at.upload(f"{input_folder(job)}{name}", content)
    at.settle()
    return at.bucket.require(output_key(job, SUMMARY), AnalysisSummary)


def csv_rows_of(at: Deployment, job: str) -> list[dict[str, str]]:
    text = at.bucket.read_bytes(output_key(job, "predictions.csv")).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def rows_of(at: Deployment, job: str) -> list[dict[str, Any]]:
    lines = at.bucket.read_bytes(output_key(job, "predictions.jsonl")).decode().splitlines()
    return [json.loads(line) for line in lines]
