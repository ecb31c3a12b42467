"""A schedule as a story: one line an event."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.simulation.kernel import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.simulation import Run


def lines(run: Run) -> Iterator[str]:
    plan = run.plan
    yield f"Seed {plan.seed}, {'bounded' if plan.bounded else 'unbounded'} faults: {plan.kind}."
    for stack, values in plan.parameters.items():
        if values:
            yield f"  {stack}: {', '.join(f'{name}={value}' for name, value in values.items())}"
    yield f"  Comprehend: {', '.join(f'{name}={value}' for name, value in plan.readings.items())}"
    bad = {name: share for name, share in vars(plan.rates).items() if share}
    yield f"  Weather: {', '.join(f'{name} {share:.3f}' for name, share in bad.items()) or 'calm'}"
    for moment, who, what in run.story:
        yield f"{_clock(moment)}  {who}: {what}"
    yield run.broken.message if run.broken else "Every claim holds."


def _clock(moment: float) -> str:
    passed = timedelta(seconds=moment - BEGINNING)
    hours, rest = divmod(passed.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{passed.days} d {hours:02}:{minutes:02}:{seconds:02}.{passed.microseconds // 1000:03}"
