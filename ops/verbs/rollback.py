"""A person's request to make a certain model active, by default the former one: through the promote machine."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from flywheel.decisions.history import is_of_another_flywheel
from flywheel.promotions import requests
from flywheel.records import promotions, turns
from flywheel.records.imports import Origin, origin_of
from flywheel.records.model_arn import ModelArn
from flywheel.records.promotions import Promotion, PromotionRequest, PromotionSource
from flywheel.store.record import Record
from flywheel.text.byte_limits import LONGEST_SENTENCE, within
from ops.deployment.errors import OperatorError, UnknownVersionError
from ops.deployment.published import AnyDeployment, ImportDeployment
from ops.verbs.models import active_history, decisions_by_model, matching, origins
from ops.verbs.turns import turn_name


class Rollback(Record):
    model_arn: str
    request: PromotionRequest | None = None
    """None: the model is active and published already, or about to be."""
    promotion: Promotion | None = None
    """How it ended, if that was waited for."""


def rollback(
    deployment: AnyDeployment, *, to: str | None = None, reason: str = "", now: datetime | None = None
) -> Rollback:
    """Ask the promote machine for the model that `to` names, by default the one that was active before.

    `to` is a model's ARN, a version's name or an unmistakable beginning or end of it, or a turn's name. Raises
    UnknownVersionError, UnknownTurnError, and OperatorError if that is ambiguous, deleted or there is none before.
    """
    service = deployment.service
    active = service.describe().active_model_arn
    model_arn = find_model(deployment, to) if to else former_model(deployment, active)
    origin = origin_of(model_arn, intake=deployment.intake) if isinstance(deployment, ImportDeployment) else None
    if service.models.describe(model_arn) is None:
        raise OperatorError(_not_there(model_arn, origin))
    source = origin.source_model_arn if origin else None
    return ask_for(deployment, model_arn, active=active, source_model_arn=source, reason=reason, now=now)


def _not_there(model_arn: str, origin: Origin | None) -> str:
    if origin is not None:
        return (
            f"{model_arn} is not in this account any more, or not yet: `flywheel import {origin.source_model_arn}` "
            "imports it while its source shares it."
        )
    return (
        f"{model_arn} was deleted (ModelsToKeep): `flywheel models` lists what there is. Its training data are "
        "still in the flywheel: the next model is trained on them, too."
    )


def ask_for(
    deployment: AnyDeployment,
    model_arn: str,
    *,
    active: str | None,
    source_model_arn: str | None = None,
    reason: str,
    now: datetime | None = None,
) -> Rollback:
    """Ask the promote machine for the model, unless it is `active` and published already, or about to be."""
    if model_arn == active and _is_or_will_be_published(deployment, model_arn):
        return Rollback(model_arn=model_arn)
    now = now or datetime.now(UTC)
    request = PromotionRequest(
        id=f"operator-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}",
        source=PromotionSource.OPERATOR,
        model_arn=model_arn,
        source_model_arn=source_model_arn,
        flywheel_arn=deployment.service.arn,
        requested_at=_after_the_others(deployment, now),
        by=deployment.clients.caller(),
        reason=within(reason, LONGEST_SENTENCE) or "No reason was given.",
        decided_against=active,
    )
    deployment.intake.write_once(promotions.request_key(request.id), request)
    deployment.poke_promotions()
    return Rollback(model_arn=model_arn, request=request)


def _is_or_will_be_published(deployment: AnyDeployment, model_arn: str) -> bool:
    """A flywheel's only model stays active in Comprehend though it failed its smoke test: then it can be requested
    again."""
    return deployment.models.active() == model_arn or model_arn in requests.requested_models(deployment.intake)


def find_model(deployment: AnyDeployment, wanted: str) -> str:
    """The ARN of the model that `wanted` names; see `rollback`."""
    if wanted.startswith("arn:"):
        by_source = [arn for arn, origin in origins(deployment).items() if origin.source_model_arn == wanted]
        if by_source:
            return by_source[0]
        kind, named = deployment.service.kind, ModelArn.parse(wanted)
        if named is None or named.resource != kind.arn_resource:
            raise UnknownVersionError(wanted, why=f"it is not the ARN of a {kind.words}")
        return wanted
    made = decisions_by_model(deployment)
    if turns.number_of(wanted) is not None:
        turn = turn_name(deployment, wanted)
        trained = [arn for arn, decision in made.items() if decision.turn == turn]
        if not trained:
            raise UnknownVersionError(f"of {turn}", why="it trained none, or has not decided yet")
        return trained[-1]
    known = [model.arn for model in deployment.service.own_models()]
    known += [version.arn for version in active_history(deployment)] + list(made) + list(origins(deployment))
    found = matching(dict.fromkeys(known), wanted)
    if not found:
        raise UnknownVersionError(wanted)
    if len(found) > 1:
        raise OperatorError(f"{wanted} may be each of {', '.join(found)}: write more of the name, or the ARN.")
    return found[0]


def former_model(deployment: AnyDeployment, active: str | None) -> str:
    """What was active before `active`, also where that is not published yet. Raises OperatorError."""
    published = deployment.models
    last = published.active()
    if active is not None and last is not None and last != active and not _of_former_generation(deployment, last):
        return last
    previous = published.previous()
    if previous is None:
        raise OperatorError(
            "No model was active before the present one, so there is nothing to go back to: `flywheel models` lists "
            "what --to may name."
        )
    return previous


def _of_former_generation(deployment: AnyDeployment, model_arn: str) -> bool:
    flywheel_arn = deployment.service.arn
    return flywheel_arn is not None and is_of_another_flywheel(
        model_arn, intake=deployment.intake, flywheel_arn=flywheel_arn
    )


def _after_the_others(deployment: AnyDeployment, now: datetime) -> datetime:
    """Later than every open request, whatever this machine's clock says: a person's request ends older ones."""
    latest = max((request.requested_at for request in requests.open_requests(deployment.intake)), default=now)
    return now if now > latest else latest + timedelta(microseconds=1)
