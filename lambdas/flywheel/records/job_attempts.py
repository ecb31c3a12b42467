"""Record of an attempt to have a model predict documents in an asynchronous job of Comprehend."""

from __future__ import annotations

from flywheel.store.record import Record


class JobAttempt(Record):
    attempt: int
    job_id: str | None = None
    """None: no job started, because Comprehend cannot use the model."""
    model_arn: str | None = None
    """None: the job was started with a flywheel's ARN, and Comprehend did not say which model it uses."""
    archive: str | None = None
    """Key of the job's output, once the job is COMPLETED."""
    failure: str | None = None
    """Why this attempt failed."""
