"""The smoke test of an imported model before anything serves it: a job answers the documents of a small labelled file.

An endpoint would cost by the minute and has a quota.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.comprehend.jobs import Attempts, next_attempt
from flywheel.confidence import NO_THRESHOLDS
from flywheel.evaluation import InvalidPredictions
from flywheel.faults.errors import ImportFailed, ModelNotUsable, PromotionRefused, SmokeTestFailed
from flywheel.promotions.requests import open_request_of
from flywheel.records.imports import TrialAttempt, trial_folder, trial_key
from flywheel.records.promotions import require_current
from flywheel.records.serving import smoke_test_key
from flywheel.records.thresholds import thresholds_of
from flywheel.serving.smoke_test import Answered, find_documents, result_of
from flywheel.text.printable import on_one_line

if TYPE_CHECKING:
    from flywheel.comprehend.imported_models import ImportedModels
    from flywheel.records.serving import SmokeTest
    from flywheel.store.bucket import IntakeBucket


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One promotion's smoke test of its model."""

    promotion: str
    intake: IntakeBucket
    service: ImportedModels

    def start(self, key: str, *, minimum: float, delimiter: str) -> str | None:
        """Id of the job to wait for; None if there is nothing to wait for. `key` is that of the labelled file,
        `minimum` the share of its documents that has to be right.

        Raises NotCurrentPromotion, PromotionRefused, SmokeTestImpossible; ServiceBusy if too many jobs run.
        """
        require_current(self.intake, self.promotion)
        model_arn = open_request_of(self.promotion, self.intake).model_arn
        attempts = self._attempts()
        known = attempts.last()
        if known is not None and not known.failure:
            return known.job_id
        documents = find_documents(
            key,
            intake=self.intake,
            kind=self.service.kind,
            task=self.service.task_of(model_arn),
            delimiter=delimiter,
        )
        text = "".join(f"{on_one_line(document.text)}\n" for document in documents)
        self.intake.write_text(f"{self._documents}documents.txt", text)
        attempt = TrialAttempt(
            attempt=next_attempt(known),
            promotion=self.promotion,
            key=key,
            minimum=minimum,
            expected=tuple(tuple(document.labels) for document in documents),
            lines=tuple(document.line for document in documents),
        )
        try:
            started = self.service.start_job(
                model_arn=model_arn,
                documents_uri=f"s3://{self.intake.name}/{self._documents}",
                output_uri=f"s3://{self.intake.name}/{trial_folder(self.promotion)}output/",
                name=f"smoke-test-{self.promotion}-{attempt.attempt}",
                token=hashlib.sha256(f"{model_arn} {self.promotion} {attempt.attempt}".encode()).hexdigest(),
            )
        except ModelNotUsable as error:
            raise PromotionRefused(str(error)) from error
        attempts.note(attempt, job_id=started.id)
        return started.id

    def judge(self, *, now: datetime) -> SmokeTest | None:
        """Record how the model answered; None without a smoke test.

        Raises NotCurrentPromotion, PromotionRefused, SmokeTestFailed; ImportFailed if the job failed.
        """
        require_current(self.intake, self.promotion)
        model_arn = open_request_of(self.promotion, self.intake).model_arn
        known = self._attempts().last()
        if known is None:
            return None
        if known.failure or not known.archive:
            job = f"The smoke test's job {known.job_id}"
            raise ImportFailed(f"{job} failed: {known.failure}" if known.failure else f"{job} has not ended.")
        tested = result_of(
            self._answers(known, model_arn),
            model_arn=model_arn,
            endpoint_arn=None,
            key=known.key,
            minimum=known.minimum,
            now=now,
        )
        self.intake.write(smoke_test_key(model_arn), tested)
        if not tested.passed:
            raise SmokeTestFailed(tested.sentence)
        return tested

    @property
    def _documents(self) -> str:
        """Holds only the texts, because a job's S3Uri matches by prefix."""
        return f"{trial_folder(self.promotion)}documents/"

    def _answers(self, attempt: TrialAttempt, model_arn: str) -> list[Answered]:
        kind = self.service.kind
        thresholds = thresholds_of(model_arn, intake=self.intake) if kind.has_thresholds else NO_THRESHOLDS
        with self.intake.open(attempt.archive or "") as archive:
            try:
                answers = kind.read_answers(
                    archive,
                    documents=len(attempt.expected),
                    task=self.service.task_of(model_arn),
                    thresholds=thresholds,
                )
            except InvalidPredictions as error:
                raise ImportFailed(str(error)) from error
        return [
            Answered(line, frozenset(expected), answered)
            for line, expected, answered in zip(attempt.lines, attempt.expected, answers.by_line, strict=True)
        ]

    def _attempts(self) -> Attempts[TrialAttempt]:
        return Attempts(intake=self.intake, jobs=self.service.jobs, key=trial_key(self.promotion), record=TrialAttempt)
