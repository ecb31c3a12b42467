"""A deployment with three models, of which people promote some, and the event buses of other accounts."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flywheel.promotions import requests
from flywheel.records import promotions
from flywheel.records.announcements import MODEL_SHARED, MODEL_WITHDRAWN, ModelShared, ModelWithdrawn
from flywheel.records.promotions import Promotion, PromotionMode, PromotionRequest, PromotionSource
from flywheel.records.sharing import STATE_KEY, SharedVersion, SharingState, shared_versions
from flywheel.sharing.policy import PolicyDocument
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, documents
from tests.simulation.api import REGION, Caller

PROD, STAGE, THIRD = "444455556666", "777788889999", "888899990000"
PROD_ROOT, STAGE_ROOT = (f"arn:aws:iam::{account}:root" for account in (PROD, STAGE))
LASTS = timedelta(minutes=6)
"""Longer than whoever shares holds the lease."""


class Buses:
    """The default buses of other accounts, as far as they are `opened`."""

    def __init__(self, at: Deployment) -> None:
        self._at = at
        self._taken: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
        self.requests: Counter[float] = Counter()
        """How many entries each had, by the moment at which it came."""

    def opened(self, account: str) -> None:
        """A policy lets the deployment's account send."""
        bus = f"arn:aws:events:{REGION}:{account}:event-bus/default"
        principal = {"AWS": f"arn:aws:iam::{self._at.app.account}:root"}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "events:PutEvents", "Resource": bus}
        self._at.world.roles.put_policy(bus, {"Version": "2012-10-17", "Statement": [statement]})
        self._at.world.events.open_to[account] = self._take

    def closed(self, account: str) -> None:
        self._at.world.roles.put_policy(f"arn:aws:events:{REGION}:{account}:event-bus/default", None)

    def _take(self, _caller: Caller, entry: Mapping[str, Any]) -> bool:
        self.requests[self._at.kernel.now] += 1
        account = entry["EventBusName"].split(":")[4]
        if account not in self._at.world.events.failing:
            self._taken[account].append((entry["DetailType"], json.loads(entry["Detail"])))
        return True

    def of(self, account: str, detail_type: str) -> list[dict[str, Any]]:
        return [detail for kind, detail in self._taken[account] if kind == detail_type]


class Sharing:
    """What people do about sharing, and what is to be seen of it."""

    def __init__(self, at: Deployment) -> None:
        self.at = at
        self.buses = Buses(at)
        for account in (PROD, STAGE, THIRD):
            self.buses.opened(account)

    def trust(self, *given: str) -> None:
        """Deploy with this list. Raises DeploymentFailed."""
        self.at.change(trusted_accounts=",".join(given) or "none")

    def share(self) -> str | None:
        """As the schedule does it; what it says of it."""
        told: dict[str, str | None] = self.at.invoke("share_model", {"poke": "schedule"})
        return told["reason"]

    def policy(self, model_arn: str) -> dict[str, Any] | None:
        comprehend = self.at.comprehend
        try:
            answer = comprehend.describe_resource_policy(ResourceArn=model_arn)
        except comprehend.exceptions.ResourceNotFoundException:
            return None
        found: dict[str, Any] = json.loads(answer["ResourcePolicy"])
        return found

    def importers(self, model_arn: str) -> list[str]:
        """Whom the pipeline's statement lets import the model."""
        policy = self.policy(model_arn)
        own = PolicyDocument.parse(json.dumps(policy)).own if policy else None
        return list(own["Principal"]["AWS"]) if own else []

    def put_policy(self, model_arn: str, *statements: dict[str, Any]) -> None:
        """Somebody puts it by hand."""
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        with self.at.people.acting(""):
            self.at.client("comprehend").put_resource_policy(ResourceArn=model_arn, ResourcePolicy=document)

    def versions(self) -> dict[str, SharedVersion]:
        return {version.model_arn: version for version in shared_versions(self.at.bucket)}

    def undelivered(self) -> dict[str, str]:
        """By account, as it was noted."""
        return (self.at.bucket.read(STATE_KEY, SharingState) or SharingState()).undelivered

    def shared(self, account: str = PROD) -> list[ModelShared]:
        return [ModelShared.model_validate(detail) for detail in self.buses.of(account, MODEL_SHARED)]

    def withdrawn(self, account: str = PROD) -> list[ModelWithdrawn]:
        return [ModelWithdrawn.model_validate(detail) for detail in self.buses.of(account, MODEL_WITHDRAWN)]


class World(Sharing):
    """With three models that were not promoted yet."""

    def __init__(self) -> None:
        super().__init__(Deployment(promotion_mode=PromotionMode.NEVER))
        at = self.at
        at.upload("test/a.csv", documents(*LABELS, count=6, words="judge: "))
        self.models = []
        for number in range(3):
            at.upload(f"train/{number}.csv", documents(*LABELS, start=100 * (number + 1), count=10))
            candidate = at.run_turn().candidate
            assert candidate
            self.models.append(candidate.arn)

    def ask(self, model: str) -> PromotionRequest:
        """As an operator does, a minute later."""
        at = self.at
        at.let_pass(timedelta(minutes=1))
        request = PromotionRequest(
            id=f"request-{len(at.keys(promotions.REQUESTS))}",
            source=PromotionSource.OPERATOR,
            model_arn=model,
            flywheel_arn=at.flywheel_arn,
            requested_at=at.now(),
            by="Ada",
            reason="She wants it.",
            decided_against=at.active_model(),
        )
        at.bucket.write(promotions.request_key(request.id), request)
        at.operator.poke_promotions()
        return request

    def promote(self, model: str) -> Promotion:
        """To its end."""
        request = self.ask(model)
        self.at.settle()
        found = requests.promotion_of(request.id, intake=self.at.bucket)
        assert found
        return found
