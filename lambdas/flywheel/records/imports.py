"""Records of a deployment that imports models; and their keys."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from flywheel.records.announcements import ModelShared, ModelWithdrawn
from flywheel.records.decisions import Metrics, ModelScore
from flywheel.records.job_attempts import JobAttempt
from flywheel.records.model_arn import short_name
from flywheel.store.record import Record

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket

ACTIVE_MODEL_KEY = "imports/active-model.json"
MODELS = "imports/models/"
_RecordT = TypeVar("_RecordT", bound=Record)
WORK = "imports/trials/"
_LONGEST_VERSION_NAME = 63
"""By Comprehend's API model."""


class ActiveImport(Record):
    """The model that the deployment serves, or is about to serve. Only a promotion writes it: what a flywheel's active
    model is where there is a flywheel."""

    model_arn: str


class Import(Record):
    """The first attempt to import a version. Written before Comprehend is asked."""

    model_arn: str
    source_model_arn: str
    asked_at: datetime


def import_key(model_arn: str) -> str:
    return f"{MODELS}{_name(model_arn)}/import.json"


def origin_key(model_arn: str) -> str:
    """Of what the source told about the version: a `ModelShared`. Absent for one that was imported by hand before the
    source told of it."""
    return f"{MODELS}{_name(model_arn)}/origin.json"


def withdrawal_key(model_arn: str) -> str:
    """Of the last `ModelWithdrawn` about the version."""
    return f"{MODELS}{_name(model_arn)}/withdrawn.json"


class Origin(Record):
    """Where an imported version comes from."""

    model_arn: str
    source_model_arn: str
    shared: ModelShared | None = None
    """What the source told when it shared the version; None if it has not."""
    withdrawn: ModelWithdrawn | None = None
    """Unless it has shared the version again since."""
    asked_at: datetime | None = None
    """When Comprehend was asked first to import it."""

    @property
    def source(self) -> str:
        """In words, of scores: who gave them."""
        return f"{self.shared.flywheel} in account {self.shared.account}" if self.shared else "no score is recorded"

    @property
    def score(self) -> ModelScore:
        """The scores that the source promoted it with."""
        scores = self.shared.scores if self.shared else None
        return ModelScore(arn=self.model_arn, metrics=scores or Metrics(), source=self.source)


def origin_of(model_arn: str, *, intake: IntakeBucket, source_model_arn: str | None = None) -> Origin | None:
    """None if nothing is known of the version. `source_model_arn` is what a request for it says."""
    return _origin(
        model_arn,
        shared=intake.read(origin_key(model_arn), ModelShared),
        asked=intake.read(import_key(model_arn), Import),
        withdrawn=intake.read(withdrawal_key(model_arn), ModelWithdrawn),
        source_model_arn=source_model_arn,
    )


def origins(model_arn: str, *, intake: IntakeBucket) -> dict[str, Origin]:
    """Of all versions of which something is known, by their ARNs. `model_arn` is what these begin with."""
    keys = sorted(intake.keys(MODELS))

    def read(last: str, kind: type[_RecordT]) -> list[_RecordT]:
        return intake.read_all([key for key in keys if key.endswith(f"/{last}")], kind)

    def arn_of(source_arn: str) -> str:
        return f"{model_arn}/version/{version_name(source_arn)}"

    shared = {arn_of(each.model): each for each in read("origin.json", ModelShared)}
    asked = {each.model_arn: each for each in read("import.json", Import)}
    withdrawn = {arn_of(each.model): each for each in read("withdrawn.json", ModelWithdrawn)}
    found = (
        _origin(arn, shared=shared.get(arn), asked=asked.get(arn), withdrawn=withdrawn.get(arn))
        for arn in dict.fromkeys([*shared, *asked, *withdrawn])
    )
    return {origin.model_arn: origin for origin in found if origin is not None}


def _origin(
    model_arn: str,
    *,
    shared: ModelShared | None,
    asked: Import | None,
    withdrawn: ModelWithdrawn | None,
    source_model_arn: str | None = None,
) -> Origin | None:
    if shared is not None:
        source_model_arn = shared.model
    elif asked is not None:
        source_model_arn = asked.source_model_arn
    elif withdrawn is not None:
        source_model_arn = withdrawn.model
    if source_model_arn is None:
        return None
    again = shared is not None and withdrawn is not None and shared.shared_at > withdrawn.withdrawn_at
    return Origin(
        model_arn=model_arn,
        source_model_arn=source_model_arn,
        shared=shared,
        withdrawn=None if again else withdrawn,
        asked_at=asked.asked_at if asked else None,
    )


class TrialAttempt(JobAttempt):
    """The last attempt to have a promotion's model answer the smoke test's documents in a job."""

    key: str
    """Of the labelled file."""
    minimum: float
    expected: tuple[tuple[str, ...], ...]
    """The labels of each document, in the order of the job's lines."""
    lines: tuple[int, ...]
    """Where each document begins in the labelled file."""


def trial_folder(promotion: str) -> str:
    return f"{WORK}{promotion}/"


def trial_key(promotion: str) -> str:
    return f"{trial_folder(promotion)}trial.json"


def version_name(source_arn: str) -> str:
    """VersionName of the version that is imported from `source_arn`: its end, as people know it, with a hash of all of
    it, because two accounts may have a model of the same name."""
    digest = hashlib.sha256(source_arn.encode()).hexdigest()[:8]
    words = re.sub(r"[^A-Za-z0-9]+", "-", short_name(source_arn).replace("/version/", "-"))
    room = _LONGEST_VERSION_NAME - 1 - len(digest)
    if len(words) > room:
        # No half word, unless there is only one.
        words = words[-room:].partition("-")[2] or words[-room:]
    return f"{words.strip('-')}-{digest}"


def _name(model_arn: str) -> str:
    """All versions have the import's name: the name of the version tells them apart."""
    return model_arn.rpartition("/")[2]
