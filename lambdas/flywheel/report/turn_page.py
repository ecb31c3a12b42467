"""Renders the page of a turn from the records in the intake bucket."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from flywheel.faults.errors import InvalidRecord
from flywheel.records.turns import TurnRecord, name_of, number_of, record_key
from flywheel.report.chart import PastTurn
from flywheel.report.history import PromotionHistory
from flywheel.report.page import render

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket

_TURNS_IN_CHART = 50
_PARALLEL_READS = 16


def page_of(record: TurnRecord, *, intake: IntakeBucket) -> str:
    """The turn's page with all present facts, and with the scores of the turns before it for the chart."""
    number = number_of(record.turn) or 0
    names = [name_of(former) for former in range(max(1, number - _TURNS_IN_CHART + 1), number)]
    with ThreadPoolExecutor(_PARALLEL_READS) as pool:
        history = [past for past in pool.map(lambda name: _past_turn(intake, name), names) if past is not None]
    return render(record, history=history, intake_bucket=intake.name, promotions=PromotionHistory.read(intake))


def _past_turn(intake: IntakeBucket, turn: str) -> PastTurn | None:
    """None if there is no readable record: the page says that the turn is missing."""
    try:
        return intake.read(record_key(turn), PastTurn)
    except InvalidRecord:
        return None
