"""The metrics of the endpoint for the dashboard and the alarms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flywheel.measurement import Measurement
from flywheel.records.serving import ServingStatus

if TYPE_CHECKING:
    from flywheel.records.serving import ServingState


def of_serving(state: ServingState, *, smoke_test_failed: bool) -> Iterator[Measurement]:
    """ServingBehind is 1 while the endpoint could not be brought to its target, SmokeTestFailed while the served model
    has failed its smoke test."""
    yield Measurement(name="ServingBehind", value=int(state.status is ServingStatus.BEHIND))
    yield Measurement(name="SmokeTestFailed", value=int(smoke_test_failed))
