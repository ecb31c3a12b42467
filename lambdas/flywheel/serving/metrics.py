"""The numbers of the endpoint that dashboard and alarms look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flywheel.measurement import Measurement
from flywheel.records.serving import ServingStatus

if TYPE_CHECKING:
    from flywheel.records.serving import ServingState


def of_serving(state: ServingState, *, smoke_test_failed: bool) -> Iterator[Measurement]:
    """1 while what is wanted could not be brought about, and while the model that answers failed its smoke test."""
    yield Measurement(name="ServingBehind", value=int(state.status is ServingStatus.BEHIND))
    yield Measurement(name="SmokeTestFailed", value=int(smoke_test_failed))
