"""The events of the analysis machine's steps, and the limits that its functions share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from flywheel.analysis.begin_analysis import MEGABYTE, JobLimits
from flywheel.records.analyses import AnalysisOutcome

if TYPE_CHECKING:
    from flywheel.environment import Analysis


class AnalysisJob(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    job: str


class AnalysisRun(AnalysisJob):
    run: str


class AnalysisUnit(AnalysisRun):
    unit: int


class AnalysisEnd(AnalysisJob):
    run: str | None = None
    outcome: AnalysisOutcome
    error: str | None = None
    cause: str | None = None


def limits_of(environment: Analysis) -> JobLimits:
    return JobLimits(
        part_bytes=max(1, int(environment.megabytes_per_part * MEGABYTE)),
        part_documents=environment.documents_per_part,
    )
