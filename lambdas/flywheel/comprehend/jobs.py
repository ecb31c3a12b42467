"""What became of a classification job of Comprehend: where its output is, or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import ClassificationJob


UNKNOWN_JOB = "Comprehend does not know it"
"""Not for good: a job does not have to show at once. To start it again under the same token is the same job, if there
is one, and else another."""


def archive_key(job: ClassificationJob | None, *, bucket: str) -> str | None:
    """The key of a COMPLETED job's output."""
    if job is None or not job.completed:
        return None
    return job.archive_uri.removeprefix(f"s3://{bucket}/")


def failure_of(job: ClassificationJob | None) -> str:
    if job is None:
        return UNKNOWN_JOB
    if job.completed:
        return f"its output is not at {job.archive_uri}"
    return job.message or "Comprehend gave no reason"
