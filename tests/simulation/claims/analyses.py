"""Claims about analysis jobs, and about what Comprehend's jobs cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flywheel.analysis.inputs import JobInput, find_input
from flywheel.records.analyses import (
    INPUT,
    OUTPUT,
    PREDICTIONS_JSONL,
    SUMMARY,
    WORK,
    AnalysisBeginning,
    AnalysisOutcome,
    AnalysisSummary,
    InputFormat,
    RunFolder,
    Unit,
    job_of,
    output_key,
)
from flywheel.records.job_attempts import JobAttempt
from tests.simulation.claims import records
from tests.simulation.claims.broken import require

if TYPE_CHECKING:
    from tests.simulation.simulation import Situation


def each_job_ends_with_one_output_or_a_reason(situation: Situation) -> None:
    """Of its present files, or of those before some were deleted."""
    intake = situation.app.intake
    jobs = {job_of(key) for key in situation.world.s3.keys(intake, INPUT)} - {None}
    for job in sorted(filter(None, jobs)):
        with situation.people.acting(""):
            found = find_input(situation.people.deployment.intake, job)
        if found.newest is None:
            continue
        summary = records.read(situation, output_key(job, SUMMARY), AnalysisSummary)
        require(summary is not None, f"analysis job {job} ended without a summary")
        assert summary is not None
        require(
            summary.run == found.run or _only_deleted_since(situation, found, summary.run),
            f"analysis job {job} has the summary of run {summary.run}, its files are run {found.run}",
        )
        require(bool(summary.reason), f"analysis job {job} is {summary.outcome} without a reason")
        if summary.outcome is AnalysisOutcome.SUCCEEDED:
            _has_all_documents(situation, summary)


def _only_deleted_since(situation: Situation, found: JobInput, run: str) -> bool:
    beginning = records.read(situation, RunFolder(found.job, run).beginning, AnalysisBeginning)
    if beginning is None:
        # It failed before it began.
        return "deleted" in situation.people.heard.jobs[found.job]
    return not found.supersedes(beginning)


def _has_all_documents(situation: Situation, summary: AnalysisSummary) -> None:
    """Each line once, in their order, with an answer or an error."""
    world, intake = situation.world, situation.app.intake
    folder = RunFolder(summary.job, summary.run)
    files = {
        segment.file.key: segment.file.version_id
        for key, unit in records.read_all(situation, f"{folder.prefix}units/", Unit, ending="/plan.json")
        for segment in unit.segments
    }
    expected: list[str] = []
    for key, version_id in files.items():
        (version,) = [one for one in world.s3.versions(intake, key) if one.version_id == version_id]
        expected += _documents(version.body, summary.format)
    output = world.s3.object(intake, output_key(summary.job, PREDICTIONS_JSONL))
    require(output is not None, f"analysis job {summary.job} succeeded without an output")
    assert output is not None
    rows: list[dict[str, Any]] = [json.loads(line) for line in output.body.splitlines()]
    require(
        len(rows) == len(expected) and all(map(_is_of, rows, expected)),
        f"analysis job {summary.job} has {len(rows)} rows, not the {len(expected)} documents of its files",
    )
    answered = sum("error" not in row for row in rows)
    require(
        (answered, len(rows) - answered) == (summary.documents, summary.error_lines),
        f"the summary of analysis job {summary.job} counts otherwise than its output",
    )


def _is_of(row: dict[str, Any], document: str) -> bool:
    """An error has the beginning of its document, as it was."""
    begins = "error" in row and document.startswith(row["text"].replace("\n", " ").strip())
    return begins or row["text"] == document


def _documents(content: bytes, format_: InputFormat | None) -> list[str]:
    if format_ is InputFormat.FILES:
        return [content.decode(errors="replace").replace("\n", " ").strip()]
    lines = content.split(b"\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    return [line.decode(errors="replace") for line in lines]


def each_job_is_accounted_for(situation: Situation) -> None:
    """Comprehend charges for each job: some record names it, which `flywheel cost` and the job's report rest on. One
    that was started last by an analysis job that failed is named when that is started again, which asks for the same
    (`flywheel.comprehend.jobs.Attempts`)."""
    known = set()
    for prefix, ending in ((WORK, "/attempt.json"), ("evaluations/predictions/", "/prediction.json")):
        for version in situation.world.s3.versions(situation.app.intake, prefix):
            if not version.is_marker and version.key.endswith(ending):
                known.add(JobAttempt.model_validate_json(version.body).job_id)
    summaries = records.read_all(situation, OUTPUT, AnalysisSummary, ending=f"/{SUMMARY}")
    succeeded = {summary.run for _, summary in summaries if summary.outcome is AnalysisOutcome.SUCCEEDED}
    entities = situation.plan.kind == "ENTITIES"
    operation = "ListEntitiesDetectionJobs" if entities else "ListDocumentClassificationJobs"
    jobs = records.comprehend(situation, operation, MaxResults=500)
    for job in jobs[f"{operation.removeprefix('List').removesuffix('Jobs')}JobPropertiesList"]:
        name = job.get("JobName", "")
        goes_on = name.startswith("analysis-") and not any(run in name for run in succeeded)
        require(job["JobId"] in known or goes_on, f"no record names job {job['JobId']} ({job.get('JobName')})")
