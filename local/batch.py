"""An analysis job of a walk: its documents through `flywheel analyze`, and what came of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flywheel.text.printable import printable
from local.sample_news import LABELS, Recipe, documents
from ops.deployment.published import Deployment
from ops.tables.analyze import finished_table
from ops.verbs.analyze import AnalysisProgress, FinishedAnalysis, download, start_job, wait_for_analysis

DOCUMENTS = 1000
_SHOWN = 6
_TIMEOUT_SECONDS = 600.0


def analyse_a_thousand(
    deployment: Deployment, *, folder: Path, seed: int, on_step: Callable[[str], None] | None = None
) -> FinishedAnalysis:
    """A job of so many articles that no model has seen."""
    recipe = Recipe(documents_per_label=DOCUMENTS // len(LABELS), asides=1)
    texts = [text for _, text in documents(recipe, seed=seed)]
    return analyse(deployment, texts, path=folder / "a-thousand-articles.txt", on_step=on_step)


def analyse(
    deployment: Deployment, texts: Sequence[str], *, path: Path, on_step: Callable[[str], None] | None = None
) -> FinishedAnalysis:
    """A job of the texts, none of which has line ends. They are written to `path`, and its output beside it."""
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    started = start_job(deployment, [path])

    def tell(progress: AnalysisProgress) -> None:
        if on_step is not None:
            on_step(progress.words)

    summary = wait_for_analysis(
        deployment, started, timeout_seconds=_TIMEOUT_SECONDS, poll_seconds=0.25, on_progress=tell
    )
    return download(deployment, summary, path.parent / "predictions")


def show(console: Console, finished: FinishedAnalysis) -> None:
    """The counts, and the first rows of the output."""
    console.print(finished_table(finished))
    predictions = [file for file in finished.files if file.endswith(".jsonl")]
    if not predictions:
        return
    table = Table(title="predictions.jsonl begins", title_justify="left")
    for heading in ("line", "found", "score", "text"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("line", "score"))
    with Path(predictions[0]).open(encoding="utf-8") as lines:
        for line in islice(lines, _SHOWN):
            row = json.loads(line)
            table.add_row(str(row["line"]), Text(_found(row)), f"{row.get('score', 0):.4f}", Text(row["text"]))
    console.print(table)


def differences(finished: FinishedAnalysis, *, documents: int = DOCUMENTS) -> list[str]:
    """Sentences on what did not end as told; none if all did."""
    summary = finished.summary
    if summary.documents == documents and not summary.errors:
        return []
    return [f"The analysis job {summary.outcome}: {summary.documents} of {documents} documents. {summary.reason}"]


def _found(row: dict[str, Any]) -> str:
    """The labels of the document, or the entities in it with their types."""
    if "entities" in row:
        return printable(", ".join(f"{one['text']} ({one['type']})" for one in row["entities"]) or "none")
    return ", ".join(row.get("labels", [])) or str(row.get("error"))
