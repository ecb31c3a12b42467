"""The answers of `flywheel upload` and `flywheel rejected`."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from flywheel.upload_records import UploadOutcome, UploadResult
from ops.tables.figures import minute, moment, size
from ops.uploading import Uploaded

_STYLES = {UploadOutcome.REJECTED: "red", UploadOutcome.PARTLY_ACCEPTED: "yellow"}


def report_text(report: str) -> Text:
    """The report with control characters shown as such: lines of a stranger's file could steer the terminal."""
    return Text(
        "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in report)
    )


def uploaded_table(uploaded: Sequence[Uploaded]) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Uploaded", overflow="fold")
    table.add_column("Size", justify="right", no_wrap=True)
    table.add_column("Remark", overflow="fold")
    for file in uploaded:
        remark = ""
        if file.replaced:
            remark = f"replaces the one of {moment(file.replaced.last_modified)}, which no turn had collected yet"
        table.add_row(file.key, size(file.size), remark)
    return table


def results_table(results: Sequence[UploadResult], *, title: str | None = None) -> RenderableType:
    if not results:
        return "Nothing was rejected."
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("Upload", overflow="fold")
    table.add_column("Outcome", no_wrap=True)
    table.add_column("Documents", justify="right", no_wrap=True)
    table.add_column("Bad lines", justify="right", no_wrap=True)
    table.add_column("Reason", overflow="fold")
    for result in results:
        table.add_row(
            f"{result.upload.key}\n{minute(result.upload.last_modified)}",
            result.outcome,
            f"{result.documents:,}",
            f"{sum(result.bad_lines.values()):,}",
            result.reason,
            style=_STYLES.get(result.outcome),
        )
    return table
