"""Writes the record and the page of a turn from the records of its steps, and the text of the notification."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.faults.errors import NotCurrentTurn
from flywheel.promotions.requests import promotion_of
from flywheel.records.datasets import (
    AcceptedDataset,
    Composition,
    DatasetManifest,
    DatasetRef,
    DatasetSummary,
    accepted_key,
    by_single_label,
    manifest_key,
)
from flywheel.records.decisions import Decision, DecisionKind, Evidence, decision_key
from flywheel.records.turns import (
    DeletedModels,
    IterationStart,
    TurnBeginning,
    TurnOutcome,
    TurnRecord,
    begin_key,
    composition_key,
    deleted_key,
    iteration_key,
    page_key,
    record_key,
    result_key,
    uploads_folder,
)
from flywheel.records.uploads import IncompleteFolder, UploadOutcome, UploadResult
from flywheel.report.left_out import left_out_sentences
from flywheel.report.reviewed import reviewed_documents, reviewed_sentence
from flywheel.report.turn_page import page_of
from flywheel.text import notification
from flywheel.text.failure_cause import readable_cause
from flywheel.text.printable import in_one_line
from flywheel.turn.uploads import OTHERS_IN_RECORD, summarise
from flywheel.uploads.replaced import replaced_while_prepared

if TYPE_CHECKING:
    from flywheel.comprehend.model_kind import ModelType
    from flywheel.store.bucket import IntakeBucket


def report_turn(
    *,
    turn: str,
    outcome: TurnOutcome,
    error: str | None,
    cause: str | None,
    intake: IntakeBucket,
    flywheel_arn: str,
    model_type: ModelType,
    now: datetime,
) -> TurnRecord:
    """Write the record and the page of a turn, however it ended. Results of steps that did not run are absent.

    An older execution that somebody redrove ends with NotCurrentTurn. Then the stored record stays as it is; only the
    returned one has the new outcome.
    """
    if error == NotCurrentTurn.__name__:
        written = intake.read(record_key(turn), TurnRecord)
        if written is not None:
            return written.model_copy(update={"outcome": outcome, "error": error, "cause": readable_cause(cause)})
    beginning = intake.read(begin_key(turn), TurnBeginning)
    uploads = beginning.uploads if beginning else ()
    summary = summarise(intake.read_each((result_key(turn, upload) for upload in uploads), UploadResult))
    unprepared = tuple(upload for upload in uploads if upload.id not in summary.ids)
    replaced = (*beginning.replaced, *replaced_while_prepared(intake, uploads)) if beginning else ()
    composition = intake.read(composition_key(turn), Composition) or Composition(turn=turn)
    iteration_id = _iteration_id(turn, beginning, intake)
    decision = intake.read(decision_key(iteration_id), Decision) if iteration_id else None
    record = TurnRecord(
        turn=turn,
        outcome=outcome,
        flywheel_arn=flywheel_arn,
        model_type=model_type,
        began_at=beginning.began_at if beginning else None,
        ended_at=now,
        decision=decision.decision if decision else DecisionKind.NOTHING,
        reasons=_reasons(turn, beginning, decision, intake),
        error=error,
        cause=readable_cause(cause),
        upload_counts=summary.counts.model_copy(
            update={
                "unprepared": len(unprepared),
                "replaced": len(replaced),
                "set_aside": len(beginning.set_aside) if beginning else 0,
            }
        ),
        uploads=summary.results,
        uploads_folder=uploads_folder(turn),
        reviewed=reviewed_documents(uploads, intake=intake),
        unprepared=tuple(upload.without_files for upload in unprepared[:OTHERS_IN_RECORD]),
        replaced=replaced[:OTHERS_IN_RECORD],
        incomplete=tuple(
            IncompleteFolder(upload=folder.upload.without_files, missing=folder.missing)
            for folder in (beginning.incomplete[:OTHERS_IN_RECORD] if beginning else ())
        ),
        datasets=tuple(_summaries(intake, composition.datasets)),
        waiting=composition.waiting,
        leaked=composition.leaked,
        duplicates=composition.duplicates,
        refused=composition.refused,
        conflicts=composition.conflicts,
        conflict_examples=composition.conflict_examples,
        excluded=composition.excluded,
        iteration_id=iteration_id,
        decided_at=decision.decided_at if decision else None,
        selection_metric=decision.selection_metric if decision else None,
        active=decision.active if decision else None,
        candidate=decision.candidate if decision else None,
        evidence=decision.evidence if decision else Evidence.ITERATION,
        holdout=decision.holdout if decision else None,
        promotion=promotion_of(iteration_id, intake=intake) if iteration_id else None,
        deleted_models=intake.read(deleted_key(turn), DeletedModels) or DeletedModels(),
        changed_outside=beginning.changed_outside if beginning else None,
        request=beginning.request if beginning else None,
        more=composition.more,
    )
    while True:
        intake.write(record_key(turn), record)
        intake.write_text(page_key(turn), page_of(record, intake=intake), content_type="text/html; charset=utf-8")
        # A promotion that ends meanwhile updates both, but may do so before they exist or are overwritten here. This
        # ends, because a promotion ends once.
        promotion = promotion_of(iteration_id, intake=intake) if iteration_id else None
        if promotion == record.promotion:
            return record
        record = record.model_copy(update={"promotion": promotion})


def _iteration_id(turn: str, beginning: TurnBeginning | None, intake: IntakeBucket) -> str | None:
    if beginning is not None and beginning.unfinished_iteration:
        return beginning.unfinished_iteration
    start = intake.read(iteration_key(turn), IterationStart)
    return start.iteration_id if start else None


def _reasons(
    turn: str, beginning: TurnBeginning | None, decision: Decision | None, intake: IntakeBucket
) -> tuple[str, ...]:
    if decision is not None:
        return decision.reasons
    if beginning is not None and beginning.not_collected_because:
        return (beginning.not_collected_because,)
    start = intake.read(iteration_key(turn), IterationStart)
    return (start.reason,) if start else ()


def _summaries(intake: IntakeBucket, references: tuple[DatasetRef, ...]) -> Iterator[DatasetSummary]:
    """Summaries of the datasets. One is missing if it failed and the next turn has discarded it before this report."""
    keys = [manifest_key(reference.split, reference.name) for reference in references]
    for manifest in intake.read_all(keys, DatasetManifest):
        yield _summary(intake, manifest)


def _summary(intake: IntakeBucket, manifest: DatasetManifest) -> DatasetSummary:
    labels: dict[str, int] = {}
    for part in manifest.parts:
        for label, documents in by_single_label(part.labels).items():
            labels[label] = labels.get(label, 0) + documents
    accepted = intake.read(accepted_key(manifest), AcceptedDataset)
    return DatasetSummary(
        name=manifest.name,
        split=manifest.split,
        documents=manifest.documents,
        labels=labels,
        composed_at=manifest.composed_at,
        accepted_at=accepted.accepted_at if accepted else None,
    )


def subject(record: TurnRecord, *, flywheel_name: str) -> str:
    what = record.decision if record.outcome is TurnOutcome.SUCCEEDED else record.outcome
    return notification.subject(f"{flywheel_name} {record.turn}: {what}")


def message(record: TurnRecord, *, flywheel_name: str, intake_bucket: str) -> str:
    """The notification in plain text. It contains no text of documents."""
    return notification.message(
        _lines(record),
        closing=[
            f"The whole report: flywheel --name {flywheel_name} report {record.turn}",
            f"or download s3://{intake_bucket}/{page_key(record.turn)} and open it.",
        ],
    )


def _further(record: TurnRecord, model_arn: str) -> str:
    """What only a multi-label model's scores on the hold-out have."""
    results = (record.holdout.candidate, record.holdout.active) if record.holdout else ()
    for result in results:
        if result is not None and result.arn == model_arn and result.hamming_loss is not None:
            return f", micro F1 {result.micro.f1:.4f}, hamming loss {result.hamming_loss:.4f}"
    return ""


