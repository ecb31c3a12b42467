"""Whatever goes to a service fits into what it takes, with the largest that can come."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel.analysis import report_analysis as analysis
from flywheel.api.classify_api import Classified
from flywheel.api.keep_predictions import Keeping
from flywheel.api.messages import MOST_DOCUMENTS, bodies_of
from flywheel.comprehend.model_kind import Prediction
from flywheel.comprehend.real_time import RealTime
from flywheel.document_classification.answer import Classification
from flywheel.document_classification.real_time import REAL_TIME as CLASSIFYING
from flywheel.entity_recognition.answer import RecognizedEntities
from flywheel.entity_recognition.real_time import REAL_TIME as RECOGNIZING
from flywheel.faults.errors import FlywheelError
from flywheel.promotions import report_promotion, requests
from flywheel.records.analyses import AnalysisOutcome, AnalysisSummary
from flywheel.records.promotions import (
    Promotion,
    PromotionBeginning,
    PromotionRequest,
    PromotionSource,
    PromotionStatus,
)
from flywheel.records.turns import TurnOutcome, TurnRecord, UploadCounts
from flywheel.records.uploads import Split, Upload, UploadOutcome, UploadResult
from flywheel.spans import Span
from flywheel.text import failure_cause, notification
from flywheel.text.byte_limits import LONGEST_SENTENCE, SHORTENED, size_as_json, size_of, within
from flywheel.turn import report_turn
from flywheel.turn.begin_turn import _batches
from handlers.api.classify_routes import _answer
from handlers.cloudformation import CustomResourceEvent, answer_body

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SNS_BYTES = STATE_BYTES = EVENT_BYTES = 262_144
LONG = "Zürich \u202e\n" * 100_000
KEYS_BYTES = 1024


def key(number: int) -> str:
    return f"train/{number:06d}".ljust(KEYS_BYTES, "\x01")


def uploads(count: int) -> list[Upload]:
    return [
        Upload(key=key(number), split=Split.TRAIN, version_id="v" * KEYS_BYTES, etag='"e"', size=9, last_modified=NOW)
        for number in range(count)
    ]


@given(text=st.text(), limit=st.integers(0, 80), rest=st.text(max_size=20))
def test_what_is_cut_fits_and_is_whole_characters(text: str, limit: int, rest: str) -> None:
    cut = within(text, limit, rest=rest)
    assert len(cut.encode(errors="replace")) <= limit
    if cut != text:
        assert cut.endswith(rest) or rest.encode(errors="replace").startswith(cut.encode())
        kept = cut.removesuffix(rest) if cut.endswith(rest) else ""
        assert text.encode(errors="replace").decode().startswith(kept)


@pytest.mark.parametrize("character", ["a", "é", "€", "😀"])
def test_a_text_of_exactly_the_limit_stays(character: str) -> None:
    text = character * 10
    assert within(text, size_of(text)) == text
    assert within(text * 10, size_of(text * 10) - 1).endswith(SHORTENED)


def test_the_notification_of_a_turn_with_every_list_at_its_longest() -> None:
    found = uploads(10_000)
    record = TurnRecord(
        turn="turn-000007",
        outcome=TurnOutcome.FAILED,
        flywheel_arn="arn",
        began_at=NOW,
        ended_at=NOW,
        reasons=(LONG,) * 50,
        error=LONG,
        cause=LONG,
        uploads=tuple(UploadResult(upload=upload, outcome=UploadOutcome.REJECTED, reason=LONG) for upload in found[:99])
        + tuple(UploadResult(upload=upload, outcome=UploadOutcome.REJECTED, reason="no") for upload in found),
        unprepared=tuple(found),
        replaced=tuple(found),
    )
    text = report_turn.message(record, flywheel_name="news", intake_bucket="intake")
    assert size_of(text) <= SNS_BYTES
    assert text.startswith("turn-000007 FAILED")
    assert text.endswith("or download s3://intake/turns/turn-000007/index.html and open it.")
    assert "[shortened" in text


def test_many_rejected_uploads_are_counted_and_what_matters_more_comes_first() -> None:
    rejected = tuple(
        UploadResult(
            upload=upload.model_copy(update={"key": f"train/{number}.csv"}),
            outcome=UploadOutcome.REJECTED,
            reason="It is empty.",
        )
        for number, upload in enumerate(uploads(2000))
    )
    record = TurnRecord(
        turn="turn-000007",
        outcome=TurnOutcome.SUCCEEDED,
        flywheel_arn="arn",
        began_at=NOW,
        ended_at=NOW,
        uploads=rejected,
        changed_outside="The active model was changed outside the pipeline.",
    )
    lines = report_turn.message(record, flywheel_name="news", intake_bucket="intake").splitlines()
    assert lines[1] == "The active model was changed outside the pipeline."
    assert any(line.startswith("and 1,950 more uploads were rejected") for line in lines)
    counted = record.model_copy(update={"upload_counts": UploadCounts(outcomes={UploadOutcome.REJECTED: 9000})})
    text = report_turn.message(counted, flywheel_name="news", intake_bucket="intake")
    assert "and 8,950 more uploads were rejected" in text


def request(**members: str) -> PromotionRequest:
    return PromotionRequest.model_validate(
        {
            "id": "operator-1",
            "source": PromotionSource.OPERATOR,
            "model_arn": "arn:model",
            "flywheel_arn": "arn",
            "requested_at": NOW,
            "by": "somebody",
            "reason": "because",
            **members,
        }
    )


def test_the_notification_of_a_promotion_that_superseded_thousands() -> None:
    ended = Promotion(
        request_id="operator-1",
        source=PromotionSource.OPERATOR,
        model_arn="arn:model",
        status=PromotionStatus.PROMOTED,
        reason=LONG,
        at=NOW,
        by=LONG,
        serving=LONG,
        warning=LONG,
        answered_by=LONG,
        answer_reason=LONG,
    )
    superseded = ended.model_copy(update={"reason": LONG[:10_000], "by": LONG[:10_000]})
    text = report_promotion.message((ended, *[superseded] * 3000), flywheel_name="news", intake_bucket="intake")
    assert size_of(text) <= SNS_BYTES
    assert text.endswith("s3://intake/promotions/ends/operator-1.json")


def test_the_notification_of_an_analysis_of_a_thousand_labels() -> None:
    summary = AnalysisSummary(
        job="j" * KEYS_BYTES,
        run="r",
        outcome=AnalysisOutcome.FAILED,
        reason=LONG,
        format=None,
        files=1,
        documents=5,
        labels={f"{number}".rjust(5000, "é"): 5 for number in range(1000)},
        low_confidence=0,
        low_confidence_threshold=0.7,
        errors={},
        models=(),
        parts=1,
        began_at=None,
        ended_at=NOW,
        predictions=(),
    )
    text = analysis.message(summary, bucket="intake", flywheel_name="news")
    assert size_of(text) <= SNS_BYTES
    assert "--again" in text.splitlines()[-1]
    assert "[shortened" in text


@pytest.mark.parametrize("text", ["x" * 500, "two\nlines", "\x1b[31m", "Zürich", "\u202e"])
def test_a_subject_is_less_than_a_hundred_characters_of_printable_ascii(text: str) -> None:
    subject = notification.subject(f"news {text}")
    assert len(subject) < 100
    assert subject.isascii()
    assert subject.isprintable()


def test_the_event_of_a_promotion_for_a_long_reason() -> None:
    beginning = PromotionBeginning(promotion="promotion-000001", began_at=NOW, request=request(by=LONG, reason=LONG))
    detail = requests.event_detail(beginning, flywheel_name="news")
    assert size_as_json(detail) <= EVENT_BYTES
    assert str(detail["reason"]).endswith(
        "[shortened: promotions/requests/operator-1.json in the intake bucket has the whole]"
    )
    short = requests.event_detail(beginning.model_copy(update={"request": request()}), flywheel_name="news")
    assert (short["by"], short["reason"]) == ("somebody", "because")


def test_a_cause_and_an_error_that_go_through_the_states_of_a_machine() -> None:
    assert size_of(failure_cause.readable_cause(json.dumps({"errorMessage": LONG})) or "") <= LONGEST_SENTENCE
    assert size_of(failure_cause.readable_cause(LONG) or "") <= LONGEST_SENTENCE
    assert size_of(str(FlywheelError(LONG))) <= LONGEST_SENTENCE
    assert str(FlywheelError("short")) == "short"


def test_each_item_of_a_distributed_map_fits_into_an_input() -> None:
    found = [list(batch) for batch in _batches(uploads(250))]
    assert [upload for batch in found for upload in batch] == uploads(250)
    for batch in found:
        assert size_as_json(
            {"turn": "t" * 80, "split": "train", "uploads": [u.model_dump(mode="json") for u in batch]}
        ) < (STATE_BYTES)


def test_an_answer_to_cloudformation() -> None:
    event = CustomResourceEvent(
        RequestType="Delete",
        ResponseURL="https://answer.example",
        StackId="s" * 1024,
        RequestId="r" * 36,
        LogicalResourceId="l" * 255,
        PhysicalResourceId="p" * 1024,
    )
    body = answer_body(event, status="FAILED", reason=LONG, physical_id="endpoint")
    assert len(body) <= 4096
    assert json.loads(body)["Reason"].endswith(SHORTENED)


def test_an_answer_of_the_api_with_the_longest_labels() -> None:
    scores = tuple((f"{number:04d}".rjust(5000, "\u00e9"), 1 - number / 1000) for number in range(1000))
    answer = answer_of(Classification.of(scores, multi_label=True), real_time=CLASSIFYING)
    assert all(document["labels"][0]["score"] == 1 for document in answer["documents"])


def test_an_answer_of_the_api_with_the_most_entities_leaves_out_those_with_the_lowest_scores() -> None:
    text = "\u20ac" * (RECOGNIZING.most_text_bytes // 3)
    spans = [Span(place, place + 1, "X" * 64) for place in range(len(text))]
    found = [(span, span.begin / len(text)) for span in spans]
    for document in answer_of(RecognizedEntities.of(text, found), real_time=RECOGNIZING)["documents"]:
        begins = [entity["begin"] for entity in document["entities"]]
        assert begins == list(range(begins[0], len(text)))
        assert document["confidence"] == 0


def answer_of(prediction: Prediction, *, real_time: RealTime) -> dict[str, Any]:
    """The same for as many documents as a request may have."""
    classified = Classified(
        answers=(prediction,) * MOST_DOCUMENTS,
        model=None,
        throttled=0,
        low_confidence=0,
        causes=(),
        keeping=Keeping(ids=("20261121-" + 32 * "0",) * MOST_DOCUMENTS, kept=frozenset(), queued=0, not_stored=0),
    )
    answer = _answer(classified, answer=bodies_of(real_time).answer, endpoint_arn="arn").model_dump(mode="json")
    assert size_as_json(answer) <= 6_000_000
    return answer
