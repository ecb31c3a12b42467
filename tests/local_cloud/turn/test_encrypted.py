"""The app with a customer managed key: every function, machine and queue comes to its data through it."""

from __future__ import annotations

import json
from pathlib import Path

from flywheel.records.analyses import AnalysisOutcome
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionStatus
from flywheel.records.serving import ServingStatus
from flywheel.records.turns import TurnOutcome
from local.cloud import LocalCloud
from ops.verbs.analyze import start_job, wait_for_analysis
from tests.local_cloud.people import mislabelled
from tests.local_cloud.pipeline import CONTEXT, NAME, Pipeline, documents, paused
from tests.local_cloud.resources import Synthesise
from tests.local_cloud.serving_stack import SMOKE_TEST_KEY, Serving


def test_turns_promotions_serving_and_an_analysis_job_go_through_with_a_key_of_the_stack(
    cloud: LocalCloud, synthesise: Synthesise, tmp_path: Path
) -> None:
    context = {**CONTEXT, "encryption": json.dumps({"mode": "new"})}
    pipeline = Pipeline.deploy(
        cloud.account("100000000006"), synthesise(context=context), MinimumScore="0", Evidence="HOLDOUT"
    )
    before = pipeline.current
    with paused(pipeline):
        pipeline.upload("train/news.csv", mislabelled(documents(50)))
        pipeline.upload("test/news.csv", documents(20))
    record = pipeline.recorded(pipeline.next_turn(before))
    assert record.outcome is TurnOutcome.SUCCEEDED, record.cause
    assert record.decision is DecisionKind.PROMOTE, record.reasons
    assert pipeline.promotion_of(record).status in {PromotionStatus.PROMOTED, PromotionStatus.ALREADY_ACTIVE}
    pipeline.at_rest()
    assert pipeline.active_model() == pipeline.published()["active-model-arn"]
    account = pipeline.account
    account.deploy(synthesise(context=context), stacks=[f"{NAME}-analysis"])
    _serve(pipeline, synthesise(context=context))
    path = tmp_path / "news.txt"
    path.write_text("".join(f"{text}\n" for _, text in documents(5)))
    started = start_job(pipeline.deployment, [path])
    summary = wait_for_analysis(pipeline.deployment, started, poll_seconds=0.2)
    assert (summary.outcome, summary.documents) == (AnalysisOutcome.SUCCEEDED, 10), summary.reason
    key = account.client("ssm").get_parameter(Name=f"/comprehend-flywheel/{NAME}/key-arn")["Parameter"]["Value"]
    bucket = pipeline.deployment.intake.name
    made = [found for found in pipeline.keys(f"analysis/jobs/{summary.job}/") if found.endswith("output.tar.gz")]
    for found in (*made, *summary.predictions):
        assert account.client("s3").head_object(Bucket=bucket, Key=found)["SSEKMSKeyId"] == key
    assert made


def _serve(pipeline: Pipeline, assembly: Path) -> None:
    """Comprehend opens a model only with a role that may use the key: the endpoint has it, and follows a promotion."""
    account = pipeline.account
    account.comprehend_administration("PUT", "settings", {"encrypted_model_needs_role": True})
    serving = Serving(pipeline=pipeline, assembly=assembly)
    serving.smoke_test(documents(3))
    serving.deploy(InferenceUnits="10", SmokeTestKey=SMOKE_TEST_KEY, SmokeTestMinimum="0")
    first = serving.becomes("IN_SERVICE", ModelArn=pipeline.active_model())
    assert first["DataAccessRoleArn"].startswith(f"arn:aws:iam::{account.account}:role/")
    serving.at_rest()
    assert serving.state().status is ServingStatus.IN_SERVICE
    pipeline.upload("train/more.csv", documents(80))
    record = pipeline.at_rest()
    assert record.decision is DecisionKind.PROMOTE, record.reasons
    promotion = pipeline.promotion_of(record)
    assert promotion.status is PromotionStatus.PROMOTED, promotion.reason
    assert "The smoke test passed" in str(promotion.serving)
    assert (
        serving.becomes("IN_SERVICE", ModelArn=promotion.model_arn)["DataAccessRoleArn"] == first["DataAccessRoleArn"]
    )
    assert pipeline.keys("serving/smoke-tests/")
    serving.destroy()
    assert serving.endpoint() is None
