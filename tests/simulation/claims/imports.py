"""Claims about models that another account imports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flywheel.records.announcements import ModelShared
from flywheel.records.imports import ACTIVE_MODEL_KEY, ActiveImport, origin_key
from flywheel.records.promotions import REQUESTS, PromotionRequest, PromotionSource
from flywheel.records.serving import SmokeTest, smoke_test_key
from flywheel.records.sharing import VERSIONS, SharedVersion
from tests.simulation.api import IMPORTER
from tests.simulation.claims import models, records, serving
from tests.simulation.claims.broken import require

if TYPE_CHECKING:
    from datetime import datetime

    from tests.simulation.simulation import Situation


def an_imported_model_serves_with_a_reason(situation: Situation) -> None:
    """It was announced, passed the smoke test if there is one, and the mode lets it; or a person wanted it."""
    app = situation.importing
    if app is None:
        return
    record = records.read(situation, ACTIVE_MODEL_KEY, ActiveImport, app=app)
    active = None if record is None else record.model_arn
    if active is None or active == app.seen_active:
        return
    before, app.seen_active = app.seen_active, active
    if active in app.wanted_models:
        return
    if active in app.promoted and before is not None and serving.failed_its_smoke_test(situation, app, before):
        # It is put back.
        return
    app.promoted.add(active)
    requests = [
        request
        for _, request in records.read_all(situation, REQUESTS, PromotionRequest, app=app)
        if request.model_arn == active
    ]
    announced = any(request.source is PromotionSource.ANNOUNCEMENT for request in requests)
    require(announced, f"{active} became active, and nobody announced it or asked for it: {requests}")
    if "true" in app.ever["import/FollowWithdrawals"] and any("takes the place of" in one.reason for one in requests):
        return
    shared, shared_before = (_shared_at(situation, one) for one in (active, before))
    older = shared is not None and shared_before is not None and shared < shared_before
    require(not older, f"{active} of {shared} became active after {before} of {shared_before}, and nobody said so")
    modes = app.ever["import/PromotionMode"]
    require("AUTOMATIC" in modes, f"{active} became active though PromotionMode is {modes}, and nobody said so")
    test = records.read(situation, smoke_test_key(active), SmokeTest, app=app)
    require(test is None or test.passed, f"{active} became active though it failed its smoke test")
    unwanted = "none" in app.ever["import/SmokeTestKey"]
    require(unwanted or test is not None, f"{active} became active without the smoke test")


def all_say_the_same_imported_model_is_active(situation: Situation) -> None:
    """The deployment's record, Parameter Store and the endpoint."""
    app = situation.importing
    if app is not None:
        record = records.read(situation, ACTIVE_MODEL_KEY, ActiveImport, app=app)
        models.agree(situation, app, None if record is None else record.model_arn)


def only_who_is_trusted_may_import(situation: Situation) -> None:
    """What the last deployment says, the policies of all models say."""
    app, world = situation.app, situation.world
    if app.unfinished:
        return
    trusted = app.parameters["flywheel"]["TrustedAccounts"]
    models_there = records.models_of(world, app.account)
    policies = {
        arn: json.dumps(policy) for arn, policy in world.roles.put.items() if policy is not None and arn in models_there
    }
    for arn, policy in policies.items():
        for account in (IMPORTER, "999988887777"):
            require(account in trusted or account not in policy, f"{account} is not trusted, and may import {arn}")
    published = app.published_model()
    if published in models_there and trusted != "none":
        policy = policies.get(str(published), "")
        require(_account(trusted) in policy, f"{trusted} may not import {published}")


def what_was_withdrawn_cannot_be_imported(situation: Situation) -> None:
    app, world = situation.app, situation.world
    if app.unfinished:
        return
    # The policy of a model that somebody deletes goes with it.
    models_there = records.models_of(world, app.account)
    for _, version in records.read_all(situation, VERSIONS, SharedVersion):
        if version.withdrawn is not None and version.model_arn in models_there:
            policy = world.roles.put.get(version.model_arn)
            require(policy is None, f"{version.model_arn} is withdrawn, and has the policy {policy}")


def _shared_at(situation: Situation, model_arn: str | None) -> datetime | None:
    """When the source shared an imported model."""
    origin = records.read(situation, origin_key(model_arn), ModelShared, app=situation.importing) if model_arn else None
    return origin.shared_at if origin else None


def _account(principal: str) -> str:
    """arn:aws:iam::444455556666:root, or the account alone."""
    return principal.split(":")[4] if principal.startswith("arn:") else principal
