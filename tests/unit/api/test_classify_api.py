"""A request's documents through an endpoint that is told what to do: tried again, bounded, none lost."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from flywheel.api import metrics
from flywheel.api.classify_api import MOST_PATIENCE, SEEN_FOR, Classified, texts_of
from flywheel.api.errors import STATUSES, RequestRefused
from flywheel.api.keep_predictions import Keep, KeepingRules
from flywheel.api.messages import MOST_DOCUMENTS, ErrorCode, OneText, Problem, SeveralDocuments
from flywheel.document_classification.answer import Classification
from flywheel.document_classification.real_time import REAL_TIME
from flywheel.records.predictions import prediction_id, prediction_key
from flywheel.records.review import ItemSource, Lane
from flywheel.records.serving import STATE_KEY, ServingState, ServingStatus
from tests.unit.api.scene import START, SURE, Scene, failure

MOST_TEXT_BYTES = REAL_TIME.most_text_bytes
UNSURE = Classification.of((("CALM", 0.6), ("STORM", 0.4)), multi_label=False)
THROTTLED = "ThrottlingException"


def codes(classified: Classified) -> list[str]:
    return [answer.code if isinstance(answer, Problem) else "" for answer in classified.answers]


class TestRequests:
    def test_one_text_and_several(self) -> None:
        assert texts_of(OneText(text="a"), most_bytes=9) == ["a"]
        assert texts_of(SeveralDocuments(documents=["a", "b"]), most_bytes=9) == ["a", "b"]

    @pytest.mark.parametrize(
        ("documents", "code", "which"),
        [
            ([], ErrorCode.TEXT_EMPTY, None),
            (["a", " \n"], ErrorCode.TEXT_EMPTY, 1),
            (["a", "b", "\ud83d"], ErrorCode.INVALID_REQUEST, 2),
            (["x" * (MOST_TEXT_BYTES + 1)], ErrorCode.TEXT_TOO_LONG, 0),
            (["a"] * (MOST_DOCUMENTS + 1), ErrorCode.TOO_MANY_DOCUMENTS, None),
        ],
    )
    def test_refused_whole(self, documents: list[str], code: ErrorCode, which: int | None) -> None:
        with pytest.raises(RequestRefused) as refused:
            texts_of(SeveralDocuments(documents=documents), most_bytes=MOST_TEXT_BYTES)
        assert (refused.value.problem.code, refused.value.problem.document) == (code, which)
        assert refused.value.status == 400

    @given(st.text(alphabet="a\u00e9\u20ac\U0001f600", min_size=1, max_size=10_300))
    def test_length_is_in_bytes(self, text: str) -> None:
        size = len(text.encode())
        if size <= MOST_TEXT_BYTES:
            assert texts_of(OneText(text=text), most_bytes=MOST_TEXT_BYTES) == [text]
            return
        with pytest.raises(RequestRefused) as refused:
            texts_of(OneText(text=text), most_bytes=MOST_TEXT_BYTES)
        assert (refused.value.problem.bytes, refused.value.problem.limit) == (size, MOST_TEXT_BYTES)

    def test_exactly_at_the_limit(self) -> None:
        texts_of(OneText(text="\u00e9" * (MOST_TEXT_BYTES // 2)), most_bytes=MOST_TEXT_BYTES)
        with pytest.raises(RequestRefused):
            texts_of(OneText(text="\u00e9" * (MOST_TEXT_BYTES // 2) + "a"), most_bytes=MOST_TEXT_BYTES)

    def test_every_code_has_a_status(self) -> None:
        assert set(STATUSES) == set(ErrorCode)


class TestConfidence:
    def test_of_exclusive_classes_is_the_best_score(self) -> None:
        assert SURE.confidence == 0.9

    def test_of_labels_is_that_of_the_least_sure_one(self) -> None:
        def of(*scores: float) -> float:
            return Classification.of(tuple((str(s), s) for s in scores), multi_label=True).confidence

        assert of(0.95, 0.03) == 0.95
        assert of(0.95, 0.45) == 0.55
        assert of(0.02, 0.01) == 0.98

    def test_of_nothing(self) -> None:
        assert Classification.of((), multi_label=False).confidence == 0


class TestAnswers:
    def test_come_in_the_order_of_the_request(self) -> None:
        scene = Scene(b=[UNSURE])
        assert scene.classify("a", "b", "c").answers == (SURE, UNSURE, SURE)

    @pytest.mark.parametrize("code", [THROTTLED, "TooManyRequestsException"])
    def test_a_throttled_document_is_tried_again(self, code: str) -> None:
        scene = Scene(a=[failure(code), failure(code), SURE])
        classified = scene.classify("a", "b")
        assert classified.answers == (SURE, SURE)
        assert classified.throttled == 2
        assert scene.waited > 0
        assert classified.retry_after is None

    @pytest.mark.parametrize(
        "fault",
        [failure("InternalServerException", 500), failure("Unheard", 503), ReadTimeoutError(endpoint_url="https://x")],
    )
    def test_a_fault_is_tried_again(self, fault: Exception) -> None:
        assert Scene(a=[fault, SURE]).classify("a").answers == (SURE,)

    def test_what_works_is_not_lost_when_others_do_not(self) -> None:
        scene = Scene(b=[failure(THROTTLED)], c=[failure("InvalidRequestException")])
        classified = scene.classify("a", "b", "c", "d")
        assert codes(classified) == ["", "THROTTLED", "TEXT_REFUSED", ""]
        assert [problem.document for problem in classified.problems] == [1, 2]
        assert classified.refusal is None
        assert classified.retry_after == 1
        assert scene.endpoint.asked["c"] == 1

    @pytest.mark.parametrize("count", [1, 4, 25])
    def test_an_answer_is_there_in_time(self, count: int) -> None:
        texts = [str(number) for number in range(count)]
        scene = Scene(**{text: [failure(THROTTLED)] for text in texts})
        classified = scene.classify(*texts)
        assert scene.waited <= MOST_PATIENCE
        refusal = classified.refusal
        assert refusal is not None
        assert (refusal.status, refusal.problem.code) == (429, ErrorCode.THROTTLED)
        assert refusal.retry_after == max(1, (count + 1) // 2)
        assert scene.waited > 1
        assert len(codes(classified)) == count

    def test_an_endpoint_that_hangs_takes_no_longer(self) -> None:
        texts = [str(number) for number in range(MOST_DOCUMENTS)]
        scene = Scene(**{text: [ReadTimeoutError(endpoint_url="https://x")] for text in texts})
        scene.endpoint.takes = 5.0
        classified = scene.classify(*texts)
        assert scene.waited <= MOST_PATIENCE + scene.endpoint.takes
        assert set(codes(classified)) == {"INTERNAL_ERROR", "THROTTLED"}
        assert "no time left" in classified.causes

    def test_one_document_is_not_tried_for_long(self) -> None:
        scene = Scene(a=[failure(THROTTLED)])
        scene.classify("a")
        assert 1 < scene.waited < 4

    def test_what_the_function_may_not_do_is_its_own_affair(self) -> None:
        scene = Scene(a=[failure("AccessDeniedException")])
        classified = scene.classify("a")
        assert classified.refusal is not None
        assert classified.refusal.status == 500
        assert "AccessDenied" not in str(classified.refusal.problem)
        assert classified.causes == ("ClassifyDocument: AccessDeniedException",)
        assert scene.endpoint.asked["a"] == 1

    def test_the_worst_error_is_the_answers(self) -> None:
        scene = Scene(a=[failure(THROTTLED)], b=[failure("ResourceUnavailableException")])
        refusal = scene.classify("a", "b").refusal
        assert refusal is not None
        assert (refusal.status, refusal.problem.document) == (503, None)


class TestNoEndpoint:
    GONE = failure("ResourceUnavailableException", 404)

    def test_says_why_and_since_when(self) -> None:
        scene = Scene(a=[self.GONE])
        scene.endpoint.models = [None]
        scene.bucket.records[STATE_KEY] = ServingState(
            status=ServingStatus.OUT_OF_HOURS, reason="It is night.", since=START, at=START
        )
        refusal = scene.classify("a").refusal
        assert refusal is not None
        problem = refusal.problem
        assert (refusal.status, problem.code, problem.status) == (
            503,
            ErrorCode.NO_ENDPOINT,
            ServingStatus.OUT_OF_HOURS,
        )
        assert problem.since == START
        assert "It is night." in problem.message
        assert refusal.retry_after is None

    def test_one_that_is_being_made_is_worth_waiting_for(self) -> None:
        scene = Scene(a=[self.GONE])
        scene.bucket.records[STATE_KEY] = ServingState(
            status=ServingStatus.CREATING, reason="It is made.", since=START, at=START
        )
        refusal = scene.classify("a").refusal
        assert refusal is not None
        assert refusal.retry_after == 60

    def test_nothing_was_ever_wanted(self) -> None:
        refusal = Scene(a=[self.GONE]).classify("a").refusal
        assert refusal is not None
        assert "InferenceUnits" in refusal.problem.message
        assert refusal.problem.since is None

    def test_a_moment_without_is_seen_by_nobody(self) -> None:
        assert Scene(a=[self.GONE, self.GONE, SURE]).classify("a").answers == (SURE,)


class TestReview:
    def test_only_what_is_below_the_threshold_is_kept(self) -> None:
        scene = Scene(unsure=[UNSURE])
        classified = scene.classify("sure", "unsure")
        assert classified.low_confidence == 1
        (record,) = scene.kept
        suggestion = record.suggestion
        assert (record.text, suggestion.confidence, suggestion.model_arn) == ("unsure", 0.6, "arn:model")
        assert suggestion.margin == pytest.approx(0.2)
        assert suggestion.labels == ("CALM",)
        assert [(each.name, each.score) for each in suggestion.predictions] == list(UNSURE.scores)
        assert (classified.keeping.kept, classified.keeping.queued) == (frozenset({1}), 1)

    def test_what_is_kept_waits_for_a_reviewer_the_less_certain_the_earlier(self) -> None:
        doubtful = Classification.of((("CALM", 0.51), ("STORM", 0.49)), multi_label=False)
        scene = Scene(unsure=[UNSURE], doubtful=[doubtful])
        scene.classify("unsure", "doubtful", "sure")
        assert [(place.lane, item.text) for place, item in scene.queue] == [
            (Lane.UNCERTAIN, "doubtful"),
            (Lane.UNCERTAIN, "unsure"),
        ]
        suggestions = {record.text: record.suggestion for record in scene.kept}
        for _, item in scene.queue:
            assert (item.source, item.suggestion, item.at) == (ItemSource.API, suggestions[item.text], START)

    def test_a_repetition_makes_no_second_one(self) -> None:
        scene = Scene(unsure=[UNSURE])
        scene.classify("unsure", "unsure")
        scene.time.wait(60)
        scene.classify("unsure")
        (record,), ((place, _),) = scene.kept, scene.queue
        key = prediction_key(prediction_id("unsure", at=START))
        assert scene.bucket.records == {key: record, place.key: scene.bucket.records[place.key]}
        assert key.startswith("predictions/2026-11-21/")

    def test_a_text_that_was_reviewed_meanwhile_is_not_queued_again_on_the_same_day(self) -> None:
        scene = Scene(unsure=[UNSURE])
        scene.classify("unsure")
        ((place, _),) = scene.queue
        del scene.bucket.records[place.key]
        classified = scene.classify("unsure")
        assert (scene.queue, classified.keeping.queued, classified.keeping.kept) == ([], 0, frozenset({0}))

    def test_what_was_queued_but_not_kept_is_queued_again(self) -> None:
        scene = Scene(unsure=[UNSURE])
        scene.classify("unsure")
        del scene.bucket.records[prediction_key(prediction_id("unsure", at=START))]
        assert scene.classify("unsure").keeping.queued == 1
        assert (len(scene.queue), len(scene.kept)) == (1, 1)

    def test_a_model_that_changed_meanwhile_is_not_claimed(self) -> None:
        scene = Scene(unsure=[UNSURE])
        scene.endpoint.models = ["arn:old", "arn:new"]
        scene.classify("unsure")
        (record,) = scene.kept
        assert record.suggestion.model_arn is None
        assert record.seen_before is not None
        assert record.seen_after is not None
        assert (record.seen_before.model_arn, record.seen_after.model_arn) == ("arn:old", "arn:new")

    def test_a_model_that_cannot_be_asked_is_not_claimed(self) -> None:
        scene = Scene(unsure=[UNSURE])
        scene.endpoint.models = ["arn:old", failure(THROTTLED, operation="DescribeEndpoint")]
        classified = scene.classify("unsure")
        assert scene.kept[0].suggestion.model_arn is None
        assert scene.kept[0].seen_after is None
        assert classified.causes == (f"DescribeEndpoint: {THROTTLED}",)

    def test_what_cannot_be_kept_costs_no_answer(self) -> None:
        scene = Scene(unsure=[UNSURE])
        scene.bucket.broken = True
        classified = scene.classify("unsure")
        assert classified.answers == (UNSURE,)
        keeping = classified.keeping
        assert (keeping.kept, keeping.not_stored, keeping.queued) == (frozenset(), 1, 0)
        assert classified.causes == ("PutObject: AccessDenied",)


class TestWhatIsKept:
    TEXTS = [f"text {number}" for number in range(MOST_DOCUMENTS)]

    def kept(self, **rules: Any) -> tuple[set[str], set[str], Scene]:
        """The texts that are kept, and those that are queued, of 500 of which every fifth is unsure."""
        texts = [f"text {number}" for number in range(500)]
        scene = Scene(KeepingRules(threshold=0.7, **rules), **{text: [UNSURE] for text in texts[::5]})
        for start in range(0, 500, MOST_DOCUMENTS):
            scene.classify(*texts[start : start + MOST_DOCUMENTS])
        return {each.text for each in scene.kept}, {item.text for _, item in scene.queue}, scene

    def test_nothing(self) -> None:
        kept, queued, scene = self.kept(keep=Keep.NONE, sample_percent=100, audit_percent=100)
        assert (kept, queued, scene.bucket.records) == (set(), set(), {})
        # Nor is the endpoint asked for its model: that is for what is kept.
        assert scene.endpoint.looked == 1

    def test_of_low_confidence_and_a_share_of_the_others_for_audit(self) -> None:
        kept, queued, scene = self.kept(keep=Keep.LOW_CONFIDENCE, audit_percent=10)
        assert kept == queued
        audited = [(place, item) for place, item in scene.queue if place.lane is Lane.AUDIT]
        assert {item.suggestion.confidence for _, item in audited if item.suggestion} == {SURE.confidence}
        assert 15 < len(audited) < 70
        assert len(kept) == 100 + len(audited)
        # Whatever the model's margin: all of these have the same one.
        assert len({place.rank for place, _ in audited}) > 10

    def test_a_sample(self) -> None:
        kept, queued, _ = self.kept(keep=Keep.SAMPLE, sample_percent=20)
        assert len(queued) == 100
        assert queued < kept
        assert 150 < len(kept) < 240

    def test_a_share_is_the_same_when_a_request_is_repeated_and_another_on_another_day(self) -> None:
        rules = KeepingRules(keep=Keep.SAMPLE, threshold=0.7, sample_percent=50, audit_percent=50)
        scene = Scene(rules)
        first = scene.classify(*self.TEXTS)
        assert 3 < len(first.keeping.kept) < MOST_DOCUMENTS
        records = dict(scene.bucket.records)
        assert scene.classify(*self.TEXTS).keeping.kept == first.keeping.kept
        assert scene.bucket.records == records
        scene.time.wait(86_400)
        assert scene.classify(*self.TEXTS).keeping.kept != first.keeping.kept

    def test_all(self) -> None:
        kept, queued, _ = self.kept(keep=Keep.ALL)
        assert (len(kept), len(queued)) == (500, 100)

    def test_a_document_without_an_answer_is_not_kept(self) -> None:
        scene = Scene(KeepingRules(keep=Keep.ALL, threshold=0.7), a=[failure("InvalidRequestException")])
        assert scene.classify("a", "b").keeping.kept == frozenset({1})
        assert [each.text for each in scene.kept] == ["b"]


class TestModelOfTheEndpoint:
    def test_is_not_asked_for_with_every_request(self) -> None:
        scene = Scene()
        for _ in range(5):
            classified = scene.classify("a")
        assert scene.endpoint.looked == 1
        assert classified.model is not None
        assert classified.model.model_arn == "arn:model"

    def test_is_asked_for_again_after_a_while(self) -> None:
        scene = Scene()
        scene.endpoint.models = ["arn:old", "arn:new"]
        scene.classify("a")
        scene.time.wait(SEEN_FOR.total_seconds() + 1)
        classified = scene.classify("a")
        assert classified.model is not None
        assert (scene.endpoint.looked, classified.model.model_arn) == (2, "arn:new")

    def test_that_cannot_be_asked_costs_no_answer(self) -> None:
        scene = Scene()
        scene.endpoint.models = [failure("AccessDeniedException", operation="DescribeEndpoint")]
        classified = scene.classify("a")
        assert (classified.answers, classified.model) == ((SURE,), None)


def test_measurements() -> None:
    scene = Scene(unsure=[failure(THROTTLED), UNSURE])
    scene.bucket.broken = True
    found = [(each.name, each.value) for each in metrics.of_classified(scene.classify("sure", "unsure"))]
    assert found == [
        ("PredictionConfidence", 0.9),
        ("PredictionConfidence", 0.6),
        ("LowConfidencePredictions", 1),
        ("ThrottledPredictions", 1),
        ("PredictionsKept", 0),
        ("PredictionsQueued", 0),
        ("PredictionsNotStored", 1),
    ]
