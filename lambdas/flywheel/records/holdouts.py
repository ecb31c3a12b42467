"""Hold-outs, and the attempts to have models answer them."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

from flywheel.model_arn import short_name
from flywheel.records.job_attempts import JobAttempt
from flywheel.store.record import Record

HOLDOUTS = "evaluations/holdouts/"


class FrozenHoldout(Record):
    """`holdout.json`, written after everything else of a hold-out: without it there is none."""

    id: str
    documents: int
    units: int
    """What one model's answers to all of them are charged as, of 100 characters each."""
    labels: tuple[tuple[str, ...], ...]
    """The labels of each document, in the order of the lines of its text file."""

    @property
    def documents_folder(self) -> str:
        """Holds nothing but the texts: a job's S3Uri matches by prefix."""
        return f"{folder(self.id)}documents/"


class IterationHoldout(Record):
    """`evaluations/iterations/<iteration id>.json`: what an iteration's models are compared on, from then on."""

    iteration_id: str
    holdout_id: str | None
    """None: there was no test document that no model had been trained on."""


def folder(holdout_id: str) -> str:
    return f"{HOLDOUTS}{holdout_id}/"


def holdout_key(holdout_id: str) -> str:
    return f"{folder(holdout_id)}holdout.json"


def iteration_holdout_key(iteration_id: str) -> str:
    return f"evaluations/iterations/{iteration_id}.json"


class HoldoutAttempt(JobAttempt):
    """`prediction.json`: the last attempt to have a model answer a hold-out."""

    model_arn: str
    holdout_id: str
    asked_at: datetime
    asked_for: str
    """The iteration whose decision paid for it."""


def attempt_key(holdout_id: str, model_arn: str) -> str:
    return f"{answers_folder(holdout_id, model_arn)}prediction.json"


def answers_folder(holdout_id: str, model_arn: str) -> str:
    return f"{attempts_folder(holdout_id)}{readable(model_arn)}/"


def attempts_folder(holdout_id: str) -> str:
    return f"evaluations/predictions/{holdout_id}/"


def readable(model_arn: str) -> str:
    """Name and version of the model, and what tells it from one of another account or Region."""
    name = re.sub(r"[^A-Za-z0-9-]+", "-", short_name(model_arn))
    return f"{name[:120]}-{hashlib.sha256(model_arn.encode()).hexdigest()[:8]}"
