"""What is known of one version of the model: its data, scores, decision, approval, and where it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from flywheel.promotions import requests
from flywheel.records import turns
from flywheel.records.datasets import DatasetManifest, accepted_manifests, by_single_label
from flywheel.records.decisions import Decision
from flywheel.records.promotions import Promotion
from flywheel.records.review import Batch, batch_key, reviewers
from flywheel.records.serving import SmokeTest, smoke_test_of
from flywheel.records.sharing import SharedVersion, shared_versions
from flywheel.records.thresholds import thresholds_of
from flywheel.records.uploads import Split
from flywheel.sharing.principals import accounts_of
from flywheel.store.record import Record
from ops.deployment.errors import UnknownVersionError
from ops.deployment.published import AnyDeployment, Deployment
from ops.verbs.models import ModelVersion, decisions_by_model, list_models
from ops.verbs.promotions import all_requests
from ops.verbs.rollback import find_model

REVIEWED = "review/"
"""Below `train/` and `test/`: uploads that are made of reviewers' answers."""


class UploadShare(Record):
    """What an upload gave to the model."""

    key: str
    documents: int
    reviewers: tuple[str, ...] = ()
    """ARNs, of an upload that is made of their answers."""


class TrainingData(Record):
    """Of the datasets that the flywheel had when the model was trained."""

    documents: int
    labels: dict[str, int]
    """Documents, or a recognizer's entities, by single label."""
    uploads: tuple[UploadShare, ...]
    """Largest first."""


class ModelCard(Record):
    model: ModelVersion
    decision: Decision | None = None
    """With its reasons, and the scores of each label where a hold-out decides."""
    training: TrainingData | None = None
    """None of a model from elsewhere."""
    test: TrainingData | None = None
    promotions: tuple[Promotion, ...] = ()
    """What became of each request to promote it, oldest first."""
    thresholds: dict[str, float] = {}
    """From which on a multi-label model says yes to a label."""
    smoke_test: SmokeTest | None = None
    shared: SharedVersion | None = None
    shared_with: tuple[str, ...] = ()
    """Accounts that may import it."""


def model_card(deployment: AnyDeployment, asked: str) -> ModelCard:
    """`asked` is as `rollback` takes it. Raises its errors, and botocore's."""
    arn, intake = find_model(deployment, asked), deployment.intake
    model = next((found for found in list_models(deployment) if found.arn == arn), None)
    if model is None:
        raise UnknownVersionError(arn, why="Comprehend does not have it, or not any more")
    decision = decisions_by_model(deployment).get(arn)
    found = (
        requests.promotion_of(each.id, intake=intake) for each in all_requests(deployment) if each.model_arn == arn
    )
    shared = next((version for version in shared_versions(intake) if version.model_arn == arn), None)
    trains = isinstance(deployment, Deployment) and decision is not None
    return ModelCard(
        model=model,
        decision=decision,
        training=_data(deployment, Split.TRAIN, decision) if trains and decision else None,
        test=_data(deployment, Split.TEST, decision) if trains and decision else None,
        promotions=tuple(promotion for promotion in found if promotion is not None),
        thresholds=dict(thresholds_of(arn, intake=intake)),
        smoke_test=smoke_test_of(arn, intake=intake),
        shared=shared,
        shared_with=tuple(accounts_of(shared.principals or ())) if shared else (),
    )


def _data(deployment: AnyDeployment, split: Split, decision: Decision) -> TrainingData:
    """Of the datasets of this flywheel that were there: an iteration takes all of them."""
    last = turns.number_of(decision.turn) or 0
    there = [
        manifest
        for manifest in accepted_manifests(deployment.intake, split)
        if manifest.flywheel_arn == decision.flywheel_arn and (turns.number_of(manifest.turn) or 0) <= last
    ]
    labels: Counter[str] = Counter()
    for manifest in there:
        for part in manifest.parts:
            labels.update(by_single_label(part.labels))
    return TrainingData(
        documents=sum(manifest.documents for manifest in there),
        labels=dict(labels),
        uploads=tuple(_shares(deployment, split, there)),
    )


def _shares(deployment: AnyDeployment, split: Split, there: Iterable[DatasetManifest]) -> list[UploadShare]:
    documents: Counter[str] = Counter()
    for manifest in there:
        for part in manifest.parts:
            # Equal files are one part: the first one counts.
            documents[part.sources[0].key if part.sources else "?"] += part.documents
    reviewed = [key for key in documents if key.startswith(f"{split}/{REVIEWED}")]
    batches = {key: _batch(deployment, key) for key in reviewed}
    return [
        UploadShare(key=key, documents=count, reviewers=tuple(sorted(reviewers(batch.items))) if batch else ())
        for key, count in documents.most_common()
        for batch in (batches.get(key),)
    ]


def _batch(deployment: AnyDeployment, key: str) -> Batch | None:
    name = key.rsplit("/", 1)[-1].removesuffix(".jsonl")
    return deployment.intake.read(batch_key(name), Batch)
