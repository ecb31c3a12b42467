"""Has models predict a hold-out in jobs of Comprehend, and reads the results.

No prediction is paid for twice: there is one job for each model, hold-out and attempt.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.comprehend.jobs import Attempts, next_attempt
from flywheel.evaluation import InvalidPredictions, Predictions
from flywheel.faults.errors import ModelNotUsable, PredictionFailed
from flywheel.records.holdouts import HoldoutAttempt, answers_folder, attempt_key, readable

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.comprehend.model_kind import Task
    from flywheel.records.holdouts import FrozenHoldout
    from flywheel.store.bucket import IntakeBucket

MOST_ATTEMPTS = 3
"""After this many failed jobs a model counts as unable to predict the hold-out."""


@dataclass(frozen=True, kw_only=True)
class Unanswered:
    """Stands for the answers of a model that cannot predict the hold-out."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class HoldoutAnswers:
    """The answers of models to one hold-out."""

    intake: IntakeBucket
    service: FlywheelService
    holdout: FrozenHoldout

    def lacking(self, models: tuple[str, ...]) -> tuple[str, ...]:
        """The models without answers."""
        return tuple(arn for arn in models if not _is_answered(self._attempts(arn).last()))

    def start_job(self, *, iteration_id: str, model_arn: str, now: datetime) -> str | None:
        """Id of the job to wait for: the running one, or a new one. None if there is nothing to wait for.

        Raises ServiceBusy if too many jobs run.
        """
        attempts = self._attempts(model_arn)
        known = attempts.last()
        if _is_answered(known):
            return None
        if known is not None and known.job_id and not known.failure:
            return known.job_id
        attempt = HoldoutAttempt(
            model_arn=model_arn,
            holdout_id=self.holdout.id,
            attempt=next_attempt(known),
            asked_at=now,
            asked_for=iteration_id,
        )
        try:
            started = self.service.start_job(
                model_arn=model_arn,
                documents_uri=f"s3://{self.intake.name}/{self.holdout.documents_folder}",
                output_uri=f"s3://{self.intake.name}/{answers_folder(self.holdout.id, model_arn)}output/",
                name=f"holdout-{self.holdout.id}-{readable(model_arn)}-{attempt.attempt}"[:256],
                token=hashlib.sha256(f"{self.holdout.id} {model_arn} {attempt.attempt}".encode()).hexdigest(),
            )
        except ModelNotUsable as error:
            attempts.note(attempt, failure=str(error))
            return None
        attempts.note(attempt, job_id=started.id)
        return started.id

    def read(self, model_arn: str, *, task: Task) -> tuple[HoldoutAttempt, Predictions] | Unanswered:
        """A model's answers, in the order of the hold-out's lines.

        Raises PredictionFailed if another attempt should follow, or if no job was started.
        """
        attempts = self._attempts(model_arn)
        known = attempts.last()
        if known is None:
            raise PredictionFailed(
                f"{model_arn} has not been asked about hold-out {self.holdout.id}: it became active after the hold-out "
                "was made ready. The next turn asks it."
            )
        if known.archive and not known.failure:
            try:
                answers = self._open(known.archive, task=task)
            except InvalidPredictions as error:
                known = attempts.note(known, failure=str(error))
            else:
                return known, answers
        if known.job_id is None and known.failure:
            return Unanswered(reason=known.failure)
        if known.failure and known.attempt >= MOST_ATTEMPTS:
            return Unanswered(
                reason=f"{known.attempt} of its classification jobs failed, the last one: {known.failure}"
            )
        raise PredictionFailed(
            f"Classification job {known.job_id} of {model_arn}: {known.failure or 'it has not ended'}. "
            "The next turn tries again."
        )

    def _open(self, key: str, *, task: Task) -> Predictions:
        try:
            with self.intake.open(key) as archive:
                return self.service.kind.read_answers(archive, documents=self.holdout.documents, task=task)
        except FileNotFoundError as error:
            raise InvalidPredictions(f"{key} is no longer in the intake bucket.") from error

    def _attempts(self, model_arn: str) -> Attempts[HoldoutAttempt]:
        return Attempts(
            intake=self.intake,
            jobs=self.service.jobs,
            key=attempt_key(self.holdout.id, model_arn),
            record=HoldoutAttempt,
        )


def _is_answered(known: HoldoutAttempt | None) -> bool:
    return known is not None and known.archive is not None and not known.failure
