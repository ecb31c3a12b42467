"""Promotions: which request comes first, which models may go, and what people are told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel import due, promotion_ends, promotions, turns
from flywheel.comprehend import Model
from flywheel.promotion_records import PromotionRequest, PromotionSource, PromotionStatus
from flywheel.promotion_starting import Poke
from flywheel.retention import superfluous
from handlers.pokes import read_pokes

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
BY_SOURCE = {"aws.ssm": Poke.DESIRED, "aws.states": Poke.ENDED}


def request(number: int, *, source: PromotionSource, minutes: int, score: float | None) -> PromotionRequest:
    return PromotionRequest(
        id=f"request-{number}",
        source=source,
        model_arn=f"arn:model-{number}",
        flywheel_arn="arn:flywheel",
        requested_at=NOON + timedelta(minutes=minutes),
        by="Ada",
        reason="A test.",
        score=score,
    )


REQUESTS = st.lists(
    st.tuples(st.sampled_from(PromotionSource), st.integers(0, 5), st.none() | st.floats(0, 1)), min_size=1, max_size=6
).map(
    lambda found: [
        request(number, source=source, minutes=minutes, score=score)
        for number, (source, minutes, score) in enumerate(found)
    ]
)


def age(found: PromotionRequest) -> tuple[datetime, str]:
    return found.requested_at, found.id


class TestChoice:
    def test_of_nothing_is_nothing(self) -> None:
        assert promotions.choose([]) is None

    @given(requests=REQUESTS, data=st.data())
    def test_does_not_depend_on_the_order(self, requests: list[PromotionRequest], data: st.DataObject) -> None:
        shuffled = data.draw(st.permutations(requests))
        first, second = promotions.choose(requests), promotions.choose(shuffled)
        assert first
        assert second
        assert first.chosen == second.chosen
        assert set(first.superseded) == set(second.superseded)

    @given(requests=REQUESTS)
    def test_people_come_before_turns_and_their_last_word_counts(self, requests: list[PromotionRequest]) -> None:
        by_people = [found for found in requests if found.source is not PromotionSource.TURN]
        choice = promotions.choose(requests)
        assert choice
        if by_people:
            assert choice.chosen == max(by_people, key=age)

    @given(requests=REQUESTS)
    def test_no_candidate_scores_more_than_the_chosen_one(self, requests: list[PromotionRequest]) -> None:
        candidates = [found for found in requests if found.source is PromotionSource.TURN]
        choice = promotions.choose(candidates)
        for other in candidates:
            assert choice
            assert choice.chosen.score is not None or other.score is None
            assert (choice.chosen.score or 0) >= (other.score or 0)

    @given(requests=REQUESTS)
    def test_exactly_the_older_ones_are_superseded(self, requests: list[PromotionRequest]) -> None:
        choice = promotions.choose(requests)
        assert choice
        older = {found for found in requests if age(found) < age(choice.chosen)}
        assert set(choice.superseded) == older


def model(number: int, *, status: str = "TRAINED") -> Model:
    return Model(
        arn=f"arn:model-{number}",
        status=status,
        flywheel_arn="arn:flywheel",
        mode="MULTI_CLASS",
        language="en",
        submitted_at=NOON + timedelta(hours=number),
        warning=None,
    )


@given(
    statuses=st.lists(st.sampled_from(["TRAINED", "TRAINED_WITH_WARNING", "TRAINING", "IN_ERROR", "DELETING"])),
    keep=st.integers(1, 8),
)
def test_all_but_the_newest_trained_models_are_superfluous(statuses: list[str], keep: int) -> None:
    models = [model(number, status=status) for number, status in enumerate(statuses)]
    trained = [found for found in models if found.trained]
    found = superfluous(models, keep=keep)
    kept = [one for one in trained if one not in found]
    assert len(kept) == min(keep, len(trained))
    assert found + kept == trained


@pytest.mark.parametrize("status", PromotionStatus)
def test_every_end_is_told_in_words(status: PromotionStatus) -> None:
    reason = promotion_ends.reason_of(status, error="Boom", cause="It broke.")
    assert reason.endswith(".")
    assert ("Boom" in reason) is (status is PromotionStatus.FAILED)
    spoken = {PromotionStatus.PROMOTED, PromotionStatus.ALREADY_ACTIVE, PromotionStatus.NOT_ANSWERED}
    assert ("It broke." in reason) is (status not in spoken)
    assert promotion_ends.reason_of(status, error=None, cause=None)


@given(name=st.text(max_size=200), status=st.sampled_from(PromotionStatus))
def test_a_subject_is_one_that_sns_takes(name: str, status: PromotionStatus) -> None:
    wish = request(1, source=PromotionSource.TURN, minutes=0, score=None)
    end = promotions.as_promotion(wish, status=status, reason="Because.", at=NOON)
    subject = promotion_ends.subject(end, flywheel_name=name)
    assert subject.isascii()
    assert len(subject) <= 100


def test_a_notification_says_who_what_why_and_the_way_back() -> None:
    wish = request(1, source=PromotionSource.TURN, minutes=0, score=None).model_copy(update={"turn": "turn-000007"})
    older = request(2, source=PromotionSource.TURN, minutes=0, score=None).model_copy(update={"by": "turn-000006"})
    first = promotions.as_promotion(
        wish, status=PromotionStatus.PROMOTED, reason="Good.", at=NOON, answered_by="Bo", warning="Few documents."
    )
    other = promotions.as_promotion(older, status=PromotionStatus.SUPERSEDED, reason="Worse.", at=NOON)
    text = promotion_ends.message((first, other), flywheel_name="news", intake_bucket="intake")
    for part in ("arn:model-1", "Ada", "Bo", "Few documents.", "turn-000006: superseded. Worse.", "report turn-000007"):
        assert part in text
    assert "flywheel --name news rollback" in text
    refused = promotions.as_promotion(wish, status=PromotionStatus.REFUSED, reason="No.", at=NOON)
    told = promotion_ends.message((refused,), flywheel_name="news", intake_bucket="intake")
    assert "rollback" not in told
    assert "None" not in told


@given(number=st.integers(min_value=1, max_value=10**9))
def test_a_name_has_its_number_and_is_of_one_series_only(number: int) -> None:
    assert promotions.number_of(promotions.name_of(number)) == number
    assert turns.number_of(promotions.name_of(number)) is None
    assert promotions.number_of(turns.name_of(number)) is None


@pytest.mark.parametrize("pokes", [{due.Poke.TURN_ENDED}, {due.Poke.SCHEDULE}, {due.Poke.UPLOAD}])
def test_a_change_outside_starts_a_turn_unless_three_failed(pokes: set[due.Poke]) -> None:
    found = due.Situation(now=NOON, pokes=frozenset(pokes), changed_outside="It was changed outside the pipeline.")
    assert due.judge(found).start
    assert due.judge(found).reason == "It was changed outside the pipeline."
    failed = due.Situation(now=NOON, pokes=frozenset(pokes), changed_outside="It was.", failures=due.MAXIMUM_FAILURES)
    assert not due.judge(failed).start


def batch(*bodies: Any) -> dict[str, Any]:
    return {"Records": [{"messageId": str(n), "body": body} for n, body in enumerate(bodies)]}


class TestPokes:
    def test_are_read_from_messages_and_events(self) -> None:
        bodies = [json.dumps(body) for body in ({"poke": "schedule"}, {"source": "aws.ssm"}, {"source": "aws.states"})]
        pokes, response = read_pokes(batch(*bodies), kind=Poke, by_source=BY_SOURCE)
        assert pokes == {Poke.SCHEDULE, Poke.DESIRED, Poke.ENDED}
        assert response == {"batchItemFailures": []}

    @given(
        body=st.text()
        | st.sampled_from(["[]", "1", "null", '{"poke": "dance"}', '{"source": "aws.s3"}', '{"poke": 1}'])
    )
    def test_what_is_none_is_given_back_alone(self, body: str) -> None:
        good = json.dumps({"poke": Poke.REQUEST})
        pokes, response = read_pokes(batch(good, body, good), kind=Poke, by_source=BY_SOURCE)
        assert pokes == {Poke.REQUEST}
        assert response == {"batchItemFailures": [{"itemIdentifier": "1"}]}
