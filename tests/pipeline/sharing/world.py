"""A deployment with three models, of which people promote some."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flywheel.promotions import requests
from flywheel.records import promotions
from flywheel.records.announcements import MODEL_SHARED, MODEL_WITHDRAWN, ModelShared, ModelWithdrawn
from flywheel.records.promotions import Promotion, PromotionMode, PromotionRequest, PromotionSource
from tests.pipeline.turn_driver import LABELS, Deployment, documents

PROD, STAGE = "444455556666", "777788889999"
PROD_ROOT, STAGE_ROOT = (f"arn:aws:iam::{account}:root" for account in (PROD, STAGE))


@dataclass(kw_only=True)
class World:
    """None of the models was promoted yet."""

    at: Deployment
    models: list[str]

    def promote(self, model: str) -> Promotion:
        """As an operator asks for it, to its end."""
        at = self.at
        at.cloud.clock.advance(timedelta(minutes=1))
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
        at.promote_all()
        found = requests.promotion_of(request.id, intake=at.bucket)
        assert found
        return found

    def shared(self, account: str = PROD) -> list[ModelShared]:
        return [ModelShared.model_validate(detail) for detail in self.at.buses.of(account, MODEL_SHARED)]

    def withdrawn(self, account: str = PROD) -> list[ModelWithdrawn]:
        return [ModelWithdrawn.model_validate(detail) for detail in self.at.buses.of(account, MODEL_WITHDRAWN)]


def new_world() -> World:
    at = Deployment(promotion_mode=PromotionMode.NEVER)
    at.upload("test/a.csv", documents(*LABELS, count=6, words="judge: "))
    models = []
    for number in range(3):
        at.upload(f"train/{number}.csv", documents(*LABELS, start=100 * (number + 1), count=10))
        candidate = at.run_turn().candidate
        assert candidate
        models.append(candidate.arn)
    return World(at=at, models=models)
