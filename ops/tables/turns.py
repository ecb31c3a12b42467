"""The answers of `flywheel turns` and `flywheel show`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from flywheel.records.datasets import DatasetSummary
from flywheel.records.turns import TurnOutcome, TurnRecord
from flywheel.report.history import PromotionHistory
from flywheel.report.left_out import left_out_sentences
from ops.tables.figures import count, minute, model_words, moment, score
from ops.tables.listing import Column, Facts, Listing, words
from ops.tables.promotions import promotion_words
from ops.tables.uploads import results_table
from ops.verbs.turns import PastTurn, TurnProgress, TurnState, TurnView, past_turn


def progress_sentence(progress: TurnProgress | None) -> str:
    if progress is None:
        return "No turn has begun yet"
    if progress.state is TurnState.STARTING:
        return f"{progress.turn} is about to start"
    if progress.state is TurnState.ENDED:
        why = ": ".join(part for part in (progress.error, progress.cause) if part)
        ended = f"{progress.turn} ended {progress.execution_status} and has no record"
        return f"{ended}: {why}" if why else ended
    return f"{progress.turn} runs: {progress.step or 'it has just begun'}"


def turns_table(records: Sequence[TurnRecord], *, metric: str) -> RenderableType:
    if not records:
        return "No turn has ended yet."
    table = Listing(
        Column(title="Turn"),
        Column(title="Uploads", number=True, rank=4),
        Column(title="Documents", number=True, rank=3),
        Column(title="Active", number=True, rank=2),
        Column(title="Candidate", number=True, rank=1),
        Column(title="Decision", wraps=True),
        caption=f"Active and Candidate are {metric}",
    )
    for record in records:
        succeeded = record.outcome is TurnOutcome.SUCCEEDED
        table.add(
            words(record.turn, minute(record.ended_at)),
            f"{record.counts.uploads:,}",
            f"{sum(dataset.documents for dataset in record.datasets):,}",
            score(record.active, metric),
            score(record.candidate, metric),
            words(*([_came_to(record), *record.reasons] if succeeded else [record.outcome, *_failure_lines(record)])),
            style=None if succeeded else "red",
        )
    return table


def turn_view(view: TurnView) -> RenderableType:
    record = view.record
    if record is None:
        return progress_sentence(view.progress)
    facts = _facts(record)
    for sentence in view.since:
        facts.add("Since then", sentence)
    if not record.uploads:
        return facts
    left = record.counts.uploads - len(record.uploads)
    more = [Text(f"and {left:,} uploads more, each in {record.uploads_folder}")] if left > 0 else []
    return Group(facts, Text(), results_table(record.uploads, title="Uploads"), *more)


def _came_to(record: TurnRecord) -> str:
    return record.came_to if isinstance(record, PastTurn) else past_turn(record, PromotionHistory()).came_to


def _failure_lines(record: TurnRecord) -> list[str]:
    return [part for part in (record.error, record.cause) if part]


def _facts(record: TurnRecord) -> Facts:
    """What the turn did not do is left out."""
    facts = Facts()
    facts.add("Turn", f"{record.turn}, {moment(record.began_at)} to {moment(record.ended_at)}")
    facts.add("Outcome", words(record.outcome, style="green" if record.outcome is TurnOutcome.SUCCEEDED else "red"))
    if record.error or record.cause:
        facts.add("Error", ": ".join(_failure_lines(record)))
    if record.request:
        overruled = ", overruling the minimum of documents per label" if record.request.overrule_minimum else ""
        facts.add("Asked for", f"by {record.request.by} at {moment(record.request.at)}{overruled}")
    _add_documents(facts, record)
    if record.iteration_id:
        facts.add("Iteration", record.iteration_id)
    for name, model in (("Active model", record.active), ("Candidate", record.candidate)):
        if model:
            facts.add(name, model_words(model))
    facts.add("Decision", words(record.decision, *record.reasons))
    if record.promotion:
        facts.add("Promotion", promotion_words(record.promotion))
    if record.changed_outside:
        facts.add("Changed outside", record.changed_outside)
    if record.more:
        facts.add("More", "documents wait only because the dataset was full: another turn follows")
    return facts


def _add_documents(facts: Facts, record: TurnRecord) -> None:
    for dataset in record.datasets:
        facts.add(f"{dataset.split.dataset_type} dataset", _dataset_words(dataset))
    for waiting in record.waiting:
        facts.add(f"{waiting.split.dataset_type} waiting", f"{count(waiting.documents, 'document')}: {waiting.reason}")
    if left_out := tuple(left_out_sentences(record)):
        facts.add("Left out", words(*left_out))
    if record.unprepared:
        facts.add("Not prepared", ", ".join(upload.key for upload in record.unprepared))
    if record.replaced:
        older = ", ".join(f"{upload.key} of {moment(upload.last_modified)}" for upload in record.replaced)
        facts.add("Replaced", older)


def _dataset_words(dataset: DatasetSummary) -> str:
    by_label = ", ".join(f"{label} {number}" for label, number in sorted(dataset.labels.items())[:10])
    further = f" and {len(dataset.labels) - 10} labels more" if len(dataset.labels) > 10 else ""
    return f"{dataset.name}, {count(dataset.documents, 'document')}: {by_label}{further}"
