"""Validates and normalises one batch of uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flywheel.environment import Intake, Kind, Labels, Uploads
from flywheel.preparation import ConflictingLabels, RepeatedDocuments, UploadOptions
from flywheel.records.turns import TurnBeginning, begin_key
from flywheel.records.uploads import Upload
from flywheel.uploads.faults import trace_of
from flywheel.uploads.prepare_upload import UploadPreparer
from handlers.clients import intake_bucket, model_kind
from handlers.clock import now
from handlers.observability import logger, observed
from handlers.turn.events import PrepareUploads

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Environment(Intake, Kind, Labels, Uploads):
    pass


environment = Environment.load()


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    step = PrepareUploads.model_validate(event)
    intake = intake_bucket(environment)
    preparer = UploadPreparer(
        intake=intake,
        kind=model_kind(environment),
        beginning=intake.require(begin_key(step.turn), TurnBeginning),
        delimiter=environment.label_delimiter,
        options=UploadOptions(
            maximum_bad_lines_percent=environment.maximum_bad_lines_percent,
            conflicting_labels=ConflictingLabels(environment.conflicting_labels),
            repeated_documents=RepeatedDocuments(environment.repeated_documents),
            machine_labels=environment.machine_labels == "KEEP",
            manifest_attribute=environment.manifest_attribute,
        ),
        on_fault=_log_fault,
        remaining_seconds=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    preparer.prepare_all(step.uploads, now())
    logger.info("uploads prepared", turn=step.turn, split=step.split, uploads=len(step.uploads))
    return {"prepared": len(step.uploads)}


def _log_fault(upload: Upload, error: Exception) -> None:
    """Log without the error's message, which may quote a document."""
    logger.error("upload not prepared", upload=upload.id, key=upload.key, trace=trace_of(error))
