"""Every version of the model: who made it, how good it is, when it was active, what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby, zip_longest

from flywheel.comprehend.model_kind import Model
from flywheel.decisions.history import score_by
from flywheel.promotions import requests
from flywheel.records.decisions import DECISIONS, Decision, ModelScore
from flywheel.records.imports import Origin
from flywheel.records.imports import origins as all_origins
from flywheel.records.promotions import Promotion
from flywheel.store.parameters import ACTIVE
from flywheel.store.record import Record
from ops.deployment.published import AnyDeployment, ImportDeployment
from ops.verbs.promotions import all_requests

DELETED = "DELETED"
"""The status of a version that only Parameter Store's history knows."""
NOT_HERE = "NOT_HERE"
"""That of one which the source shared and which is not in this account: it was refused, or deleted before it served."""


class ModelMark(StrEnum):
    ACTIVE = "active"
    """What the flywheel itself says."""
    PREVIOUS = "previous"
    DESIRED = "desired"
    """Only where it is not the active one."""
    WAITING = "waiting for approval"
    WITHDRAWN = "withdrawn by the source"


class ActiveTime(Record):
    since: datetime
    until: datetime | None = None
    """None: it still is."""


class ModelVersion(Record):
    arn: str
    name: str
    """The last part of the ARN."""
    status: str
    """Comprehend's, DELETED or NOT_HERE."""
    trained_at: datetime | None = None
    """When its training, or import, was submitted."""
    score: ModelScore
    turn: str | None = None
    """The turn that made it; None for a model from elsewhere."""
    iteration_id: str | None = None
    source_model_arn: str | None = None
    """The version of the source that it was imported from, or would be."""
    shared_at: datetime | None = None
    """When the source shared it."""
    active: tuple[ActiveTime, ...] = ()
    """As published in Parameter Store, which keeps the last 100 changes."""
    marks: tuple[ModelMark, ...] = ()
    promotion: Promotion | None = None
    """What became of the last request to promote it."""


class PublishedVersion(Record):
    """One version of the parameter `active-model-arn`."""

    arn: str
    at: datetime


def list_models(deployment: AnyDeployment) -> list[ModelVersion]:
    """Newest first: what Comprehend has of this deployment, what else was active once, and what the source shared."""
    service = deployment.service
    times = active_times(active_history(deployment))
    shared = origins(deployment)
    marks = _marks(deployment, actual=service.describe().active_model_arn, origins=shared)
    described: dict[str, Model | None] = {model.arn: model for model in service.own_models()}
    for arn in [*times, *marks]:
        if arn not in described:
            described[arn] = service.models.describe(arn)
    # What is of this deployment and not listed is not there.
    described = {**dict.fromkeys(shared), **described}
    made = decisions_by_model(deployment)
    requested = {request.model_arn: request.id for request in all_requests(deployment)}
    found = []
    for arn, model in described.items():
        decision, request_id, origin = made.get(arn), requested.get(arn), shared.get(arn)
        found.append(
            ModelVersion(
                arn=arn,
                name=version_name(arn),
                status=model.status if model else NOT_HERE if origin and arn not in times else DELETED,
                trained_at=model.submitted_at if model else None,
                score=origin.score if origin and origin.shared else score_by(decision, service=service, model_arn=arn),
                turn=decision.turn if decision else None,
                iteration_id=decision.iteration_id if decision else None,
                source_model_arn=origin.source_model_arn if origin else None,
                shared_at=origin.shared.shared_at if origin and origin.shared else None,
                active=times.get(arn, ()),
                marks=marks.get(arn, ()),
                promotion=requests.promotion_of(request_id, intake=deployment.intake) if request_id else None,
            )
        )
    return sorted(found, key=_age, reverse=True)


def origins(deployment: AnyDeployment) -> dict[str, Origin]:
    """By ARN of the version here: what is known of those that were imported, or that the source shared or withdrew."""
    if not isinstance(deployment, ImportDeployment):
        return {}
    return all_origins(deployment.published.imported_model_arn, intake=deployment.intake)


def active_history(deployment: AnyDeployment) -> list[PublishedVersion]:
    """The versions of `active-model-arn`, oldest first; none before the first promotion."""
    ssm = deployment.clients.ssm
    pages = ssm.get_paginator("get_parameter_history").paginate(Name=f"{deployment.prefix}/{ACTIVE}")
    try:
        versions = [version for page in pages for version in page["Parameters"]]
    except ssm.exceptions.ParameterNotFound:
        return []
    ordered = sorted(versions, key=lambda version: version["Version"])
    return [PublishedVersion(arn=version["Value"], at=version["LastModifiedDate"]) for version in ordered]


def active_times(history: Sequence[PublishedVersion]) -> dict[str, tuple[ActiveTime, ...]]:
    """From when to when each model was active, oldest first. A version that repeats the one before changes nothing."""
    changes = [next(versions) for _, versions in groupby(history, key=lambda version: version.arn)]
    times: dict[str, tuple[ActiveTime, ...]] = {}
    for change, following in zip_longest(changes, changes[1:]):
        until = following.at if following else None
        times[change.arn] = (*times.get(change.arn, ()), ActiveTime(since=change.at, until=until))
    return times


def decisions_by_model(deployment: AnyDeployment) -> dict[str, Decision]:
    """The decision on each model that an iteration trained; the newest where there are several."""
    keys = sorted(deployment.intake.keys(DECISIONS))
    decisions = deployment.intake.read_all(keys, Decision)
    return {decision.candidate.arn: decision for decision in decisions if decision.candidate is not None}


def version_name(model_arn: str) -> str:
    return model_arn.rsplit("/", 1)[-1]


def matching(names: Iterable[str], wanted: str) -> list[str]:
    """The ARNs whose version name is `wanted`, else those whose name begins or ends with it."""
    arns = list(names)
    exact = [arn for arn in arns if version_name(arn) == wanted]
    return exact or [arn for arn in arns if version_name(arn).startswith(wanted) or version_name(arn).endswith(wanted)]


def _marks(
    deployment: AnyDeployment, *, actual: str | None, origins: Mapping[str, Origin]
) -> dict[str, tuple[ModelMark, ...]]:
    """By ARN."""
    published = deployment.models
    desired, waiting = published.desired(), requests.waiting_promotion(deployment.intake)
    request = waiting.beginning.request if waiting else None
    marked = {
        ModelMark.ACTIVE: actual,
        ModelMark.PREVIOUS: published.previous(),
        ModelMark.DESIRED: desired.arn if desired and desired.arn != actual else None,
        ModelMark.WAITING: request.model_arn if request else None,
    }
    withdrawn = {arn for arn, origin in origins.items() if origin.withdrawn}
    return {
        arn: tuple(
            mark for mark in ModelMark if marked.get(mark) == arn or (mark is ModelMark.WITHDRAWN and arn in withdrawn)
        )
        for arn in [*marked.values(), *withdrawn]
        if arn is not None
    }


def _age(version: ModelVersion) -> tuple[datetime, str]:
    first = version.trained_at or (version.active[0].since if version.active else version.shared_at)
    return first or datetime.min.replace(tzinfo=UTC), version.arn
