from __future__ import annotations

import pytest

from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionMode
from tests.pipeline.deployed import Deployment
from tests.pipeline.promotions.world import BETTER, MORE, TEST, WRONG, World


@pytest.fixture
def world() -> World:
    at = Deployment()
    at.upload("train/a.csv", WRONG)
    at.upload("test/a.csv", TEST)
    assert at.run_turn().decision is DecisionKind.PROMOTE
    at.change(promotion_mode=PromotionMode.NEVER)
    at.upload("train/b.csv", BETTER)
    better = at.run_turn()
    at.upload("train/c.csv", MORE)
    other = at.run_turn()
    at.change(promotion_mode=PromotionMode.APPROVAL)
    active = at.active_model()
    assert active
    assert better.candidate
    assert other.candidate
    return World(at=at, active=active, better=better.candidate.arn, other=other.candidate.arn)
