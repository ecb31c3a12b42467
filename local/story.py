"""How a walk is shown: the table of its turns."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from flywheel.records.decisions import ModelScore
from flywheel.records.turns import TurnOutcome, TurnRecord, number_of
from flywheel.records.uploads import UploadOutcome
from flywheel.text.printable import printable


def turns_table(records: Sequence[TurnRecord]) -> Table:
    table = Table(title="Turns", title_justify="left", show_lines=True, padding=(0, 1, 0, 0))
    for heading in ("turn", "uploads", "documents", "active\nF1", "candidate\nF1"):
        table.add_column(heading, justify="right", min_width=4)
    table.add_column("decision", no_wrap=True)
    table.add_column("reason", ratio=1)
    for record in records:
        decision = record.decision.value if record.outcome is TurnOutcome.SUCCEEDED else record.outcome.value
        table.add_row(
            str(number_of(record.turn)),
            _uploads(record),
            str(sum(dataset.documents for dataset in record.datasets)),
            _score(record.active),
            _score(record.candidate),
            decision + (f"\n{record.promotion.status.value}" if record.promotion else ""),
            # A Text is no markup, and neither a file nor a label can steer the terminal.
            Text(printable(" ".join(record.reasons) or record.cause or "")),
        )
    return table


def _uploads(record: TurnRecord) -> str:
    rejected = record.counts.outcomes.get(UploadOutcome.REJECTED, 0)
    return f"{record.counts.uploads}" + (f", {rejected} rejected" if rejected else "")


def _score(model: ModelScore | None) -> str:
    score = model.metrics.F1Score if model is not None else None
    return "-" if score is None else f"{score:.4f}"
