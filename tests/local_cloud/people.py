"""What people do to a deployed flywheel besides uploading good files."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from flywheel.records import promotions
from flywheel.records.promotions import PromotionRequest, PromotionSource
from tests.local_cloud.pipeline import Document, Pipeline


def mislabelled(rows: list[Document]) -> list[Document]:
    return [({"CALM": "STORM", "STORM": "CALM"}[label], text) for label, text in rows]


def operator(pipeline: Pipeline, model_arn: str, request_id: str, *, poke: bool = True) -> None:
    """What `flywheel rollback` does."""
    request = PromotionRequest(
        id=request_id,
        source=PromotionSource.OPERATOR,
        model_arn=model_arn,
        flywheel_arn=pipeline.deployment.flywheel_arn,
        requested_at=datetime.now(UTC),
        by="a test",
        reason="a test",
        decided_against=pipeline.active_model(),
    )
    assert pipeline.deployment.intake.write_once(promotions.request_key(request_id), request)
    if poke:
        pipeline.send_promotion(json.dumps({"poke": "operator"}))
