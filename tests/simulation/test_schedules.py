"""Three hundred schedules, drawn from their seeds, hold every claim. `make simulate` runs ten thousand."""

from __future__ import annotations

import pytest

from tests.simulation.many import run_here

SCHEDULES = 300
PARTS = 12
"""So that processes can share them."""
OPEN = {
    (89, True, "each_document_is_in_one_place"),
    (137, True, "no_model_stays_active_that_failed_its_smoke_test"),
}
"""(seed, bounded, claim): found and not mended yet. A mend takes it from here.

89: two documents are there twice. It shows since killed functions send nothing more, not even from a `finally`.
137: the file of the smoke test has labels of another generation, so that it is impossible. The serving fails with that
reason again and again; the claim does not know it.
"""


@pytest.mark.parametrize("part", range(PARTS))
def test_every_claim_holds(part: int) -> None:
    schedules = [(number // 2 + 1, number % 2 == 0) for number in range(part, SCHEDULES, PARTS)]
    figures = run_here(schedules)
    broken = {(seed, bounded, claim) for seed, bounded, claim, _ in figures.broken}
    assert broken == {each for each in OPEN if each[:2] in schedules}, figures.broken
