from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from tests.simulation.functions import FunctionKilled
from tests.simulation.kernel import Kernel
from tests.simulation.schedule.plan import Rates
from tests.simulation.storm import Storm

if TYPE_CHECKING:
    from tests.simulation.weather import Strike

HOUR = 3600.0
MACHINES = ("TurnMachine1", "PromoteMachine2", "ServeMachine3", "AnalyzeMachine4")
STATES = [f"news-flywheel/State{number}" for number in range(40)]


def storm(kernel: Kernel, **rates: float) -> Storm:
    day = kernel.now + 24 * HOUR
    return Storm(kernel, Rates(**rates), calm_after=day, until=day, tell=lambda _who, _what: None)


def refusals(weather: Storm, state: str, *, attempts: int, machines: tuple[str, ...] = MACHINES) -> list[str]:
    """Of whichever machine is the unlucky one."""
    asked = [weather.refused_task(machine, state, "lambda") for machine in machines for _ in range(attempts)]
    return [code for code in asked if code is not None]


def struck(weather: Storm, who: str, operation: str) -> Strike | None:
    return weather.strike("comprehend", operation, cast("Any", SimpleNamespace(who=who)), conditional=False)


def test_each_state_is_refused_a_time_or_two_or_for_longer_than_it_tries_again() -> None:
    kernel = Kernel(1)
    weather = storm(kernel, unlucky=1.0)
    found = [refusals(weather, state, attempts=9) for state in STATES]
    assert {len(codes) for codes in found} == {1, 2, 9}
    for codes in found:
        assert set(codes) == {"AWSLambdaException" if len(codes) == 9 else "TooManyRequestsException"}
    kernel.run_until(kernel.now + HOUR)
    assert [refusals(weather, state, attempts=9) for state in STATES] == [[]] * len(STATES), "once a schedule"


def test_one_machine_of_a_schedule_is_unlucky_and_each_is_in_some() -> None:
    unlucky = {
        tuple(machine for machine in MACHINES if refusals(weather, "State", attempts=1, machines=(machine,)))
        for weather in (storm(Kernel(seed), unlucky=1.0) for seed in range(30))
    }
    assert unlucky == {(machine,) for machine in MACHINES}


def test_a_state_that_few_schedules_enter_has_bad_luck_oftener() -> None:
    found = {
        state: sum(bool(refusals(storm(Kernel(seed), unlucky=0.1), state, attempts=1)) for seed in range(200))
        for state in ("news-flywheel-promote/PutBackFormerModel", "news-flywheel-promote/CheckModel")
    }
    seldom, often = found.values()
    assert seldom > 3 * often > 0


def test_without_bad_luck_and_in_calm_weather_nothing_is_refused() -> None:
    kernel = Kernel(1)
    unlucky, lucky = storm(kernel, unlucky=1.0), storm(kernel)
    assert [refusals(lucky, state, attempts=9) for state in STATES] == [[]] * len(STATES)
    kernel.run_until(kernel.now + 25 * HOUR)
    assert [refusals(unlucky, state, attempts=9) for state in STATES] == [[]] * len(STATES)


def test_a_quota_that_others_use_up_refuses_what_needs_it_and_nothing_else() -> None:
    kernel = Kernel(1)
    weather = storm(kernel, used_up=5.0)
    codes = set()
    for _ in range(23):
        kernel.run_until(kernel.now + HOUR)
        assert struck(weather, "run_iteration#1", "StartFlywheelIteration") is None
        strike = struck(weather, "register_dataset#1", "CreateDataset")
        codes.add(strike.code if strike is not None else None)
    assert codes == {"ResourceLimitExceededException", None}


def test_a_function_loses_its_network_once_and_gets_it_back() -> None:
    kernel = Kernel(1)
    weather = storm(kernel, cut_off=1.0)
    lost = []
    for _ in range(90):
        strike = struck(weather, "run_iteration#1", "DescribeFlywheel")
        lost.append(strike is not None and strike.code is None and not strike.carried_out)
        kernel.run_until(kernel.now + 10)
    assert (lost.count(True), lost[-1]) in {(count, False) for count in (3, 12, 24)}
    assert all(struck(weather, "somebody", "DescribeFlywheel") is None for _ in range(60))


def test_a_change_that_few_functions_ask_for_is_a_place_to_be_killed_at() -> None:
    """Here after more requests than a fate is drawn for."""
    weather = storm(Kernel(1), killed=0.2)
    killed = Counter(when for number in range(500) if (when := killed_at_update(weather, f"function#{number}")))
    assert killed["before"] > 20
    assert killed["after"] > 20


def killed_at_update(weather: Storm, name: str) -> str | None:
    who = cast("Any", SimpleNamespace(who=name, world=SimpleNamespace(visits=Counter())))
    when = "in between"
    try:
        for _ in range(41):
            weather.before_request("s3", "GetObject", who, changes=False)
        when = "before"
        weather.before_request("comprehend", "UpdateFlywheel", who, changes=True)
        when = "after"
        weather.after_request("comprehend", "UpdateFlywheel", who, changes=True)
    except FunctionKilled:
        return when
    return None
