"""Three hundred schedules, drawn from their seeds, hold every claim. `make simulate` runs ten thousand."""

from __future__ import annotations

import pytest

from tests.simulation.many import run_here

SCHEDULES = 300
PARTS = 12
"""So that processes can share them."""


@pytest.mark.parametrize("part", range(PARTS))
def test_every_claim_holds(part: int) -> None:
    schedules = [(number // 2 + 1, number % 2 == 0) for number in range(part, SCHEDULES, PARTS)]
    figures = run_here(schedules)
    assert not figures.broken
