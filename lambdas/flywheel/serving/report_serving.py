"""Records the state of the endpoint, for people, for the API and for the next run."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.records.serving import STATE_KEY, ServingState, ServingStatus

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket


def write_state(
    *, status: ServingStatus, reason: str, model_arn: str | None, endpoint_arn: str, intake: IntakeBucket, now: datetime
) -> ServingState:
    """Write the state. `since` stays while the status stays."""
    before = intake.read(STATE_KEY, ServingState)
    since = before.since if before is not None and before.status is status else now
    without_endpoint = {ServingStatus.NOT_WANTED, ServingStatus.NO_MODEL, ServingStatus.OUT_OF_HOURS}
    state = ServingState(
        status=status,
        reason=reason,
        since=since,
        endpoint_arn=None if status in without_endpoint else endpoint_arn,
        model_arn=model_arn,
        at=now,
    )
    intake.write(STATE_KEY, state)
    return state
