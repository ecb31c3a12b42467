"""Promotions: which request comes first, which models may go, and what people are told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel.comprehend.model_kind import Model
from flywheel.promotions import report_promotion, requests
from flywheel.promotions.delete_old_models import superfluous
from flywheel.promotions.start_promotion import Poke
from flywheel.records import promotions, turns
from flywheel.records.promotions import PromotionRequest, PromotionSource, PromotionStatus
from flywheel.turn import start_turn
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
        assert requests.choose([]) is None

    @given(drawn=REQUESTS, data=st.data())
    def test_does_not_depend_on_the_order(self, drawn: list[PromotionRequest], data: st.DataObject) -> None:
        shuffled = data.draw(st.permutations(drawn))
        first, second = requests.choose(drawn), requests.choose(shuffled)
        assert first
        assert second
        assert first.chosen == second.chosen
        assert set(first.superseded) == set(second.superseded)

    @given(drawn=REQUESTS)
    def test_people_come_before_turns_and_their_last_word_counts(self, drawn: list[PromotionRequest]) -> None:
        by_people = [found for found in drawn if not found.source.automatic]
        choice = requests.choose(drawn)
        assert choice
        if by_people:
            assert choice.chosen == max(by_people, key=age)

    @given(drawn=REQUESTS)
    def test_no_candidate_scores_more_than_the_chosen_one(self, drawn: list[PromotionRequest]) -> None:
        candidates = [found for found in drawn if found.source is PromotionSource.TURN]
        choice = requests.choose(candidates)
        for other in candidates:
            assert choice
            assert choice.chosen.score is not None or other.score is None
            assert (choice.chosen.score or 0) >= (other.score or 0)

    @given(drawn=REQUESTS)
    def test_the_newest_announcement_counts(self, drawn: list[PromotionRequest]) -> None:
        announced = [found for found in drawn if found.source is PromotionSource.ANNOUNCEMENT]
        without_scores = [found.model_copy(update={"score": None}) for found in announced]
        choice = requests.choose(without_scores)
        assert choice is None or choice.chosen == max(without_scores, key=age)

    @given(drawn=REQUESTS)
    def test_exactly_the_older_ones_are_superseded(self, drawn: list[PromotionRequest]) -> None:
        choice = requests.choose(drawn)
        assert choice
        older = {found for found in drawn if age(found) < age(choice.chosen)}
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
    reason = report_promotion.reason_of(status, error="Boom", cause="It broke.")
    assert reason.endswith(".")
    assert ("Boom" in reason) is (status is PromotionStatus.FAILED)
    spoken = {PromotionStatus.PROMOTED, PromotionStatus.ALREADY_ACTIVE, PromotionStatus.NOT_ANSWERED}
    assert ("It broke." in reason) is (status not in spoken)
    assert report_promotion.reason_of(status, error=None, cause=None)


@given(name=st.text(max_size=200), status=st.sampled_from(PromotionStatus))
def test_a_subject_is_one_that_sns_takes(name: str, status: PromotionStatus) -> None:
    first = request(1, source=PromotionSource.TURN, minutes=0, score=None)
    end = requests.as_promotion(first, status=status, reason="Because.", at=NOON)
    subject = report_promotion.subject(end, flywheel_name=name)
    assert subject.isascii()
    assert len(subject) <= 100


def test_a_notification_says_who_what_why_and_the_way_back() -> None:
    asked = request(1, source=PromotionSource.TURN, minutes=0, score=None).model_copy(update={"turn": "turn-000007"})
    older = request(2, source=PromotionSource.TURN, minutes=0, score=None).model_copy(update={"by": "turn-000006"})
    first = requests.as_promotion(
        asked, status=PromotionStatus.PROMOTED, reason="Good.", at=NOON, answered_by="Bo", warning="Few documents."
    )
    other = requests.as_promotion(older, status=PromotionStatus.SUPERSEDED, reason="Worse.", at=NOON)
    text = report_promotion.message((first, other), flywheel_name="news", intake_bucket="intake")
    for part in ("arn:model-1", "Ada", "Bo", "Few documents.", "turn-000006: superseded. Worse.", "report turn-000007"):
        assert part in text
    assert "flywheel --name news rollback" in text
    refused = requests.as_promotion(asked, status=PromotionStatus.REFUSED, reason="No.", at=NOON)
    told = report_promotion.message((refused,), flywheel_name="news", intake_bucket="intake")
    assert "rollback" not in told
    assert "None" not in told


@given(number=st.integers(min_value=1, max_value=10**9))
def test_a_name_has_its_number_and_is_of_one_series_only(number: int) -> None:
    assert promotions.number_of(promotions.name_of(number)) == number
    assert turns.number_of(promotions.name_of(number)) is None
    assert promotions.number_of(turns.name_of(number)) is None


@pytest.mark.parametrize("pokes", [{start_turn.Poke.TURN_ENDED}, {start_turn.Poke.SCHEDULE}, {start_turn.Poke.UPLOAD}])
def test_a_change_outside_starts_a_turn_unless_three_failed(pokes: set[start_turn.Poke]) -> None:
    found = start_turn.PipelineState(
        now=NOON, pokes=frozenset(pokes), changed_outside="It was changed outside the pipeline."
    )
    assert start_turn.decide(found).start
    assert start_turn.decide(found).reason == "It was changed outside the pipeline."
    failed = start_turn.PipelineState(
        now=NOON, pokes=frozenset(pokes), changed_outside="It was.", failures=start_turn.MAXIMUM_FAILURES
    )
    assert not start_turn.decide(failed).start


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
