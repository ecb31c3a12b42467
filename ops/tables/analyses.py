"""The answers of `flywheel analyze`."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from flywheel.analysis.jobs import AnalysisOutcome
from ops.analyzing import FinishedAnalysis, StartedAnalysis
from ops.tables.figures import count, model_name


def started_table(started: StartedAnalysis) -> RenderableType:
    return Text(
        f"Job {started.job} runs. Its predictions will be at {started.output}; "
        f"`flywheel analyze --again {started.job}` waits for them and gets them."
    )


def finished_table(finished: FinishedAnalysis) -> RenderableType:
    summary = finished.summary
    headline = Text(f"{summary.job}: {summary.outcome}. {summary.reason}")
    if summary.outcome is not AnalysisOutcome.SUCCEEDED:
        headline.stylize("red")
        return headline
    labels = Table(box=box.SIMPLE_HEAD)
    labels.add_column("Label", overflow="fold")
    labels.add_column("Documents", justify="right", no_wrap=True)
    labels.add_column("Share", justify="right", no_wrap=True)
    for label, number in sorted(summary.labels.items(), key=lambda item: (-item[1], item[0])):
        labels.add_row(label, f"{number:,}", f"{number / summary.documents:.1%}")
    facts = Table(box=None, show_header=False, padding=(0, 2, 0, 1))
    facts.add_column(no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row(
        "Documents", f"{summary.documents:,} from {count(summary.files, 'file')}, in {count(summary.parts, 'part')}"
    )
    facts.add_row(f"Low confidence (below {summary.low_confidence_threshold:g})", f"{summary.low_confidence:,}")
    wrong = ", ".join(f"{code} {number:,}" for code, number in summary.errors.items())
    facts.add_row("Errors", f"{summary.error_lines:,}" + (f" ({wrong})" if wrong else ""))
    facts.add_row("Model", ", ".join(model_name(model) for model in summary.models) or "none was asked")
    if finished.seconds is not None:
        speed = f", {finished.documents_per_second:,.1f} documents/s" if finished.documents_per_second else ""
        facts.add_row("Time", f"{finished.seconds:,.1f} s{speed}")
    return Group(headline, labels, facts)
