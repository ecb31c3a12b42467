"""When a turn starts: each rule, and that nothing else does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel.turn.start_turn import MAXIMUM_FAILURES, PipelineState, Poke, decide, too_soon_for_an_iteration

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ANY_POKE = frozenset(Poke)

pokes = st.frozensets(st.sampled_from(Poke), min_size=1)
moments = st.timedeltas(min_value=timedelta(days=-10), max_value=timedelta(days=10)).map(lambda age: NOW + age)
durations = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3))
states = st.builds(
    PipelineState,
    now=st.just(NOW),
    pokes=pokes,
    paused=st.booleans(),
    requested=st.booleans(),
    request_is_new=st.booleans(),
    flywheel_active=st.booleans(),
    unfinished_iteration=st.none() | st.just("20261121T100000Z"),
    last_turn_failed=st.booleans(),
    failures=st.integers(min_value=0, max_value=MAXIMUM_FAILURES),
    unprepared=st.integers(min_value=0, max_value=MAXIMUM_FAILURES),
    work_left=st.none() | st.just("work is left"),
    uncollected=st.lists(moments, max_size=3).map(tuple),
    last_iteration_at=st.none() | moments,
    quiet_period=durations,
    minimum_between_iterations=durations,
)


def at_rest(**changes: object) -> PipelineState:
    return replace(PipelineState(now=NOW, pokes=ANY_POKE), **changes)  # type: ignore[arg-type]  # values of several types


@pytest.mark.parametrize("poke", Poke)
def test_at_rest_no_poke_starts_a_turn(poke: Poke) -> None:
    verdict = decide(at_rest(pokes=frozenset({poke})))
    assert not verdict.start
    assert verdict.again_in is None


@given(state=states)
def test_nothing_to_do_starts_nothing_whatever_pokes(state: PipelineState) -> None:
    """Documents that wait for a dataset are not in the state at all: they start nothing."""
    idle = replace(
        state,
        requested=False,
        unfinished_iteration=None,
        last_turn_failed=False,
        unprepared=0,
        work_left=None,
        uncollected=(),
    )
    verdict = decide(idle)
    assert not verdict.start
    assert verdict.again_in is None or not idle.flywheel_active


@given(state=states)
def test_a_pause_outweighs_everything(state: PipelineState) -> None:
    verdict = decide(replace(state, paused=True))
    assert not verdict.start
    assert verdict.again_in is None


@given(state=states)
def test_every_verdict_has_its_reason(state: PipelineState) -> None:
    assert decide(state).reason


@given(state=states)
def test_it_looks_again_only_when_waiting_helps(state: PipelineState) -> None:
    verdict = decide(state)
    assert verdict.again_in is None or (not verdict.start and verdict.again_in > timedelta(0))


@given(state=states)
def test_failures_are_bounded_unless_a_person_asks(state: PipelineState) -> None:
    failed = replace(state, failures=MAXIMUM_FAILURES, last_turn_failed=True)
    asked_now = Poke.OPERATOR in failed.pokes or failed.request_is_new
    assert not decide(failed).start or (failed.requested and asked_now)


@given(state=states)
def test_an_operator_starts_a_turn_at_once(state: PipelineState) -> None:
    asked = replace(state, requested=True, paused=False, flywheel_active=True, pokes=state.pokes | {Poke.OPERATOR})
    assert decide(asked).start


@pytest.mark.parametrize("poke", Poke)
def test_an_unfinished_iteration_is_due_at_any_poke(poke: Poke) -> None:
    verdict = decide(at_rest(unfinished_iteration="20261121T100000Z", pokes=frozenset({poke})))
    assert verdict.start
    assert "20261121T100000Z" in verdict.reason


def test_a_decision_does_not_wait_for_the_hours_between_iterations() -> None:
    verdict = decide(
        at_rest(
            unfinished_iteration="20261121T100000Z",
            last_iteration_at=NOW - timedelta(minutes=1),
            minimum_between_iterations=timedelta(days=1),
        )
    )
    assert verdict.start


@pytest.mark.parametrize("poke", Poke)
def test_only_the_schedule_retries_a_failed_turn_that_has_nothing_new(poke: Poke) -> None:
    verdict = decide(at_rest(last_turn_failed=True, failures=1, pokes=frozenset({poke})))
    assert verdict.start is (poke is Poke.SCHEDULE)
    assert "the schedule tries again" in verdict.reason


@pytest.mark.parametrize("failures", range(MAXIMUM_FAILURES + 1))
def test_the_schedule_retries_a_bounded_number_of_times(failures: int) -> None:
    verdict = decide(at_rest(last_turn_failed=True, failures=failures))
    assert verdict.start is (failures < MAXIMUM_FAILURES)
    assert verdict.waits_for_a_person is (failures == MAXIMUM_FAILURES)
    assert verdict.start or "flywheel turn --now" in verdict.reason


@pytest.mark.parametrize("poke", Poke)
@pytest.mark.parametrize("times", range(MAXIMUM_FAILURES + 1))
def test_the_schedule_retries_an_upload_that_was_not_prepared_a_bounded_number_of_times(poke: Poke, times: int) -> None:
    verdict = decide(at_rest(unprepared=times, pokes=frozenset({poke})))
    assert verdict.start is (poke is Poke.SCHEDULE and 0 < times < MAXIMUM_FAILURES)


def test_an_upload_that_cannot_be_prepared_holds_up_no_other() -> None:
    assert decide(at_rest(unprepared=MAXIMUM_FAILURES, uncollected=(NOW,), pokes=frozenset({Poke.UPLOAD}))).start


def test_a_new_upload_retries_a_failed_turn() -> None:
    assert decide(at_rest(last_turn_failed=True, failures=1, uncollected=(NOW,), pokes=frozenset({Poke.UPLOAD}))).start


def test_an_upload_rests_for_the_quiet_period() -> None:
    uploads = (NOW - timedelta(minutes=4), NOW - timedelta(minutes=1))
    verdict = decide(at_rest(uncollected=uploads, quiet_period=timedelta(minutes=5)))
    assert not verdict.start
    assert verdict.again_in == timedelta(minutes=1)


def test_uploads_without_end_do_not_hold_up_the_first_for_ever() -> None:
    uploads = (NOW - timedelta(minutes=5), NOW)
    assert decide(at_rest(uncollected=uploads, quiet_period=timedelta(minutes=5))).start


def test_uploads_wait_until_the_next_iteration_may_begin() -> None:
    waiting = at_rest(
        uncollected=(NOW - timedelta(hours=2),),
        last_iteration_at=NOW - timedelta(hours=1),
        minimum_between_iterations=timedelta(hours=6),
    )
    verdict = decide(waiting)
    assert not verdict.start
    assert verdict.again_in is None  # the schedule looks again
    assert "2026-11-21 17:00" in verdict.reason
    assert decide(replace(waiting, now=NOW + timedelta(hours=5))).start


def test_work_that_a_turn_left_is_taken_up_without_an_upload() -> None:
    verdict = decide(at_rest(work_left="the last dataset was full"))
    assert verdict.start
    assert verdict.reason == "the last dataset was full"


def test_work_left_waits_for_the_hours_between_iterations_too() -> None:
    verdict = decide(
        at_rest(
            work_left="the last dataset was full",
            last_iteration_at=NOW,
            minimum_between_iterations=timedelta(hours=1),
        )
    )
    assert not verdict.start


def test_a_flywheel_that_is_being_created_is_looked_at_again() -> None:
    verdict = decide(at_rest(flywheel_active=False, uncollected=(NOW,)))
    assert not verdict.start
    assert verdict.again_in


@given(last=moments, minimum=durations, now=moments)
def test_the_next_iteration_may_begin_after_the_minimum_and_not_before(
    last: datetime, minimum: timedelta, now: datetime
) -> None:
    too_soon = too_soon_for_an_iteration(now=now, last=last, minimum=minimum)
    assert (too_soon is None) is (now - last >= minimum)


def test_without_an_iteration_none_is_too_soon() -> None:
    assert too_soon_for_an_iteration(now=NOW, last=None, minimum=timedelta(days=30)) is None
