"""The app with a customer managed key: every function, machine and queue comes to its data through it."""

from __future__ import annotations

import json

from flywheel.records import DecisionKind, PromotionStatus, TurnOutcome
from local.cloud import LocalCloud
from tests.local_cloud.pipeline import CONTEXT, Pipeline, documents, paused
from tests.local_cloud.resources import Synthesise


def test_a_turn_and_its_promotion_go_through_with_a_key_of_the_stack(cloud: LocalCloud, synthesise: Synthesise) -> None:
    context = {**CONTEXT, "encryption": json.dumps({"mode": "new"})}
    pipeline = Pipeline.deploy(
        cloud.account("100000000006"), synthesise(context=context), MinimumScore="0", Evidence="HOLDOUT"
    )
    before = pipeline.current
    with paused(pipeline):
        pipeline.upload("train/news.csv", documents())
        pipeline.upload("test/news.csv", documents(20))
    record = pipeline.recorded(pipeline.next_turn(before))
    assert record.outcome is TurnOutcome.SUCCEEDED, record.cause
    assert record.decision is DecisionKind.PROMOTE, record.reasons
    assert pipeline.promotion_of(record).status in {PromotionStatus.PROMOTED, PromotionStatus.ALREADY_ACTIVE}
    pipeline.at_rest()
    assert pipeline.active_model() == pipeline.published()["active-model-arn"]
