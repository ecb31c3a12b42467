"""Cuts a failing schedule down: fewer acts and less weather, as long as the same claim breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace

from tests.simulation.schedule.plan import Plan, Rates
from tests.simulation.simulation import Run

_MOST_RUNS = 200


def shrunk(failed: Run, again: Callable[[Plan], Run]) -> Run:
    """The smallest run found that breaks the claim that `failed` broke."""
    assert failed.broken is not None
    claim, smallest, runs = failed.broken.claim, failed, 0
    progress = True
    while progress and runs < _MOST_RUNS:
        progress = False
        for plan in _smaller(smallest.plan):
            runs += 1
            tried = again(plan)
            if tried.broken is not None and tried.broken.claim == claim:
                smallest, progress = tried, True
                break
            if runs >= _MOST_RUNS:
                break
    return smallest


def _smaller(plan: Plan) -> Iterator[Plan]:
    for each in fields(Rates):
        if getattr(plan.rates, each.name):
            yield replace(plan, rates=replace(plan.rates, **{each.name: 0.0}))
    count = len(plan.acts)
    size = count // 2
    while size:
        for begin in range(0, count, size):
            yield replace(plan, acts=plan.acts[:begin] + plan.acts[begin + size :])
        size //= 2
