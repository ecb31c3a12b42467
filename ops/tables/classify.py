"""The answer of `flywheel classify`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType

from flywheel.records.model_arn import short_name
from ops.tables.listing import Column, Listing
from ops.verbs.classify import ClassifiedText, RecognizedText

LONGEST_TEXT = 60

_LONGEST_PLACE = 30
"""Characters of a text that only says where an entity is."""


def answers_table(results: Sequence[ClassifiedText]) -> RenderableType:
    if not results:
        return "There is nothing to classify."
    recognized = [result for result in results if isinstance(result, RecognizedText)]
    return entities_table(recognized) if recognized else classified_table(results)


def classified_table(results: Sequence[ClassifiedText]) -> RenderableType:
    table = Listing(
        Column(title="Text", most=LONGEST_TEXT, rank=1),
        Column(title="Label", wraps=True),
        Column(title="Confidence", number=True),
        caption=_models(results),
    )
    for result in results:
        if result.answered:
            confidence = f"{result.confidence:.4f}" if result.confidence is not None else "-"
            table.add(result.text, ", ".join(result.labels) or "none", confidence)
        else:
            table.add(result.text, f"{result.error}: {result.message}", "-", style="red")
    return table


def entities_table(results: Sequence[RecognizedText]) -> RenderableType:
    """A row for each entity: the text that it is in, and where. Offsets are in code points."""
    table = Listing(
        Column(title="In", most=_LONGEST_PLACE),
        Column(title="Entity", wraps=True),
        Column(title="Type"),
        Column(title="Begin", number=True),
        Column(title="End", number=True),
        Column(title="Score", number=True),
        caption=_models(results),
    )
    for result in results:
        for entity in result.entities:
            begin, end = str(entity.begin), str(entity.end)
            table.add(result.text, entity.text, entity.type, begin, end, f"{entity.score:.4f}")
        if not result.answered:
            table.add(result.text, f"{result.error}: {result.message}", "-", "-", "-", "-", style="red")
        elif not result.entities:
            table.add(result.text, "none", "-", "-", "-", "-")
    return table


def _models(results: Sequence[ClassifiedText]) -> str | None:
    models = sorted({result.model_arn for result in results if result.model_arn})
    return f"Model: {', '.join(map(short_name, models))}" if models else None
