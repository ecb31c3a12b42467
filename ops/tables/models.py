"""The answer of `flywheel models`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType

from flywheel.records.model_arn import short_name
from ops.tables.figures import minute, score
from ops.tables.listing import Column, Listing, words
from ops.verbs.models import DELETED, NOT_HERE, ActiveTime, ModelMark, ModelVersion

_STYLES = {ModelMark.ACTIVE: "green", ModelMark.WAITING: "yellow", ModelMark.WITHDRAWN: "yellow"}


def models_table(versions: Sequence[ModelVersion], *, metric: str, imported: bool = False) -> RenderableType:
    if not versions:
        return "No model has been imported yet." if imported else "No model has been trained yet."
    table = Listing(
        Column(title="Version"),
        Column(title=f"{metric} there" if imported else metric, number=True, rank=1),
        Column(title="Imported from" if imported else "Turn", rank=2),
        Column(title="Active", rank=3),
    )
    for version in versions:
        style = "dim" if version.status in {DELETED, NOT_HERE} else None
        for mark in version.marks:
            style = _STYLES.get(mark, style)
        table.add(
            words(*_version_lines(version)),
            score(version.score, metric),
            words(*_source_lines(version)) if imported else version.turn or "-",
            words(*[line for times in version.active for line in _times(times)] or "-"),
            style=style,
        )
    return table


def _version_lines(version: ModelVersion) -> list[str]:
    became = [f"promotion: {version.promotion.status}"] if version.promotion else []
    return [version.name, ", ".join([version.status, *version.marks]), *became]


def _source_lines(version: ModelVersion) -> list[str]:
    source = short_name(version.source_model_arn) if version.source_model_arn else "-"
    return [source, *([f"shared {minute(version.shared_at)}"] if version.shared_at else [])]


def _times(times: ActiveTime) -> list[str]:
    """In two lines, so that they fit a narrow terminal."""
    return [f"{minute(times.since)} -", minute(times.until) if times.until else "now"]
