"""Runs the steps of an analysis job in the order of the analysis machine, in this process; see turn_driver."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from flywheel.analysis import report_analysis
from flywheel.analysis.begin_analysis import JobLimits, begin_analysis
from flywheel.analysis.classify_part import classify_part
from flywheel.analysis.collect_part import Collector
from flywheel.analysis.errors import InputGone, PartFailed, Superseded
from flywheel.analysis.join_analysis import join_analysis
from flywheel.analysis.plan_analysis import plan_analysis
from flywheel.analysis.split_analysis import split_analysis
from flywheel.analysis.start_analysis import AnalysisStart, decide
from flywheel.faults.errors import FlywheelError
from flywheel.records.analyses import AnalysisOutcome, AnalysisSummary, PartItem, RunFolder, input_folder, output_key
from tests.pipeline.deployment import settled
from tests.pipeline.turn_driver import DELIMITER, ROLE, Deployment

LOW_CONFIDENCE = 0.7
_numbers = itertools.count(1)


@dataclass(kw_only=True)
class Analyses:
    """Analysis jobs of one deployment."""

    at: Deployment
    limits: JobLimits = field(default_factory=JobLimits)
    quiet_period: timedelta = timedelta(0)
    review: int = 1000
    audit_percent: float = 0

    def drop(self, files: dict[str, bytes], *, options: dict[str, Any] | None = None, job: str | None = None) -> str:
        """Files into a job's folder; the job's name."""
        job = job or f"job {next(_numbers)}"
        for name, content in files.items():
            self.at.s3.put_object(Bucket=self.at.name, Key=f"{input_folder(job)}{name}", Body=content)
        if options is not None:
            body = json.dumps(options).encode()
            self.at.s3.put_object(Bucket=self.at.name, Key=f"{input_folder(job)}job.json", Body=body)
        return job

    def judge(self, job: str) -> AnalysisStart:
        with self.at.acting_as("start_analysis"):
            return decide(job, intake=self.at.intake, quiet_period=self.quiet_period, now=self.at.now())

    def start(self, job: str) -> Analysis:
        return Analysis(self, job)

    def run(self, job: str) -> AnalysisSummary:
        """The job from its beginning to its end."""
        summary = self.start(job).run()
        assert summary is not None
        return summary

    # What there is to see afterwards.

    def rows(self, job: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._output(job, "predictions.jsonl").splitlines()]

    def csv_rows(self, job: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self._output(job, "predictions.csv"), newline="")))

    def outputs(self, job: str) -> list[str]:
        return sorted(key.rpartition("/")[2] for key in self.at.keys(output_key(job, "")))

    def input(self, job: str) -> dict[str, bytes]:
        return {key: self.at.bucket.read_bytes(key) for key in self.at.keys(input_folder(job))}

    def comprehend_jobs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for page in self.at.comprehend.get_paginator("list_document_classification_jobs").paginate():
            found += page["DocumentClassificationJobPropertiesList"]
        return [job for job in found if job["InputDataConfig"]["S3Uri"].startswith(f"s3://{self.at.name}/")]

    def _output(self, job: str, name: str) -> str:
        return self.at.bucket.read_bytes(output_key(job, name)).decode()


class Analysis:
    """One execution. `run` goes on where it stopped: after a kill it does what a redrive does."""

    def __init__(self, analyses: Analyses, job: str) -> None:
        self.job = job
        self.run_id: str | None = None
        self.steps_taken = 0
        self._of = analyses
        self._at = analyses.at
        self.steps: list[Callable[[], None]] = [self._begin]

    def run(self) -> AnalysisSummary | None:
        """What it reported. What kills this process goes through."""
        try:
            while self.steps:
                self.take_step()
        except Superseded:
            return None
        except (FlywheelError, ClientError) as error:
            self.steps = []
            return self.report(AnalysisOutcome.FAILED, str(error))
        return self.report(AnalysisOutcome.SUCCEEDED)

    def run_before(self, name: str) -> Analysis:
        """Up to the first step of this name, which is not taken."""
        while getattr(self.steps[0], "__name__", "") != name:
            self.take_step()
        return self

    def take_step(self) -> None:
        step = self.steps[0]
        self._at.with_retries(step)
        self.steps.remove(step)
        self.steps_taken += 1

    def report(self, outcome: AnalysisOutcome, reason: str | None = None) -> AnalysisSummary | None:
        with self._at.acting_as("report_analysis"):
            return report_analysis.report_analysis(
                job=self.job,
                run=self.run_id,
                outcome=outcome,
                reason=reason,
                low_confidence=LOW_CONFIDENCE,
                intake=self._at.intake,
                now=self._at.now(),
            )

    @property
    def folder(self) -> RunFolder:
        assert self.run_id
        return RunFolder(self.job, self.run_id)

    def _begin(self) -> None:
        at = self._at
        with at.acting_as("begin_analysis"):
            beginning = begin_analysis(pipeline=at.pipeline, job=self.job, limits=self._of.limits, now=at.now())
        self.run_id = beginning.run
        self.steps += [*(partial(self._split, unit) for unit in range(beginning.units)), self._plan]

    def _split(self, unit: int) -> None:
        """A child of the distributed map: its failure is left to the plan."""
        with contextlib.suppress(InputGone), self._at.acting_as("split_analysis"):
            split_analysis(job=self.job, run=self.folder.run, unit=unit, intake=self._at.intake, limits=self._of.limits)

    def _plan(self) -> None:
        with self._at.acting_as("plan_analysis"):
            items = plan_analysis(job=self.job, run=self.folder.run, intake=self._at.intake)
        self.steps += [*(partial(self._part, item) for item in items), self._join]

    def _part(self, item: PartItem) -> None:
        """A child of the distributed map: its failure is left to the join."""
        at = self._at
        try:
            with at.acting_as("classify_part"):
                job_id = at.with_retries(
                    lambda: classify_part(item, role_arn=ROLE, intake=at.intake, service=at.service)
                )
            if job_id is not None:
                settled(lambda: at.service.jobs.find(job_id), lambda found: not found.running)
            with at.acting_as("collect_part"):
                Collector(
                    intake=at.intake,
                    service=at.service,
                    limits=self._of.limits,
                    low_confidence=LOW_CONFIDENCE,
                    delimiter=DELIMITER,
                    review=self._of.review,
                    audit_percent=self._of.audit_percent,
                ).collect(item)
        except PartFailed:
            pass

    def _join(self) -> None:
        with self._at.acting_as("join_analysis"):
            join_analysis(job=self.job, run=self.folder.run, intake=self._at.intake, review=self._of.review)
