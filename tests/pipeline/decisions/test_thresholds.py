# mypy: allow-untyped-calls
"""Multi-label models: the decision keeps a model's thresholds, and whoever needs its labels takes them from there."""

from __future__ import annotations

import io
import json
import random
import tarfile
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from sklearn.metrics import f1_score
from sklearn.preprocessing import MultiLabelBinarizer

from flywheel.api.classify_api import RequestClassifier
from flywheel.api.keep_predictions import Keep, KeepingRules
from flywheel.comprehend.live_endpoint import LiveEndpoint
from flywheel.confidence import YES
from flywheel.document_classification.answer import Classification
from flywheel.records.decisions import LEAST_SUPPORT, Decision, DecisionKind, Evidence, HoldoutResult, decision_key
from flywheel.records.holdouts import FrozenHoldout, HoldoutAttempt, holdout_key
from flywheel.records.promotions import PromotionRequest, PromotionSource, request_key
from flywheel.records.serving import smoke_test_of
from flywheel.records.thresholds import ModelThresholds, thresholds_key
from flywheel.records.turns import TurnRecord
from tests.pipeline.analyses import ANALYSIS, analysed, rows_of
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, Document, as_csv, documents
from tests.simulation.functions import FunctionFailed

BUSINESS, SPORTS = LABELS
_WORDS = {BUSINESS: [f"share{n}" for n in range(30)], SPORTS: [f"goal{n}" for n in range(30)]}
_EVERYWHERE = [f"word{n}" for n in range(60)]
SMOKE_KEY = "smoke.csv"
SERVED: dict[str, object] = {"inference_units": 50, "smoke_test_minimum": 0}


def news(count: int, *, seed: int, business: int, sports: int, both: int) -> list[Document]:
    """Documents that are hard to tell, with one label or both in such shares."""
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        (labels,) = draw.choices([(BUSINESS,), (SPORTS,), (BUSINESS, SPORTS)], (business, sports, both))
        words = [draw.choice(_WORDS[label]) for label in labels for _ in range(2)]
        words += [draw.choice(_WORDS[draw.choice(LABELS)]), *draw.choices(_EVERYWHERE, k=3), f"n{seed}x{number}"]
        rows.append(("|".join(labels), " ".join(draw.sample(words, len(words)))))
    return rows


TEST = news(150, seed=1, business=3, sports=1, both=1)
FEW = news(100, seed=2, business=12, sports=2, both=1)
MORE = news(400, seed=3, business=12, sports=3, both=1)
TEXTS = [text for _, text in news(24, seed=4, business=1, sports=1, both=1)]


def deployed() -> Deployment:
    return Deployment(evidence=Evidence.HOLDOUT, multi_label=True, analysis=ANALYSIS, serving=SERVED)


def turn_with(at: Deployment, rows: list[Document], *, test: list[Document] | None = None) -> TurnRecord:
    number = len(at.keys("decisions/"))
    if test:
        at.upload(f"test/{number}.csv", test)
    at.upload(f"train/{number}.csv", rows)
    return at.run_turn()


@cache
def compared() -> tuple[Deployment, TurnRecord, TurnRecord]:
    """Two models, the second better than the first and promoted in its place."""
    at = deployed()
    first, second = turn_with(at, FEW, test=TEST), turn_with(at, MORE)
    assert [record.decision for record in (first, second)] == [DecisionKind.PROMOTE] * 2, second.reasons
    return at, first, second


def kept(at: Deployment, model_arn: str) -> dict[str, float]:
    return at.bucket.require(thresholds_key(model_arn), ModelThresholds).thresholds


def candidate_of(record: TurnRecord) -> HoldoutResult:
    assert record.holdout is not None
    assert record.holdout.candidate is not None
    return record.holdout.candidate


def scores_of(at: Deployment, record: TurnRecord, model_arn: str) -> list[dict[str, float]]:
    """Of each of the hold-out's documents, read from the job's output without the pipeline's code."""
    assert record.holdout is not None
    keys = [key for key in at.keys(f"evaluations/predictions/{record.holdout.holdout_id}/") if key.endswith(".json")]
    attempt = next(found for found in at.bucket.read_all(keys, HoldoutAttempt) if found.model_arn == model_arn)
    assert attempt.archive
    with tarfile.open(fileobj=io.BytesIO(at.bucket.read_bytes(attempt.archive))) as members:
        content = members.extractfile(members.getmembers()[0])
        assert content
        lines = {int(line["Line"]): line["Labels"] for line in map(json.loads, content)}
    return [{entry["Name"]: entry["Score"] for entry in lines[number]} for number in range(len(lines))]


def truths_of(at: Deployment, record: TurnRecord) -> list[tuple[str, ...]]:
    assert record.holdout is not None
    return list(at.bucket.require(holdout_key(record.holdout.holdout_id), FrozenHoldout).labels)


