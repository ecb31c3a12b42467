"""Starts the smoke test of an imported model, before anything serves it: a job that answers a small labelled file.

An endpoint would cost by the minute and has a quota.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from flywheel.comprehend.jobs import Attempts, next_attempt
from flywheel.faults.errors import ModelNotUsable, PromotionRefused
from flywheel.promotions.requests import open_request_of
from flywheel.records.imports import TrialAttempt, trial_folder, trial_key
from flywheel.records.promotions import require_current
from flywheel.serving.smoke_test import find_documents
from flywheel.text.printable import on_one_line

if TYPE_CHECKING:
    from flywheel.comprehend.imported_models import ImportedModels
    from flywheel.store.bucket import IntakeBucket


def try_model(
    *, promotion: str, key: str, minimum: float, delimiter: str, intake: IntakeBucket, service: ImportedModels
) -> str | None:
    """Id of the job to wait for; None if its answers are there. `key` is that of the labelled file, `minimum` the share
    of its documents that has to be right.

    Raises NotCurrentPromotion, PromotionRefused, SmokeTestImpossible; ServiceBusy if too many jobs run.
    """
    require_current(intake, promotion)
    model_arn = open_request_of(promotion, intake).model_arn
    attempts = attempts_of(promotion, intake=intake, service=service)
    known = attempts.last()
    if known is not None and not known.failure:
        return None if known.archive else known.job_id
    task = service.task_of(model_arn)
    documents = find_documents(key, intake=intake, kind=service.kind, task=task, delimiter=delimiter)
    # In a folder of its own, because a job's S3Uri matches by prefix.
    folder = f"{trial_folder(promotion)}documents/"
    intake.write_text(f"{folder}documents.txt", "".join(f"{on_one_line(document.text)}\n" for document in documents))
    attempt = TrialAttempt(
        attempt=next_attempt(known),
        key=key,
        minimum=minimum,
        expected=tuple(tuple(document.labels) for document in documents),
        lines=tuple(document.line for document in documents),
    )
    try:
        started = service.start_job(
            model_arn=model_arn,
            documents_uri=f"s3://{intake.name}/{folder}",
            output_uri=f"s3://{intake.name}/{trial_folder(promotion)}output/",
            name=f"smoke-test-{promotion}-{attempt.attempt}",
            token=hashlib.sha256(f"{model_arn} {promotion} {attempt.attempt}".encode()).hexdigest(),
        )
    except ModelNotUsable as error:
        raise PromotionRefused(str(error)) from error
    attempts.note(attempt, job_id=started.id)
    return started.id


def attempts_of(promotion: str, *, intake: IntakeBucket, service: ImportedModels) -> Attempts[TrialAttempt]:
    return Attempts(intake=intake, jobs=service.jobs, key=trial_key(promotion), record=TrialAttempt)