def _lines(record: TurnRecord) -> Iterator[str]:
    """The most important lines come first, because the last ones are left out if there are too many."""
    yield f"{record.turn} {record.outcome}. Decision: {record.decision}."
    for reason in record.reasons:
        yield f"  {reason}"
    if record.error:
        yield f"Error {record.error}: {in_one_line(record.cause or 'no cause given')}"
    for which, model in (("Active", record.active), ("Candidate", record.candidate)):
        if model is not None:
            yield f"{which} model {model.arn}: {model.metrics.sentence or 'no scores'}{_further(record, model.arn)}"
    if record.promotion is not None:
        yield f"Promotion {record.promotion.status}: {record.promotion.reason}"
    if record.changed_outside:
        yield record.changed_outside
    yield from notification.named(
        [f"Deleted as an old model: {arn}" for arn in record.deleted_models.deleted], more="old models were deleted"
    )
    if record.reviewed:
        yield in_one_line(reviewed_sentence(record.reviewed))
    for dataset in record.datasets:
        yield f"Dataset {dataset.name}: {dataset.documents} documents"
    for wait in record.waiting:
        yield f"Waiting in {wait.split}: {wait.documents} documents. {wait.reason}"
    yield from map(in_one_line, left_out_sentences(record))
    counts = record.counts
    yield from notification.named(
        [
            f"{result.upload.key}: {result.outcome}. {result.reason}"
            for result in record.uploads
            if result.outcome is not UploadOutcome.ACCEPTED
        ],
        more="uploads were rejected, in whole or in part, or were duplicates",
        total=counts.uploads - counts.outcomes.get(UploadOutcome.ACCEPTED, 0),
    )
    yield from notification.named(
        [f"{upload.key}: its preparation failed; it stays where it is." for upload in record.unprepared],
        more="uploads could not be prepared",
        total=counts.unprepared,
    )
    yield from notification.named(
        [f"{folder.upload.key} waits for {folder.missing}." for folder in record.incomplete],
        more="folders wait for some of their files",
    )
    yield from notification.named(
        [f"{upload.key}: a version was replaced by a newer one." for upload in record.replaced],
        more="versions were replaced",
        total=counts.replaced,
    )
