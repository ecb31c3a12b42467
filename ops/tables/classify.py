"""The answer of `flywheel classify`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType

from flywheel.records.model_arn import short_name
from ops.tables.listing import Column, Listing
from ops.verbs.classify import ClassifiedText

LONGEST_TEXT = 60


def classified_table(results: Sequence[ClassifiedText]) -> RenderableType:
    if not results:
        return "There is nothing to classify."
    models = sorted({result.model_arn for result in results if result.model_arn})
    table = Listing(
        Column(title="Text", most=LONGEST_TEXT, rank=1),
        Column(title="Label", wraps=True),
        Column(title="Confidence", number=True),
        caption=f"Model: {', '.join(map(short_name, models))}" if models else None,
    )
    for result in results:
        if result.answered:
            confidence = f"{result.confidence:.4f}" if result.confidence is not None else "-"
            table.add(result.text, ", ".join(result.labels) or "none", confidence)
        else:
            table.add(result.text, f"{result.error}: {result.message}", "-", style="red")
    return table