def f1_at(thresholds: dict[str, float], scores: list[dict[str, float]], truths: list[tuple[str, ...]]) -> list[float]:
    """By label."""
    binarizer = MultiLabelBinarizer(classes=LABELS).fit([])
    answers = [[name for name, score in row.items() if score >= thresholds[name]] for row in scores]
    found = f1_score(binarizer.transform(truths), binarizer.transform(answers), average=None, zero_division=0)
    return [float(each) for each in found]


def test_the_decision_has_them_and_the_model_keeps_them() -> None:
    at, first, second = compared()
    for record in (first, second):
        result = candidate_of(record)
        chosen = kept(at, result.arn)
        assert chosen == {score.label: score.threshold for score in result.labels}
        assert YES not in chosen.values()
        decision = at.bucket.require(decision_key(record.iteration_id or ""), Decision)
        assert decision.holdout == record.holdout
        scores, truths = scores_of(at, record, result.arn), truths_of(at, record)
        halves = f1_at(dict.fromkeys(LABELS, YES), scores, truths)
        assert all(best >= half for best, half in zip(f1_at(chosen, scores, truths), halves, strict=True))


def test_the_scores_are_worth_more_than_at_a_half_and_less_than_the_chosen_ones_flatter() -> None:
    at, first, _ = compared()
    result = candidate_of(first)
    scores, truths = scores_of(at, first, result.arn), truths_of(at, first)
    at_half = f1_at(dict.fromkeys(LABELS, YES), scores, truths)[1]
    flattered = f1_at(kept(at, result.arn), scores, truths)[1]
    assert at_half + 0.1 < result.labels[1].f1 < flattered


def test_the_active_model_is_scored_alike_and_keeps_its_own() -> None:
    at, first, second = compared()
    former = candidate_of(first)
    before = at.s3.list_object_versions(Bucket=at.app.intake, Prefix=thresholds_key(former.arn))["Versions"]
    assert len(before) == 1
    assert second.holdout is not None
    assert second.holdout.active is not None
    # The same documents and answers, so the same folds and scores.
    assert second.holdout.active.labels == former.labels
    assert second.holdout.active.hamming_loss == former.hamming_loss


def test_hamming_loss_is_that_of_the_answers() -> None:
    _, first, _ = compared()
    result = candidate_of(first)
    # Wrong decisions of each label, from its scores: misses and false alarms.
    wrong = 0.0
    for score in result.labels:
        hits = score.recall * score.support
        wrong += score.support - hits + (hits / score.precision - hits if score.precision else 0)
    assert result.hamming_loss == pytest.approx(wrong / (len(TEST) * len(LABELS)))


def test_a_label_with_few_test_documents_keeps_a_half_and_is_named() -> None:
    at = deployed()
    few = news(60, seed=5, business=1, sports=0, both=0) + news(LEAST_SUPPORT - 1, seed=6, business=0, sports=1, both=0)
    record = turn_with(at, FEW, test=few)
    found = at.bucket.require(thresholds_key(candidate_of(record).arn), ModelThresholds)
    assert found.thresholds[BUSINESS] != YES
    assert (found.thresholds[SPORTS], found.too_few) == (YES, (SPORTS,))


def test_a_lost_label_is_judged_by_the_same_answers() -> None:
    at = deployed()
    at.change(maximum_label_regression=0.05)
    turn_with(at, news(400, seed=8, business=6, sports=3, both=2), test=TEST)
    swapped = {BUSINESS: SPORTS, SPORTS: BUSINESS}
    rows = news(900, seed=7, business=1, sports=1, both=0)
    record = turn_with(at, [(swapped[label], text) for label, text in rows])
    assert record.decision is DecisionKind.KEEP
    assert record.holdout is not None
    assert record.holdout.active is not None
    (loss,) = [loss for loss in record.holdout.label_losses if loss.label == SPORTS]
    mine, theirs = candidate_of(record).labels[1], record.holdout.active.labels[1]
    assert loss.difference == pytest.approx(mine.f1 - theirs.f1)
    truths = truths_of(at, record)
    halves = [
        f1_at(dict.fromkeys(LABELS, YES), scores_of(at, record, arn), truths)[1]
        for arn in (candidate_of(record).arn, record.holdout.active.arn)
    ]
    assert loss.difference != pytest.approx(halves[0] - halves[1], abs=0.01)


@pytest.mark.parametrize(("after", "there"), [(0, 0), (1, 0), (2, 1)])
def test_a_decision_that_is_killed_and_made_again_is_the_same(after: int, there: int) -> None:
    """Before the job's end is noted, before the thresholds are kept, and between them and the decision."""
    at = deployed()
    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", FEW)
    turn = at.start_turn().run_before("CompareMetrics")
    iteration = at.iterations()[0]["FlywheelIterationId"]
    at.script.kill(after=after)
    with pytest.raises(FunctionFailed, match="killed"):
        at.invoke("compare_metrics", {"turn": turn.name, "iteration_id": iteration})
    at.script.kill()
    left = at.keys("models/")
    assert (len(left), at.keys("decisions/")) == (there, [])
    before = [at.bucket.read_bytes(key) for key in left]
    at.script.lose_answers()
    record = turn.run()
    (key,) = at.keys("models/")
    assert [at.bucket.read_bytes(key)] == (before or [at.bucket.read_bytes(key)])
    assert len(at.s3.list_object_versions(Bucket=at.app.intake, Prefix="models/")["Versions"]) == 1
    assert kept(at, candidate_of(record).arn) == {score.label: score.threshold for score in candidate_of(record).labels}
    assert record.decision is DecisionKind.PROMOTE


