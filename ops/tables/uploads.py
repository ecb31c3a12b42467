"""The answers of `flywheel upload` and `flywheel rejected`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.filesize import decimal as size
from rich.text import Text

from flywheel.records.uploads import UploadOutcome, UploadResult
from flywheel.text.printable import printable_lines
from ops.tables.figures import minute, moment
from ops.tables.listing import Column, Listing, words
from ops.verbs.upload import Uploaded

_STYLES = {UploadOutcome.REJECTED: "red", UploadOutcome.PARTLY_ACCEPTED: "yellow"}


def report_text(report: str) -> Text:
    """The report with control characters shown as such: lines of a stranger's file could steer the terminal."""
    return Text(printable_lines(report))


def uploaded_table(uploaded: Sequence[Uploaded]) -> RenderableType:
    table = Listing(
        Column(title="Uploaded", wraps=True), Column(title="Size", number=True), Column(title="Remark", wraps=True)
    )
    for file in uploaded:
        remark = ""
        if file.replaced:
            remark = f"replaces the one of {moment(file.replaced.last_modified)}, which no turn had collected yet"
        table.add(file.key, size(file.size), remark)
    return table


def results_table(results: Sequence[UploadResult], *, title: str | None = None) -> RenderableType:
    if not results:
        return "Nothing was rejected."
    table = Listing(
        Column(title="Upload", wraps=True),
        Column(title="Outcome"),
        Column(title="Documents", number=True, rank=2),
        Column(title="Bad lines", number=True, rank=1),
        Column(title="Reason", wraps=True),
        title=title,
    )
    for result in results:
        table.add(
            words(result.upload.key, minute(result.upload.last_modified)),
            result.outcome,
            f"{result.documents:,}",
            f"{sum(result.bad_lines.values()):,}",
            result.reason,
            style=_STYLES.get(result.outcome),
        )
    return table
