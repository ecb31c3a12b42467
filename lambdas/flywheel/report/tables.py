"""The tables of a turn's page, one of them with bars for labels and datasets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from flywheel.records.datasets import DatasetSummary
from flywheel.report.markup import Markup, element

if TYPE_CHECKING:
    from flywheel.comprehend.model_kind import ModelKind

_WAITING_LABELS = 20


def number(title: str) -> Markup:
    """The heading of a column of numbers."""
    return element("th", title, scope="col", class_="number")


def scrolling(name: str, content: Markup) -> Markup:
    """Content that may be wider than the page. It scrolls by itself, also with the keyboard; screen readers say
    `name`."""
    return element("div", content, class_="scroll", tabindex=0, role="region", aria_label=name)


def table(name: str, headings: Sequence[str], rows: Sequence[Markup], *, caption: str = "") -> Markup:
    """A table. The caption below it does not scroll with the table."""
    heads = [head if isinstance(head, Markup) else element("th", head, scope="col") for head in headings]
    found = element("table", element("thead", element("tr", *heads)), element("tbody", *rows))
    return element("figure", scrolling(name, found), *([element("figcaption", caption)] if caption else []))


def label_bars(datasets: Sequence[DatasetSummary], kind: ModelKind) -> Iterator[Markup]:
    """Empty without datasets. In each dataset the largest label has a full bar; the others are to the same scale."""
    if not datasets:
        return
    totals = {
        label: sum(dataset.labels.get(label, 0) for dataset in datasets) for each in datasets for label in each.labels
    }
    labels = sorted(totals, key=lambda label: (-totals[label], label))
    headings: list[str] = [kind.label_word.capitalize()]
    for dataset in datasets:
        headings += [number(dataset.name), Markup(element("td", class_="bar"))]
    yield table(
        counts_title(kind),
        headings,
        [
            element(
                "tr",
                element("th", element("bdi", label), scope="row", class_="words"),
                *(cell for dataset in datasets for cell in _bar(dataset, label)),
            )
            for label in labels
        ],
        caption="; ".join(f"{dataset.name}: {dataset.documents:,} documents" for dataset in datasets)
        + (". A document with several labels counts for each of them." if kind.counted == "documents" else "."),
    )


def _bar(dataset: DatasetSummary, label: str) -> Iterator[Markup]:
    documents = dataset.labels.get(label, 0)
    width = 100 * documents / max(dataset.labels.values(), default=1)
    yield element("td", f"{documents:,}", class_="number")
    bar = element("div", class_=dataset.split, style=f"width:{width:.1f}%")
    yield element("td", *([bar] if documents else []), class_="bar")


def counts_title(kind: ModelKind) -> str:
    return f"{kind.counted.capitalize()} by {kind.label_word}"


def waiting_labels(labels: dict[str, int], kind: ModelKind) -> str:
    """The labels with the most documents, or types with the most annotations, and how many others there are."""
    largest = sorted(labels.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{label} {documents:,}" for label, documents in largest[:_WAITING_LABELS]]
    left = len(largest) - len(shown)
    return ", ".join([*shown, *([f"and {left:,} more {kind.label_word}s"] if left else [])])
