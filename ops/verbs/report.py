"""The page of a turn on the operator's machine."""

from __future__ import annotations

import tempfile
from pathlib import Path

from flywheel.records import turns
from flywheel.records.turns import TurnRecord
from flywheel.report.turn_page import page_of
from flywheel.store.record import Record
from ops.deployment.errors import OperatorError, UnwritableFileError
from ops.deployment.published import Deployment
from ops.verbs.turns import last_ended_turn, show_turn

_LOOK_BACK = 20
"""How many turns without a record may follow the one that is shown: few are killed without leaving one."""


class Report(Record):
    turn: str
    uri: str
    """Where the page lies in the intake bucket."""
    path: str
    """Where it was saved: absolute."""


def save_report(deployment: Deployment, turn: str | None = None, *, output: Path | None = None) -> Report:
    """Saves the page of `turn` (a name, a number; None: the last one that ended) to `output` or a new temporary file.

    It is rendered here, by the function that writes the page in the bucket: what became of the model since is in it.
    Raises UnknownTurnError, UnwritableFileError, and OperatorError before a turn has ended.
    """
    record = _record(deployment, turn)
    page = page_of(record, intake=deployment.intake).encode()
    target = output or Path(tempfile.mkdtemp(prefix="flywheel-")) / f"{deployment.name}-{record.turn}.html"
    try:
        target.write_bytes(page)
    except OSError as error:
        raise UnwritableFileError(target, error.strerror or str(error)) from error
    return Report(
        turn=record.turn,
        uri=f"s3://{deployment.intake.name}/{turns.page_key(record.turn)}",
        path=str(target.resolve()),
    )


def _record(deployment: Deployment, turn: str | None) -> TurnRecord:
    if turn is None:
        ended = last_ended_turn(deployment, look_back=_LOOK_BACK)
        if ended is None:
            raise OperatorError("No turn has ended yet, so there is no report: `flywheel status` shows what happens.")
        turn = ended.turn
    view = show_turn(deployment, turn)
    if view.record is None:
        raise OperatorError(f"{view.turn} has no report before it has ended: `flywheel status` shows how far it is.")
    return view.record
