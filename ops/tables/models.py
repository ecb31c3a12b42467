"""The answer of `flywheel models`."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import RenderableType
from rich.table import Table

from ops.models import DELETED, ActiveTime, ModelMark, ModelVersion
from ops.tables.figures import minute, score

_STYLES = {ModelMark.ACTIVE: "green", ModelMark.WAITING: "yellow"}


def models_table(versions: Sequence[ModelVersion], *, metric: str) -> RenderableType:
    if not versions:
        return "No model has been trained yet."
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Version", overflow="fold")
    table.add_column(metric, justify="right", no_wrap=True)
    table.add_column("Turn", no_wrap=True)
    table.add_column("Active", no_wrap=True)
    for version in versions:
        style = "dim" if version.status == DELETED else None
        for mark in version.marks:
            style = _STYLES.get(mark, style)
        table.add_row(
            "\n".join(_version_lines(version)),
            score(version.score, metric),
            version.turn or "-",
            "\n".join(line for times in version.active for line in _times(times)) or "-",
            style=style,
        )
    return table


def _version_lines(version: ModelVersion) -> list[str]:
    became = [f"promotion: {version.promotion.status}"] if version.promotion else []
    return [version.name, ", ".join([version.status, *version.marks]), *became]


def _times(times: ActiveTime) -> list[str]:
    """In two lines, so that they fit a narrow terminal."""
    return [f"{minute(times.since)} -", minute(times.until) if times.until else "now"]
