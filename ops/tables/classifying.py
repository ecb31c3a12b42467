"""The answer of `flywheel classify`."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import RenderableType
from rich.table import Table

from ops.classifying import ClassifiedText
from ops.tables.figures import model_name

LONGEST_TEXT = 60


def classified_table(results: Sequence[ClassifiedText]) -> RenderableType:
    if not results:
        return "There is nothing to classify."
    models = sorted({result.model_arn for result in results if result.model_arn})
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        caption=f"Model: {', '.join(map(model_name, models))}" if models else None,
        caption_justify="left",
    )
    table.add_column("Text", overflow="ellipsis", no_wrap=True, max_width=LONGEST_TEXT)
    table.add_column("Label", overflow="fold")
    table.add_column("Confidence", justify="right", no_wrap=True)
    for result in results:
        if result.answered:
            confidence = f"{result.confidence:.4f}" if result.confidence is not None else "-"
            table.add_row(result.text, ", ".join(result.labels) or "none", confidence)
        else:
            table.add_row(result.text, f"{result.error}: {result.message}", "-", style="red")
    return table
