"""Claims about what `flywheel status` says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ops.verbs.prepared import UploadState
from ops.verbs.status import status
from tests.simulation.claims.broken import require

if TYPE_CHECKING:
    from tests.simulation.simulation import Situation


def the_status_says_what_the_pipeline_does(situation: Situation) -> None:
    """At rest it says that nothing is due, or what it waits for."""
    world, app = situation.world, situation.app
    with situation.people.acting("Operators"):
        found = status(situation.people.deployment, now=datetime.fromtimestamp(world.kernel.now, tz=UTC))
    on_upload = app.stacks["flywheel"].given["TriggerOnUpload"] == "true"
    waits = found.paused is not None or not on_upload
    require(waits or not found.next_turn.due, f"a turn is due: {found.next_turn.reason}")
    require(found.running is None or found.running.state.name == "ENDED", f"it says that {found.running} runs")
    for upload in found.uploads:
        explained = upload.reason or upload.state is not UploadState.WAITING or waits
        require(bool(explained), f"{upload.key} waits without a reason")
