"""Many schedules, on every core."""

from __future__ import annotations

import gc
import os
import re
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from tests.simulation.claims import ALWAYS, AT_REST, AT_THE_END
from tests.simulation.installation import installed
from tests.simulation.schedule.plan import Plan, draw_plan
from tests.simulation.simulation import Run, run

_BATCH = 10
_POOL = 500
"""Schedules until the processes are new ones: each schedule leaves 1 to 2 MB of what is kept for the next."""


@dataclass(kw_only=True)
class Figures:
    """Of several schedules."""

    schedules: int = 0
    requests: int = 0
    events: int = 0
    visits: Counter[str] = field(default_factory=Counter)
    grants: Counter[str] = field(default_factory=Counter)
    granted: set[str] = field(default_factory=set)
    broken: list[tuple[int, bool, str, str]] = field(default_factory=list)
    """(seed, bounded, claim, message)"""

    def add(self, other: Figures) -> None:
        self.schedules += other.schedules
        self.requests += other.requests
        self.events += other.events
        self.visits.update(other.visits)
        self.grants.update(other.grants)
        self.granted |= other.granted
        self.broken += other.broken

    def take(self, one: Run) -> None:
        self.schedules += 1
        self.requests += one.requests
        self.events += len(one.story)
        self.visits.update(one.visits)
        for grant, times in one.grants.items():
            self.grants[_of_any_generation(grant)] += times
        self.granted |= {_of_any_generation(grant) for grant in one.granted}
        if one.broken is not None:
            self.broken.append((one.plan.seed, one.plan.bounded, one.broken.claim, one.broken.message))


def _of_any_generation(grant: str) -> str:
    """The name of a flywheel ends with a hash of its settings."""
    return re.sub(r"(flywheel/[a-z]+-)[0-9a-f]{8}", r"\1<hash>", grant)


def run_plan(plan: Plan) -> Run:
    """While `installed` is in force."""
    return run(plan, always=ALWAYS, at_the_end=AT_THE_END, at_rest=AT_REST)


def run_here(schedules: Sequence[tuple[int, bool]]) -> Figures:
    """(seed, bounded), one after the other in this process."""
    found = Figures()
    with installed(), _garbage_by_hand():
        for seed, bounded in schedules:
            try:
                found.take(run_plan(draw_plan(seed, bounded=bounded)))
            except Exception as error:  # noqa: BLE001 - one that cannot be run costs nothing of what thousands found
                where = traceback.extract_tb(error.__traceback__)[-1]
                message = f"{type(error).__name__}: {error} ({Path(where.filename).name}, line {where.lineno})"
                found.schedules += 1
                found.broken.append((seed, bounded, "it_can_be_run", message))
            gc.collect()
            # What is still there, such as templates that were resolved, stays for the schedules to come.
            gc.freeze()
    return found


@contextmanager
def _garbage_by_hand() -> Iterator[None]:
    """Collecting it within a schedule takes a tenth of its time; looking at what stays each time, a fifth."""
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.enable()


def run_many(schedules: Sequence[tuple[int, bool]], *, processes: int | None = None) -> Iterator[tuple[Figures, float]]:
    """What has been found so far and the seconds it took, after each batch."""
    began = time.monotonic()
    found = Figures()
    for some in _in_parts(schedules, _POOL):
        with ProcessPoolExecutor(processes or os.cpu_count(), mp_context=get_context("spawn")) as pool:
            try:
                for figures in pool.map(run_here, _in_parts(some, _BATCH)):
                    found.add(figures)
                    yield found, time.monotonic() - began
            finally:
                pool.shutdown(cancel_futures=True)


def _in_parts(schedules: Sequence[tuple[int, bool]], size: int) -> list[Sequence[tuple[int, bool]]]:
    return [schedules[begin : begin + size] for begin in range(0, len(schedules), size)]
