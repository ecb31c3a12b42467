"""The page of a turn, or of a promotion of an imported model, on the operator's machine."""

from __future__ import annotations

import tempfile
from pathlib import Path

from flywheel.promotions.requests import promotion_of
from flywheel.records import promotions, turns
from flywheel.records.promotions import Promotion, PromotionBeginning
from flywheel.records.turns import TurnRecord
from flywheel.report.promotion_page import promotion_page
from flywheel.report.turn_page import page_of
from flywheel.store.record import Record
from ops.deployment.errors import OperatorError, UnwritableFileError
from ops.deployment.published import AnyDeployment, Deployment
from ops.verbs.promotions import promotion_name
from ops.verbs.turns import last_ended_turn, show_turn

_LOOK_BACK = 20
"""How many turns without a record may follow the one that is shown: few are killed without leaving one."""


class Report(Record):
    turn: str | None = None
    promotion: str | None = None
    """Instead of a turn, where models are imported."""
    uri: str
    """Where the page lies in the intake bucket."""
    path: str
    """Where it was saved: absolute."""


def save_report(deployment: AnyDeployment, asked: str | None = None, *, output: Path | None = None) -> Report:
    """Saves the page of a turn (a name, a number; None: the last one that ended) to `output` or a new temporary file.
    Where models are imported it is that of a promotion (None: the last).

    It is rendered here, by the function that writes the page in the bucket: what became of the model since is in it.
    Raises UnknownTurnError, UnwritableFileError, and OperatorError before a turn has ended or a promotion has begun.
    """
    name, page = report_page(deployment, asked)
    path = _save(page, output or _temporary(deployment, name))
    bucket = deployment.intake.name
    if isinstance(deployment, Deployment):
        return Report(turn=name, uri=f"s3://{bucket}/{turns.page_key(name)}", path=path)
    return Report(promotion=name, uri=f"s3://{bucket}/{promotions.page_key(name)}", path=path)


def report_page(deployment: AnyDeployment, asked: str | None = None) -> tuple[str, str]:
    """The name of the turn, or promotion, and its page as HTML; see `save_report`."""
    if isinstance(deployment, Deployment):
        record = _record(deployment, asked)
        return record.turn, page_of(record, intake=deployment.intake)
    name = promotion_name(deployment, asked)
    return name, _promotion_page(deployment, name)


def _promotion_page(deployment: AnyDeployment, name: str) -> str:
    intake = deployment.intake
    beginning = intake.read(promotions.begin_key(name), PromotionBeginning)
    if beginning is None:
        raise OperatorError(f"{name} has just begun: `flywheel status` shows how far it is.")
    request = beginning.request
    now = intake.read(promotions.record_key(name), Promotion)
    if now is None and request is not None:
        now = promotion_of(request.id, intake=intake)
    if request is None or now is None:
        raise OperatorError(f"{name} found nothing to promote: there is no report of it.")
    return promotion_page(beginning, request, now, intake=intake)


def _temporary(deployment: AnyDeployment, name: str) -> Path:
    return Path(tempfile.mkdtemp(prefix="flywheel-")) / f"{deployment.name}-{name}.html"


def _save(page: str, target: Path) -> str:
    try:
        target.write_bytes(page.encode())
    except OSError as error:
        raise UnwritableFileError(target, error.strerror or str(error)) from error
    return str(target.resolve())


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
