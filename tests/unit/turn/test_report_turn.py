"""The notification of a turn: what SNS takes, what a person needs, and nothing of any document."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from flywheel.records.datasets import DatasetSummary, WaitingDocuments
from flywheel.records.decisions import (
    AverageScores,
    DecisionKind,
    HoldoutComparison,
    HoldoutResult,
    Metrics,
    ModelScore,
)
from flywheel.records.promotions import Promotion, PromotionSource, PromotionStatus
from flywheel.records.turns import TurnOutcome, TurnRecord
from flywheel.records.uploads import BadLine, Split, Upload, UploadOutcome, UploadResult
from flywheel.text.failure_cause import readable_cause
from flywheel.turn.report_turn import message, subject

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SECRET = "the patient said"


def record(**members: object) -> TurnRecord:
    return TurnRecord.model_validate(
        {
            "turn": "turn-000007",
            "outcome": TurnOutcome.SUCCEEDED,
            "flywheel_arn": "arn:aws:comprehend:us-east-1:111122223333:flywheel/news",
            "began_at": NOW,
            "ended_at": NOW,
            **members,
        }
    )


def upload(name: str) -> Upload:
    return Upload(key=f"train/{name}", split=Split.TRAIN, version_id="v", etag='"e"', size=1, last_modified=NOW)


def message_of(record: TurnRecord) -> str:
    return message(record, flywheel_name="news", intake_bucket="news-intake")


@given(
    name=st.from_regex(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", fullmatch=True),
    outcome=st.sampled_from(TurnOutcome),
    decision=st.sampled_from(DecisionKind),
)
def test_a_subject_is_one_that_sns_takes(name: str, outcome: TurnOutcome, decision: DecisionKind) -> None:
    """ASCII, at most 100 characters, no line break or control character (SNS, Publish)."""
    text = subject(record(outcome=outcome, decision=decision), flywheel_name=name)
    assert len(text) <= 100
    assert text.isascii()
    assert text.isprintable()


def test_a_subject_says_the_decision_or_how_the_turn_failed() -> None:
    assert subject(record(decision=DecisionKind.PROMOTE), flywheel_name="news") == "news turn-000007: promote"
    failed = record(outcome=TurnOutcome.TIMED_OUT)
    assert subject(failed, flywheel_name="news") == "news turn-000007: TIMED_OUT"


def test_a_message_says_what_happened_to_everything() -> None:
    text = message_of(
        record(
            outcome=TurnOutcome.FAILED,
            decision=DecisionKind.KEEP,
            reasons=("Not better.",),
            error="IterationFailed",
            cause="The TEST data have no document of these labels: A.",
            active=ModelScore(arn="arn:active", metrics=Metrics(F1Score=0.8), source="this iteration"),
            candidate=ModelScore(arn="arn:candidate", metrics=Metrics(), source="this iteration"),
            promotion=Promotion(
                request_id="20261121T100000Z",
                source=PromotionSource.TURN,
                by="turn-000007",
                iteration_id="20261121T100000Z",
                turn="turn-000007",
                model_arn="arn:candidate",
                former_model_arn=None,
                status=PromotionStatus.REFUSED,
                reason="It was changed in between.",
                at=NOW,
            ),
            changed_outside="The active model was changed outside the pipeline.",
            datasets=(DatasetSummary(name="train-000007", split=Split.TRAIN, documents=120, labels={"A": 120}),),
            waiting=(WaitingDocuments(split=Split.TRAIN, documents=7, labels={"B": 7}, reason="43 more of B needed."),),
            uploads=(
                UploadResult(upload=upload("good.csv"), outcome=UploadOutcome.ACCEPTED, reason="5 documents accepted."),
                UploadResult(upload=upload("bad.csv"), outcome=UploadOutcome.REJECTED, reason="The file is empty."),
            ),
            unprepared=(upload("stuck.csv"),),
            replaced=(upload("old.csv"),),
        )
    )
    for part in (
        "turn-000007 FAILED",
        "Decision: keep",
        "Not better.",
        "IterationFailed: The TEST data have no document of these labels: A.",
        "arn:active: F1Score 0.8000",
        "arn:candidate: no scores",
        "refused: It was changed in between.",
        "changed outside",
        "train-000007: 120 documents",
        "7 documents. 43 more of B needed.",
        "train/bad.csv: rejected. The file is empty.",
        "train/stuck.csv: its preparation failed",
        "train/old.csv: a version was replaced",
        "flywheel --name news report turn-000007\n",
        "s3://news-intake/turns/turn-000007/index.html",
    ):
        assert part in text
    assert "good.csv" not in text


def test_a_message_carries_nothing_of_a_document() -> None:
    problem = BadLine(rule="unknown-label", message=f"Unknown label {SECRET}", fix="-", line=3, excerpt=SECRET)
    result = UploadResult(
        upload=upload("bad.csv"),
        outcome=UploadOutcome.PARTLY_ACCEPTED,
        reason="5 documents accepted, 1 bad line rejected.",
        examples=(problem,),
    )
    assert SECRET not in message_of(record(uploads=(result,)))


def test_the_cause_of_a_failed_function_is_its_sentence() -> None:
    cause = json.dumps({"errorType": "ServiceBusy", "errorMessage": "Comprehend is busy.", "stackTrace": ["x"]})
    assert readable_cause(cause) == "Comprehend is busy."


@given(cause=st.text() | st.none())
def test_any_other_cause_stays_as_it_is(cause: str | None) -> None:
    assert readable_cause(cause) == (cause or None) or cause is None


def test_a_message_has_the_further_scores_of_a_multi_label_model() -> None:
    averages = AverageScores(precision=0.5, recall=0.5, f1=0.5)
    scored = HoldoutResult(
        arn="arn:candidate", accuracy=0.4, macro=averages, micro=averages.model_copy(update={"f1": 0.6}), labels=()
    )
    several = scored.model_copy(update={"hamming_loss": 0.0321})
    score = ModelScore(arn="arn:candidate", metrics=Metrics(F1Score=0.5), source="hold-out 0123456789abcdef")
    texts = [
        message_of(
            record(
                candidate=score,
                active=ModelScore(arn="arn:active", metrics=Metrics(), source="this iteration"),
                holdout=HoldoutComparison(holdout_id="0123456789abcdef", documents=9, candidate=result),
            )
        ).splitlines()
        for result in (several, scored)
    ]
    assert "Candidate model arn:candidate: F1Score 0.5000, micro F1 0.6000, hamming loss 0.0321" in texts[0]
    assert "Active model arn:active: no scores" in texts[0]
    assert "Candidate model arn:candidate: F1Score 0.5000" in texts[1]
