"""The app with a customer managed key: every function, machine and queue comes to its data through it.

Its models are multi-label ones, so that functions also come to their thresholds, which the hold-out chose."""

from __future__ import annotations

import json
from pathlib import Path

from flywheel.confidence import YES
from flywheel.records.analyses import PREDICTIONS_JSONL, AnalysisOutcome, AnalysisSummary, output_key
from flywheel.records.decisions import LEAST_SUPPORT, DecisionKind
from flywheel.records.promotions import PromotionStatus
from flywheel.records.serving import ServingStatus
from flywheel.records.thresholds import ModelThresholds, thresholds_key
from flywheel.records.turns import TurnOutcome
from local.cloud import LocalCloud
from ops.verbs.analyze import start_job, wait_for_analysis
from ops.verbs.classify import find_api
from tests.local_cloud.people import mislabelled
from tests.local_cloud.pipeline import CONTEXT, LABELS, NAME, Pipeline, documents, paused
from tests.local_cloud.resources import Synthesise
from tests.local_cloud.serving_stack import SMOKE_TEST_KEY, Serving


def test_turns_promotions_serving_and_an_analysis_job_go_through_with_a_key_of_the_stack(
    cloud: LocalCloud, synthesise: Synthesise, tmp_path: Path
) -> None:
    context = {**CONTEXT, "mode": "MULTI_LABEL", "encryption": json.dumps({"mode": "new"})}
    pipeline = Pipeline.deploy(
        cloud.account("100000000006"), synthesise(context=context), MinimumScore="0", Evidence="HOLDOUT"
    )
    before = pipeline.current
    with paused(pipeline):
        pipeline.upload("train/news.csv", mislabelled(documents(50)))
        pipeline.upload("test/news.csv", documents(LEAST_SUPPORT))
    record = pipeline.recorded(pipeline.next_turn(before))
    assert record.outcome is TurnOutcome.SUCCEEDED, record.cause
    assert record.decision is DecisionKind.PROMOTE, record.reasons
    assert pipeline.promotion_of(record).status in {PromotionStatus.PROMOTED, PromotionStatus.ALREADY_ACTIVE}
    pipeline.at_rest()
    assert pipeline.active_model() == pipeline.published()["active-model-arn"]
    account = pipeline.account
    account.deploy(synthesise(context=context), stacks=[f"{NAME}-analysis"])
    path = tmp_path / "news.txt"
    path.write_text("".join(f"{text}\n" for _, text in documents(5)))
    started = start_job(pipeline.deployment, [path])
    summary = wait_for_analysis(pipeline.deployment, started, poll_seconds=0.2)
    assert (summary.outcome, summary.documents) == (AnalysisOutcome.SUCCEEDED, 10), summary.reason
    _check_rows(pipeline, summary)
    key = account.client("ssm").get_parameter(Name=f"/comprehend-flywheel/{NAME}/key-arn")["Parameter"]["Value"]
    bucket = pipeline.deployment.intake.name
    made = [found for found in pipeline.keys(f"analysis/jobs/{summary.job}/") if found.endswith("output.tar.gz")]
    for found in (*made, *summary.predictions):
        assert account.client("s3").head_object(Bucket=bucket, Key=found)["SSEKMSKeyId"] == key
    assert made
    _serve(pipeline, synthesise(context=context))


def _thresholds(pipeline: Pipeline, model_arn: str) -> dict[str, float]:
    found = pipeline.deployment.intake.require(thresholds_key(model_arn), ModelThresholds).thresholds
    assert set(found) == set(LABELS)
    assert YES not in found.values()
    return found


def _check_rows(pipeline: Pipeline, summary: AnalysisSummary) -> None:
    (model_arn,) = summary.models
    thresholds = _thresholds(pipeline, model_arn)
    content = pipeline.deployment.intake.read_bytes(output_key(summary.job, PREDICTIONS_JSONL))
    for row in map(json.loads, content.decode().splitlines()):
        labels, at_half = (
            [each["name"] for each in row["scores"] if each["score"] >= known.get(each["name"], YES)]
            for known in (thresholds, {})
        )
        # The model learned wrong labels: the best it can do is to give every document both.
        assert row["labels"] == labels != at_half


def _check_api(pipeline: Pipeline) -> None:
    api = find_api(pipeline.deployment)
    answer = api.classify([text for _, text in documents(2)])
    thresholds = _thresholds(pipeline, answer.body["model"]["arn"])
    assert api.model().body["active_model"]["thresholds"] == thresholds
    for document in answer.body["documents"]:
        assert {label["name"]: label["threshold"] for label in document["labels"]} == thresholds
        for label in document["labels"]:
            assert label["predicted"] is (label["score"] >= label["threshold"])


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
    _check_api(pipeline)
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