def test_a_model_that_was_promoted_without_a_holdout_answers_at_a_half() -> None:
    at = Deployment(multi_label=True, analysis=ANALYSIS)
    record = turn_with(at, FEW, test=TEST)
    assert record.decision is DecisionKind.PROMOTE
    assert at.keys("models/") == []
    assert_rows(at, dict.fromkeys(LABELS, YES))


def test_exclusive_classes_have_none() -> None:
    at = Deployment(evidence=Evidence.HOLDOUT)
    at.upload("test/a.csv", documents(*LABELS, count=40, words="judge: "))
    at.upload("train/a.csv", documents(*LABELS, count=20))
    result = candidate_of(at.run_turn())
    assert {score.threshold for score in result.labels} == {None}
    assert (result.hamming_loss, at.keys("models/")) == (None, [])


def analysed_rows(at: Deployment) -> list[dict[str, Any]]:
    """Of a job of its own."""
    job = f"job-{len(at.executions('Analyze'))}"
    analysed(at, job, {"a.txt": "\n".join(TEXTS).encode()})
    return rows_of(at, job)


def assert_rows(at: Deployment, thresholds: dict[str, float]) -> None:
    """Of an analysis job, which are not what a half would say."""
    rows = analysed_rows(at)
    assert [row["text"] for row in rows] == TEXTS
    for row in rows:
        assert row["labels"] == [each["name"] for each in row["scores"] if each["score"] >= thresholds[each["name"]]]
    halves = [[each["name"] for each in row["scores"] if each["score"] >= YES] for row in rows]
    assert ([row["labels"] for row in rows] == halves) is (set(thresholds.values()) == {YES})


def assert_api(at: Deployment, thresholds: dict[str, float]) -> None:
    endpoint = at.endpoint()
    assert endpoint
    with at.acting_as("classify_api"):
        classified = RequestClassifier(
            endpoint=LiveEndpoint(comprehend=at.comprehend, kind=at.kind, arn=endpoint["EndpointArn"], clock=at.now),
            intake=lambda: at.bucket,
            rules=KeepingRules(keep=Keep.NONE, threshold=0.0),
            clock=at.now,
        ).classify(TEXTS)
    assert classified.problems == []
    for prediction in classified.predictions:
        assert isinstance(prediction, Classification)
        assert list(prediction.labels) == [name for name, score in prediction.scores if score >= thresholds[name]]
        answered: Any = prediction.answered(prediction_id="", kept=False)
        assert {each.name: each.threshold for each in answered.labels} == thresholds


def test_answers_are_those_of_the_model_that_serves_also_after_going_back() -> None:
    at, first, second = compared()
    older, newer = candidate_of(first).arn, candidate_of(second).arn
    assert kept(at, older) != kept(at, newer)
    for model in (newer, older):
        # A model is tried once, with the documents that are there for it below.
        at.change("serving", smoke_test_key="none")
        if at.active_model() != model:
            ask_for(at, model)
            at.promote_all()
        assert at.active_model() == model
        assert_rows(at, kept(at, model))
        expected = [(text, sorted(labels)) for text, labels in labels_at_thresholds(at, kept(at, model))]
        at.upload(SMOKE_KEY, as_csv([("|".join(labels), text) for text, labels in expected if labels]))
        at.change("serving", smoke_test_key=SMOKE_KEY)
        at.serve()
        tested = smoke_test_of(model, intake=at.bucket)
        assert tested is not None
        assert tested.right == tested.documents > len(TEXTS) / 2
        assert_api(at, kept(at, model))


def labels_at_thresholds(at: Deployment, thresholds: dict[str, float]) -> Iterator[tuple[str, list[str]]]:
    for row in analysed_rows(at):
        scores = {each["name"]: each["score"] for each in row["scores"]}
        yield row["text"], [name for name in LABELS if scores[name] >= thresholds[name]]


def ask_for(at: Deployment, model_arn: str) -> None:
    """As `flywheel rollback` asks."""
    request = PromotionRequest(
        id="back",
        source=PromotionSource.OPERATOR,
        model_arn=model_arn,
        flywheel_arn=at.flywheel_arn,
        requested_at=at.now(),
        by="a test",
        reason="Back.",
        decided_against=at.active_model(),
    )
    at.bucket.write_once(request_key(request.id), request)
    at.promote_all()
