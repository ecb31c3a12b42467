"""The answers of `flywheel analyze`."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from flywheel.records.analyses import AnalysisOutcome
from flywheel.records.model_arn import short_name
from flywheel.text.printable import printable
from ops.tables.figures import count
from ops.tables.listing import Column, Facts, Listing
from ops.verbs.analyze import FinishedAnalysis, StartedAnalysis


def started_sentence(started: StartedAnalysis) -> str:
    return (
        f"Job {started.job} runs. Its predictions will be at {started.output}; "
        f"`flywheel analyze --again {started.job}` waits for them and gets them."
    )


def finished_table(finished: FinishedAnalysis) -> RenderableType:
    summary = finished.summary
    headline = Text(printable(f"{summary.job}: {summary.outcome}. {summary.reason}"))
    if summary.outcome is not AnalysisOutcome.SUCCEEDED:
        headline.stylize("red")
        return headline
    labels = Listing(
        Column(title="Label", wraps=True), Column(title="Documents", number=True), Column(title="Share", number=True)
    )
    for label, number in sorted(summary.labels.items(), key=lambda item: (-item[1], item[0])):
        labels.add(label, f"{number:,}", f"{number / summary.documents:.1%}")
    facts = Facts()
    facts.add(
        "Documents", f"{summary.documents:,} from {count(summary.files, 'file')}, in {count(summary.parts, 'part')}"
    )
    facts.add(f"Low confidence (below {summary.low_confidence_threshold:g})", f"{summary.low_confidence:,}")
    if summary.queued:
        facts.add("In the review queue", f"{summary.queued:,}")
    if summary.too_long_for_review:
        facts.add("Too long for reviewers", f"{summary.too_long_for_review:,}")
    wrong = ", ".join(f"{code} {number:,}" for code, number in summary.errors.items())
    facts.add("Errors", f"{summary.error_lines:,}" + (f" ({wrong})" if wrong else ""))
    facts.add("Model", ", ".join(short_name(model) for model in summary.models) or "none was asked")
    if finished.seconds is not None:
        speed = f", {finished.documents_per_second:,.1f} documents/s" if finished.documents_per_second else ""
        facts.add("Time", f"{finished.seconds:,.1f} s{speed}")
    return Group(headline, Text(), labels, Text(), facts)
