"""Claims about functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.claims.broken import require

if TYPE_CHECKING:
    from tests.simulation.simulation import Situation


def errors_have_names(situation: Situation) -> None:
    """A function fails with an error of the pipeline's own or of AWS's, which says what to do; never with any other."""
    for who, error in situation.world.unplanned:
        require(False, f"{who} failed with {type(error).__name__}: {error}")
