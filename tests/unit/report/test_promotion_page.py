"""The page of a promotion of an imported model: what it says, and that nothing others have written becomes markup."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given, settings

from flywheel.records.announcements import ModelShared, ModelWithdrawn
from flywheel.records.decisions import Metrics
from flywheel.records.imports import Import, import_key, origin_key, withdrawal_key
from flywheel.records.promotions import (
    ApprovalWait,
    Promotion,
    PromotionBeginning,
    PromotionRequest,
    PromotionSource,
    PromotionStatus,
    approval_key,
)
from flywheel.records.serving import SmokeTest, WrongLine, smoke_test_key
from flywheel.report.promotion_page import promotion_page
from flywheel.store.bucket import IntakeBucket
from tests.unit.report.test_page import Reading, words_of, written

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SOURCE = "arn:aws:comprehend:us-east-1:444455556666:document-classifier/news/version/v7"
HERE = "arn:aws:comprehend:us-east-1:111122223333:document-classifier/press/version/news-v7-0a1b2c3d"
FORMER = "arn:aws:comprehend:us-east-1:111122223333:document-classifier/press/version/news-v6-0a1b2c3d"
SHARED = ModelShared(
    id="promotion-000007-0a1b2c3d",
    flywheel="news",
    account="444455556666",
    model=SOURCE,
    model_type="DOCUMENT_CLASSIFIER",
    mode="MULTI_LABEL",
    language="en",
    labels=("CALM", "STORM"),
    shared_at=NOON - timedelta(hours=1),
    promotion="promotion-000007",
    turn="turn-000012",
    by="turn-000012",
    reason="F1Score gains 0.05.",
    scores=Metrics(F1Score=0.875),
    thresholds={"CALM": 0.25},
)
REQUEST = PromotionRequest(
    id=SHARED.id,
    source=PromotionSource.ANNOUNCEMENT,
    model_arn=HERE,
    source_model_arn=SOURCE,
    requested_at=SHARED.shared_at,
    by="news in account 444455556666",
    reason=SHARED.reason,
)
BEGINNING = PromotionBeginning(
    promotion="promotion-000003", began_at=NOON, request=REQUEST, former_model_arn=FORMER, approval=True
)
ENDED = Promotion(
    request_id=REQUEST.id,
    source=REQUEST.source,
    model_arn=HERE,
    source_model_arn=SOURCE,
    former_model_arn=FORMER,
    status=PromotionStatus.PROMOTED,
    reason="The model is active.",
    at=NOON + timedelta(minutes=12),
    by=REQUEST.by,
    answered_by="a person",
    promotion="promotion-000003",
)
TESTED = SmokeTest(
    model_arn=HERE,
    key="smoke.csv",
    documents=10,
    right=9,
    minimum=0.8,
    wrong=(WrongLine(line=4, expected=("CALM",), answered=("STORM",)),),
    at=NOON + timedelta(minutes=4),
)
RECORDS: dict[str, Any] = {
    origin_key(HERE): SHARED,
    origin_key(FORMER): SHARED.model_copy(update={"scores": Metrics(F1Score=0.75)}),
    import_key(HERE): Import(model_arn=HERE, source_model_arn=SOURCE, asked_at=NOON + timedelta(minutes=1)),
    smoke_test_key(HERE): TESTED,
    approval_key("promotion-000003"): ApprovalWait(
        task_token="a secret", asked_at=NOON + timedelta(minutes=5), ends_at=NOON + timedelta(hours=72)
    ),
}


class Bucket:
    name = "press-intake"

    def __init__(self, records: dict[str, Any]) -> None:
        self._records = records

    def read(self, key: str, _kind: type) -> Any:
        return self._records.get(key)


def page(*, ended: Promotion = ENDED, request: PromotionRequest = REQUEST, **records: Any) -> str:
    """`records` by what they are of; None: there is none."""
    keys = {
        "origin": origin_key(HERE),
        "imported": import_key(HERE),
        "tested": smoke_test_key(HERE),
        "wait": approval_key("promotion-000003"),
        "withdrawn": withdrawal_key(HERE),
    }
    found = {**RECORDS, **{keys[name]: record for name, record in records.items()}}
    beginning = BEGINNING.model_copy(update={"request": request})
    return promotion_page(beginning, request, ended, intake=cast("IntakeBucket", Bucket(found)))


def test_tells_where_the_model_comes_from_and_what_was_tried() -> None:
    text = words_of(page())
    for part in (
        *("The model serves here.", HERE, SOURCE, FORMER, "flywheel news in account 444455556666, turn-000012"),
        *("F1Score gains 0.05.", "0.8750", "0.7500", "MULTI_LABEL", "CALM, STORM", "0.25"),
        *("The smoke test passed: 9 of 10", "smoke.csv", "Answered by a person."),
        "flywheel report promotion-000003",
    ):
        assert part in text


def test_the_token_that_approves_is_not_on_it() -> None:
    assert "a secret" not in page()


def test_the_events_are_in_order() -> None:
    text = words_of(page())
    events = ["The source shared the version", "The promotion began", "Comprehend was asked", "The smoke test 2026"]
    places = [text.index(event) for event in [*events, "A person was asked", "The end: promoted"]]
    assert places == sorted(places)


@pytest.mark.parametrize("status", PromotionStatus)
def test_of_every_status(status: PromotionStatus) -> None:
    assert status in words_of(page(ended=ENDED.model_copy(update={"status": status})))


def test_of_a_version_that_nobody_announced() -> None:
    text = words_of(page(origin=None, imported=None, tested=None, wait=None))
    assert SOURCE in text, "the request has it"
    assert "The source has told no scores of it." in text
    assert "None has run: SmokeTestKey" in text


def test_of_one_that_the_source_withdrew() -> None:
    withdrawn = ModelWithdrawn(
        id="withdrawn-1",
        flywheel="news",
        account="444455556666",
        model=SOURCE,
        model_type="DOCUMENT_CLASSIFIER",
        withdrawn_at=NOON + timedelta(days=1),
        instead=SOURCE,
        promotion="promotion-000008",
        by="a person",
        reason="It mistakes calm for storm.",
    )
    assert "It mistakes calm for storm." in words_of(page(withdrawn=withdrawn))
    again = SHARED.model_copy(update={"shared_at": withdrawn.withdrawn_at + timedelta(days=1)})
    assert "It mistakes calm for storm." not in words_of(page(withdrawn=withdrawn, origin=again))


@settings(deadline=None)
@given(label=written, sentence=written, key=written)
def test_whatever_others_wrote_is_text(label: str, sentence: str, key: str) -> None:
    plain = Reading(page()).elements
    found = page(
        ended=ENDED.model_copy(update={"reason": sentence, "answered_by": sentence}),
        request=REQUEST.model_copy(update={"reason": sentence}),
        origin=SHARED.model_copy(update={"labels": (label,), "thresholds": {label: 0.25}, "reason": sentence}),
        tested=TESTED.model_copy(
            update={"key": key, "wrong": (WrongLine(line=4, expected=(label,), answered=(label,)),)}
        ),
    )
    assert Reading(found).elements == plain
