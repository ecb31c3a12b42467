"""Records of hold-outs (test documents for comparing models) and of the jobs that predict them; and their keys."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

from flywheel.records.job_attempts import JobAttempt
from flywheel.records.model_arn import short_name
from flywheel.store.record import Record

HOLDOUTS = "evaluations/holdouts/"
OF_ITERATIONS = "evaluations/iterations/"


class FrozenHoldout(Record):
    """`holdout.json`. Written last: a hold-out without it does not count."""

    id: str
    documents: int
    units: int
    """Units of 100 characters that Comprehend charges for one model's predictions of all documents."""
    labels: tuple[tuple[str, ...], ...]
    """The labels of each document, in the order of the lines of its text file."""

    @property
    def documents_folder(self) -> str:
        """Holds only the texts, because a job's S3Uri matches by prefix."""
        return f"{folder(self.id)}documents/"

    @property
    def documents_key(self) -> str:
        return f"{self.documents_folder}documents.txt"


def folder(holdout_id: str) -> str:
    return f"{HOLDOUTS}{holdout_id}/"


def holdout_key(holdout_id: str) -> str:
    return f"{folder(holdout_id)}holdout.json"


class IterationHoldout(Record):
    """`evaluations/iterations/<iteration id>.json`: the hold-out on which an iteration's models are compared. Written
    once."""

    iteration_id: str
    holdout_id: str | None
    """None: every test document had been used for training."""


def iteration_holdout_key(iteration_id: str) -> str:
    return f"{OF_ITERATIONS}{iteration_id}.json"


class HoldoutAttempt(JobAttempt):
    """`prediction.json`: the last attempt to have a model predict a hold-out."""

    model_arn: str
    holdout_id: str
    asked_at: datetime
    asked_for: str
    """The iteration whose decision needed the predictions, and paid for them."""


def attempt_key(holdout_id: str, model_arn: str) -> str:
    return f"{answers_folder(holdout_id, model_arn)}prediction.json"


def answers_folder(holdout_id: str, model_arn: str) -> str:
    return f"{attempts_folder(holdout_id)}{readable(model_arn)}/"


def attempts_folder(holdout_id: str) -> str:
    return f"evaluations/predictions/{holdout_id}/"


def readable(model_arn: str) -> str:
    """Name and version of the model, with a hash of its ARN: two accounts may have a model of the same name."""
    name = re.sub(r"[^A-Za-z0-9-]+", "-", short_name(model_arn))
    return f"{name[:120]}-{hashlib.sha256(model_arn.encode()).hexdigest()[:8]}"
