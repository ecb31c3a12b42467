"""Turn records for the tests of their page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from flywheel.records.datasets import DatasetSummary, WaitingDocuments
from flywheel.records.decisions import (
    AverageScores,
    ConfusedPair,
    DecisionKind,
    Evidence,
    GainInterval,
    HoldoutComparison,
    HoldoutResult,
    LabelResult,
    Metrics,
    ModelScore,
)
from flywheel.records.promotions import Promotion, PromotionSource, PromotionStatus
from flywheel.records.turns import TurnOutcome, TurnRecord, name_of
from flywheel.records.uploads import BadLine, IncompleteFolder, Split, Upload, UploadOutcome, UploadResult
from flywheel.report.chart import PastTurn, PromotedModel

BEGAN = datetime(2026, 11, 21, 12, tzinfo=UTC)
ARN = "arn:aws:comprehend:us-east-1:111122223333:flywheel/news-0a1b2c3d"


def model(score: float | None, *, arn: str = "arn:model") -> ModelScore:
    return ModelScore(arn=arn, metrics=Metrics(F1Score=score), source="this iteration")


def past(
    number: int,
    *,
    active: float | None = None,
    candidate: float | None = None,
    promoted: bool = False,
    outcome: TurnOutcome = TurnOutcome.SUCCEEDED,
) -> PastTurn:
    return PastTurn(
        turn=name_of(number),
        outcome=outcome,
        decision="promote" if promoted else "keep",
        active=model(active),
        candidate=model(candidate, arn=f"arn:candidate-{number}"),
        promotion=PromotedModel(status=PromotionStatus.PROMOTED) if promoted else None,
        selection_metric="F1Score",
    )


def upload(name: str) -> Upload:
    return Upload(key=f"train/{name}", split=Split.TRAIN, version_id="v", etag='"e"', size=9, last_modified=BEGAN)


def result_of(labels: Sequence[str], pairs: Mapping[tuple[str, str | None], int], *, arn: str) -> HoldoutResult:
    """Scores made up of nothing but the confusions, as far as a page shows them: F1 is the share that is right."""
    averages = AverageScores(precision=0.9, recall=0.8, f1=0.85)

    def score(label: str) -> LabelResult:
        support = sum(documents for (true, _), documents in pairs.items() if true == label)
        right = pairs.get((label, label), 0) / support if support else 0.0
        return LabelResult(label=label, precision=right, recall=right, f1=right, support=support)

    return HoldoutResult(
        arn=arn,
        accuracy=0.8,
        macro=averages,
        micro=averages,
        labels=tuple(score(label) for label in labels),
        confusions=tuple(
            ConfusedPair(true=true, predicted=predicted, documents=documents)
            for (true, predicted), documents in pairs.items()
        ),
    )


def holdout_of(labels: Sequence[str], *, code: str = "INTERNAL_SERVER_ERROR") -> HoldoutComparison:
    """Of each label 20 documents: the candidate is right about 15 and takes 5 for the next one."""
    following = dict(zip(labels, [*labels[1:], labels[0]], strict=True))
    better: dict[tuple[str, str | None], int] = {(label, label): 15 for label in labels}
    better |= {(label, following[label]): 5 for label in labels}
    worse: dict[tuple[str, str | None], int] = {(label, label): 10 for label in labels}
    worse |= {(label, None): 10 for label in labels}
    return HoldoutComparison(
        holdout_id="0123456789abcdef",
        documents=20 * len(labels),
        candidate=result_of(labels, better, arn="arn:candidate"),
        active=result_of(labels, worse, arn="arn:active").model_copy(update={"errors": {code: 2}}),
        interval=GainInterval(metric="F1Score", difference=0.25, low=0.125, high=0.375, confidence_level=0.95),
        dollars=1.5,
    )


def failed_record(outcome: TurnOutcome = TurnOutcome.FAILED, *, number: int = 7) -> TurnRecord:
    """A turn that ended before its first step left anything."""
    return TurnRecord(
        turn=name_of(number),
        outcome=outcome,
        flywheel_arn=ARN,
        began_at=None,
        ended_at=BEGAN,
        error="DatasetFailed",
        cause="Comprehend did not take train-000007.",
    )


def full_record(
    *,
    number: int = 7,
    label: str = "SPORTS",
    file: str = "week-47.csv",
    sentence: str = "The label is not one of the flywheel's.",
    excerpt: str = "SPORT,a goal",
    labels: tuple[str, ...] = (),
) -> TurnRecord:
    """A turn that did everything; what others have written stands wherever it can."""
    problem = BadLine(rule="unknown-label", message=sentence, fix=sentence, line=3, excerpt=excerpt, file=file)
    return TurnRecord(
        turn=name_of(number),
        outcome=TurnOutcome.SUCCEEDED,
        flywheel_arn=ARN,
        began_at=BEGAN,
        ended_at=BEGAN + timedelta(hours=1, minutes=43),
        decision=DecisionKind.PROMOTE,
        reasons=(sentence,),
        error=sentence,
        cause=sentence,
        uploads=(
            UploadResult(
                upload=upload(file),
                outcome=UploadOutcome.PARTLY_ACCEPTED,
                reason=sentence,
                documents=120,
                bad_lines={"unknown-label": 3},
                examples=(problem,) * 12,
            ),
            UploadResult(
                upload=upload("good.csv"),
                outcome=UploadOutcome.ACCEPTED,
                reason=sentence,
                documents=5,
                remarks={"part-of-word": 2},
                remark_examples=(problem,),
            ),
        ),
        incomplete=(IncompleteFolder(upload=upload(f"half {file}/"), missing=sentence),),
        unprepared=(upload(f"stuck {file}"),),
        replaced=(upload(f"old {file}"),),
        datasets=(
            DatasetSummary(name="test-000007", split=Split.TEST, documents=40, labels={label: 10, "WORLD": 30}),
            DatasetSummary(
                name="train-000007",
                split=Split.TRAIN,
                documents=400,
                labels={label: 300, "WORLD": 100},
                composed_at=BEGAN + timedelta(minutes=1),
                accepted_at=BEGAN + timedelta(minutes=6),
            ),
        ),
        waiting=(WaitingDocuments(split=Split.TRAIN, documents=7, labels={label: 7}, reason=sentence),),
        leaked={"train": 4, "test": 0},
        iteration_id="20261121T120700Z",
        decided_at=BEGAN + timedelta(hours=1, minutes=42),
        selection_metric="F1Score",
        active=model(0.80, arn="arn:active"),
        candidate=model(0.84, arn="arn:candidate"),
        evidence=Evidence.HOLDOUT,
        holdout=holdout_of(labels or (label, "WORLD"), code=sentence),
        promotion=Promotion(
            request_id="20261121T120700Z",
            source=PromotionSource.TURN,
            by="turn-000007",
            iteration_id="20261121T120700Z",
            turn=name_of(number),
            model_arn="arn:candidate",
            former_model_arn="arn:active",
            status=PromotionStatus.PROMOTED,
            reason=sentence,
            at=BEGAN + timedelta(hours=1, minutes=42, seconds=20),
        ),
        changed_outside=sentence,
    )
