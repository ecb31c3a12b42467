"""Which turn answers an operator's request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flywheel.records.turns import TurnOutcome, TurnRecord, TurnRequest
from ops.verbs.turns import answers

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
REQUEST = TurnRequest(by="me", at=NOW)


def record(*, request: TurnRequest | None = None, outcome: TurnOutcome = TurnOutcome.SUCCEEDED) -> TurnRecord:
    return TurnRecord(
        turn="turn-000002", outcome=outcome, flywheel_arn="arn", began_at=NOW, ended_at=NOW, request=request
    )


def test_without_a_request_any_turn_will_do() -> None:
    assert answers(record(), None)


def test_the_turn_that_took_it_up() -> None:
    assert answers(record(request=REQUEST), REQUEST)


def test_a_later_request_that_replaced_it_counts_for_both() -> None:
    assert answers(record(request=TurnRequest(by="other", at=NOW + timedelta(seconds=1))), REQUEST)


def test_a_turn_of_an_older_request_does_not() -> None:
    assert not answers(record(request=TurnRequest(by="me", at=NOW - timedelta(seconds=1))), REQUEST)


def test_a_turn_that_began_before_the_request_and_succeeded_does_not() -> None:
    assert not answers(record(), REQUEST)


@pytest.mark.parametrize("outcome", [TurnOutcome.FAILED, TurnOutcome.TIMED_OUT, TurnOutcome.ABORTED])
def test_a_turn_that_failed_before_it_could_take_it_up_is_its_answer(outcome: TurnOutcome) -> None:
    assert answers(record(outcome=outcome), REQUEST)
