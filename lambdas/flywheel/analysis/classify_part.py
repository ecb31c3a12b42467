"""Starts the Comprehend job that classifies a part. No job is paid for twice."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from flywheel.analysis.errors import PartFailed
from flywheel.comprehend.jobs import Attempts, next_attempt
from flywheel.faults.errors import ModelNotUsable
from flywheel.records.analyses import AnalysisBeginning, CollectedPart, PartFacts, RunFolder, readable
from flywheel.records.job_attempts import JobAttempt

if TYPE_CHECKING:
    from flywheel.comprehend.active_model import ActiveModelService
    from flywheel.records.analyses import PartItem
    from flywheel.store.bucket import IntakeBucket


def classify_part(item: PartItem, *, role_arn: str, intake: IntakeBucket, service: ActiveModelService) -> str | None:
    """Id of the job to wait for: the part's existing job, or a new one. None for a part that has no documents or is
    collected.

    A job's only part is classified with the flywheel's ARN. Several parts are classified with the model that the job
    began with, so that all predictions come from one model. Raises ServiceBusy if too many jobs run, PartFailed.
    """
    folder = RunFolder(item.job, item.run)
    place = folder.part(item.part)
    if not intake.require(place.facts, PartFacts).documents or intake.read(place.collected, CollectedPart):
        return None
    attempts = attempts_of(item, intake=intake, service=service)
    known = attempts.last()
    if known is not None and known.job_id and not known.failure:
        return known.job_id
    number = next_attempt(known)
    beginning = intake.require(folder.beginning, AnalysisBeginning)
    by_flywheel = item.alone and beginning.flywheel_arn is not None
    try:
        started = service.start_job(
            model_arn=None if by_flywheel else beginning.model_arn,
            flywheel_arn=beginning.flywheel_arn if by_flywheel else None,
            documents_uri=f"s3://{intake.name}/{place.documents_folder}",
            output_uri=f"s3://{intake.name}/{place.answers}",
            role_arn=role_arn,
            name=f"analysis-{readable(item.job)}-{item.run}-{item.part}-{number}",
            token=hashlib.sha256(f"{item.job} {item.run} {item.part} {number}".encode()).hexdigest(),
        )
    except ModelNotUsable as error:
        attempts.note(JobAttempt(attempt=number), failure=str(error))
        raise PartFailed(str(error)) from error
    attempts.note(JobAttempt(attempt=number), job_id=started.id, model_arn=started.model_arn)
    return started.id


def attempts_of(item: PartItem, *, intake: IntakeBucket, service: ActiveModelService) -> Attempts[JobAttempt]:
    place = RunFolder(item.job, item.run).part(item.part)
    return Attempts(intake=intake, jobs=service.jobs, key=place.attempt, record=JobAttempt)
