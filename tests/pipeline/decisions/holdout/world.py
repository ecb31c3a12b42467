"""What the tests of evidence HOLDOUT have in common."""

from __future__ import annotations

from typing import Any

from flywheel.decisions.holdout import read_holdout
from flywheel.records.holdouts import FrozenHoldout, HoldoutAttempt, IterationHoldout, iteration_holdout_key
from flywheel.records.turns import TurnRecord
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, Document, documents, mislabelled

BUSINESS, SPORTS = LABELS
TEST = documents(*LABELS, count=40, words="judge: ")
ROWS = {text: label for label, text in TEST}
GOOD = documents(*LABELS, count=20)
BETTER = documents(*LABELS, start=500, count=300)


WRONG = mislabelled(GOOD)


def first(at: Deployment, rows: list[Document] = WRONG, test: list[Document] = TEST) -> TurnRecord:
    at.upload("test/a.csv", test)
    at.upload("train/a.csv", rows)
    return at.run_turn()


def jobs(at: Deployment) -> list[dict[str, Any]]:
    """Those of this deployment, oldest first."""
    found = at.comprehend.list_document_classification_jobs(MaxResults=500)["DocumentClassificationJobPropertiesList"]
    mine = [job for job in found if f"s3://{at.app.intake}/" in job["InputDataConfig"]["S3Uri"]]
    return sorted(mine, key=lambda job: job["SubmitTime"])


def holdout_of(at: Deployment, record: TurnRecord) -> FrozenHoldout:
    chosen = at.bucket.require(iteration_holdout_key(record.iteration_id or ""), IterationHoldout)
    found = read_holdout(at.bucket, chosen)
    assert found
    return found


def texts_of(at: Deployment, holdout: FrozenHoldout) -> list[str]:
    (key,) = at.keys(holdout.documents_folder)
    return at.bucket.read_bytes(key).decode().split("\n")[:-1]


def predictions_of(at: Deployment, model_arn: str) -> HoldoutAttempt:
    found = [
        at.bucket.require(key, HoldoutAttempt) for key in at.keys("evaluations/") if key.endswith("/prediction.json")
    ]
    return next(prediction for prediction in found if prediction.model_arn == model_arn)
