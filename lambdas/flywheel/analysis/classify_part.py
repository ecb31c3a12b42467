"""Has Comprehend classify a part: at most one job for each attempt, and none paid for twice."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from flywheel.analysis.errors import PartFailed
from flywheel.comprehend.jobs import UNKNOWN_JOB, archive_key, failure_of
from flywheel.errors import ModelNotUsable
from flywheel.records.analyses import (
    AnalysisBeginning,
    Attempt,
    CollectedPart,
    PartFacts,
    PartFolder,
    RunFolder,
    readable,
)

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.records.analyses import PartItem
    from flywheel.store.bucket import IntakeBucket


def ask(item: PartItem, *, role_arn: str, intake: IntakeBucket, service: FlywheelService) -> str | None:
    """The job to wait for: the one of this part that runs or is done, or a new one. None if there is nothing to ask.

    A part that is alone is asked of the flywheel, several parts of the model that the job began with, so that all
    answers are one model's. The record of an attempt is written after its job was started: a job that was started
    just before a kill is found again by its token. Raises ServiceBusy if too many jobs run, PartFailed.
    """
    folder = RunFolder(item.job, item.run)
    place = folder.part(item.part)
    if not intake.require(place.facts, PartFacts).documents or intake.read(place.collected, CollectedPart):
        return None
    known = intake.read(place.attempt, Attempt)
    if known is not None and known.job_id and not known.failure:
        known = _settled(known, place, intake=intake, service=service)
        if known.job_id and not known.failure:
            return known.job_id
    attempt = 1 if known is None else known.attempt + (known.failure != UNKNOWN_JOB)
    beginning = intake.require(folder.beginning, AnalysisBeginning)
    by_flywheel = item.alone and beginning.flywheel_arn is not None
    try:
        started = service.start_classification(
            model_arn=None if by_flywheel else beginning.model_arn,
            flywheel_arn=beginning.flywheel_arn if by_flywheel else None,
            documents_uri=f"s3://{intake.name}/{place.documents_folder}",
            output_uri=f"s3://{intake.name}/{place.answers}",
            role_arn=role_arn,
            name=f"analysis-{readable(item.job)}-{item.run}-{item.part}-{attempt}",
            token=hashlib.sha256(f"{item.job} {item.run} {item.part} {attempt}".encode()).hexdigest(),
        )
    except ModelNotUsable as error:
        intake.write(place.attempt, Attempt(attempt=attempt - 1, failure=str(error)))
        raise PartFailed(str(error)) from error
    intake.write(place.attempt, Attempt(attempt=attempt, job_id=started.id, model_arn=started.model_arn))
    return started.id


def answers_of(item: PartItem, *, intake: IntakeBucket, service: FlywheelService) -> tuple[str, str | None]:
    """The key of what Comprehend answered, and the model that did. Raises PartFailed."""
    place = RunFolder(item.job, item.run).part(item.part)
    known = intake.require(place.attempt, Attempt)
    job = service.classification_job(known.job_id) if known.job_id else None
    key = archive_key(job, bucket=intake.name)
    if key is None or not intake.exists(key):
        failure = failure_of(job)
        note_failure(item, failure, intake=intake)
        raise PartFailed(f"Classification job {known.job_id}: {failure}")
    return key, known.model_arn


def note_failure(item: PartItem, failure: str, *, intake: IntakeBucket) -> None:
    """Say why the last attempt came to nothing: another execution makes another one."""
    place = RunFolder(item.job, item.run).part(item.part)
    known = intake.require(place.attempt, Attempt)
    intake.write(place.attempt, known.model_copy(update={"failure": failure}))


def _settled(known: Attempt, place: PartFolder, *, intake: IntakeBucket, service: FlywheelService) -> Attempt:
    """The attempt with its failure, if its job has come to nothing since."""
    job = service.classification_job(known.job_id) if known.job_id else None
    if job is None:
        return known.model_copy(update={"failure": UNKNOWN_JOB})
    if job.running:
        return known
    key = archive_key(job, bucket=intake.name)
    if key is not None and intake.exists(key):
        return known
    failed = known.model_copy(update={"failure": failure_of(job)})
    intake.write(place.attempt, failed)
    return failed
