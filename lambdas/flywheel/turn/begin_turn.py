"""The first step of a turn: finds out the state of the pipeline and the uploads to work on, and writes both down once,
so that a redriven turn works on the same."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from botocore.exceptions import ClientError

from flywheel.preparation.source_file import SourceFile
from flywheel.promotions.changed_outside import describe_change_outside, publish_active_model
from flywheel.records.turns import (
    REQUEST_KEY,
    BatchList,
    TurnBeginning,
    TurnRequest,
    begin_key,
    folder,
    name_of,
    number_of,
    require_current,
    result_key,
)
from flywheel.records.uploads import (
    IncompleteFolder,
    Split,
    Upload,
    UploadedFile,
    UploadOutcome,
    UploadResult,
    report_key,
)
from flywheel.text.byte_limits import size_as_json
from flywheel.turn.start_turn import too_soon_for_an_iteration
from flywheel.turn.unfinished import unfinished_iteration
from flywheel.uploads.faults import is_temporary
from flywheel.uploads.replaced import Version, replaced_by_next, versions_by_key

if TYPE_CHECKING:
    from flywheel.comprehend.flywheel import FlywheelService
    from flywheel.comprehend.model_kind import ModelKind
    from flywheel.pipeline import FlywheelPipeline
    from flywheel.store.bucket import IntakeBucket

_BATCH_UPLOADS = 100
_BATCH_BYTES = 256 * 1024 * 1024
"""Of the files for one invocation of prepare_upload: many small ones, or one large one."""
_BATCH_ITEM_BYTES = 128 * 1024
"""Step Functions allows 256 KiB of input, but the keys of 100 uploads may have up to 1,024 bytes each."""
_CLOCKS_DIFFER = timedelta(minutes=15)
"""Tolerance for comparing times of S3 with a turn's start: clocks differ, and a turn lists the uploads later."""


def begin_turn(
    *,
    turn: str,
    minimum_between_iterations: timedelta,
    now: datetime,
    pipeline: FlywheelPipeline,
) -> TurnBeginning:
    """The turn's record of what it found; written if there is none yet. Raises NotCurrentTurn."""
    require_current(pipeline.intake, turn)
    key = begin_key(turn)
    beginning = pipeline.intake.read(key, TurnBeginning)
    if beginning is None:
        found = _find(turn, minimum_between_iterations, now, pipeline)
        # Another invocation of this step may have been faster: then its record counts.
        beginning = found if pipeline.intake.write_once(key, found) else pipeline.intake.require(key, TurnBeginning)
    if beginning.changed_outside:
        publish_active_model(pipeline=pipeline)
    if beginning.request is not None:
        _consume(pipeline.intake, beginning.request)
    return beginning


def _find(
    turn: str,
    minimum_between_iterations: timedelta,
    now: datetime,
    pipeline: FlywheelPipeline,
) -> TurnBeginning:
    flywheel = pipeline.service.describe()
    request = pipeline.intake.read(REQUEST_KEY, TurnRequest)
    unfinished = unfinished_iteration(pipeline.intake, pipeline.service)
    beginning = TurnBeginning(
        turn=turn,
        began_at=now,
        flywheel_arn=flywheel.arn,
        labels=flywheel.task.labels,
        multi_label=flywheel.task.multi_label,
        request=request,
        unfinished_iteration=unfinished,
        active_model_arn=flywheel.active_model_arn,
        changed_outside=describe_change_outside(pipeline=pipeline, unfinished=unfinished),
    )
    reason = _reason_not_to_collect(pipeline.service, unfinished, request, minimum_between_iterations, now)
    if reason:
        return beginning.model_copy(update={"collected": False, "not_collected_because": reason})
    uploads, replaced = collect(pipeline.intake, turn, by_folder=pipeline.service.kind.takes_folders)
    incomplete = tuple(_incomplete(pipeline.intake, uploads, pipeline.service.kind))
    waiting = {folder.upload for folder in incomplete}
    uploads = tuple(upload for upload in uploads if upload not in waiting)
    set_aside: tuple[Upload, ...] = ()
    if request is None:
        set_aside = _unreadable(pipeline.intake, turn, uploads)
        uploads = tuple(upload for upload in uploads if upload not in set(set_aside))
    return beginning.model_copy(
        update={"uploads": uploads, "replaced": replaced, "set_aside": set_aside, "incomplete": incomplete}
    )


def _incomplete(intake: IntakeBucket, uploads: Iterable[Upload], kind: ModelKind) -> Iterator[IncompleteFolder]:
    """The folders that wait for some of their files."""
    for upload in uploads:
        if upload.folder:
            files = [
                SourceFile(name=upload.name_of(file), size=file.size, open=partial(_open, intake, file))
                for file in upload.folder
            ]
            missing = kind.missing_parts(files)
            if missing is not None:
                yield IncompleteFolder(upload=upload, missing=missing)


def _open(intake: IntakeBucket, file: UploadedFile) -> BinaryIO:
    """Empty if S3 does not return the file: its preparation reports that."""
    try:
        return intake.open(file.key, version_id=file.version_id)
    except (ClientError, FileNotFoundError) as error:
        if is_temporary(error):
            raise
        return io.BytesIO()


def _reason_not_to_collect(
    service: FlywheelService,
    unfinished: str | None,
    request: TurnRequest | None,
    minimum: timedelta,
    now: datetime,
) -> str | None:
    if unfinished:
        return f"iteration {unfinished} is finished first; the next turn takes the uploads"
    if request is not None:
        return None
    newest = next(service.iterations(), None)
    return too_soon_for_an_iteration(now=now, last=newest.created_at if newest else None, minimum=minimum)


def collect(intake: IntakeBucket, turn: str, *, by_folder: bool) -> tuple[tuple[Upload, ...], tuple[Upload, ...]]:
    """The current uploads, and the versions that they replaced before any turn collected those.

    With `by_folder` the files below `train/<name>/` are one upload.
    """
    uploads: list[Upload] = []
    replaced: list[Upload] = []
    for split in Split:
        for versions, markers in versions_by_key(intake, split).values():
            current, older = _present(versions, markers)
            if current is not None:
                uploads.append(current)
                replaced += [upload for upload in older if not _collected_before(intake, turn, upload)]
    if by_folder:
        uploads = _by_folder(uploads)
    return tuple(sorted(uploads, key=_age)), tuple(sorted(replaced, key=_age))


def _by_folder(uploads: Iterable[Upload]) -> list[Upload]:
    found: list[Upload] = []
    folders: dict[str, list[Upload]] = {}
    for upload in uploads:
        split, *between, _ = upload.key.split("/")
        if between:
            folders.setdefault(f"{split}/{between[0]}/", []).append(upload)
        else:
            found.append(upload)
    return [*found, *(Upload.of_folder(key, files) for key, files in folders.items())]


def _present(versions: list[Version], markers: list[datetime]) -> tuple[Upload | None, list[Upload]]:
    """The current upload of a key, if it is not deleted, and the versions that it replaced since the last deletion.

    A prepared upload gets a delete marker, so versions newer than the newest marker have not been collected.
    """
    current = next((upload for upload, latest in versions if latest), None)
    if current is None:
        return None, []
    newest_marker = max(markers, default=None)
    older = [
        upload
        for upload, latest in versions
        if not latest and (newest_marker is None or upload.last_modified > newest_marker)
    ]
    return current, replaced_by_next([current, *older])


def _collected_before(intake: IntakeBucket, turn: str, upload: Upload) -> bool:
    """Whether an earlier turn prepared this version. It did not delete the version if a newer one had come by then."""
    for number in range((number_of(turn) or 0) - 1, 0, -1):
        earlier = name_of(number)
        beginning = intake.read(begin_key(earlier), TurnBeginning)
        if beginning is None:
            continue
        if beginning.began_at < upload.last_modified - _CLOCKS_DIFFER:
            return False
        for known in beginning.uploads:
            collected = any((file.key, file.version_id) == (upload.key, upload.version_id) for file in known.files)
            if collected and intake.exists(result_key(earlier, known)):
                return True
    return False


def _age(upload: Upload) -> tuple[datetime, str]:
    return upload.last_modified, upload.key


def _unreadable(intake: IntakeBucket, turn: str, uploads: Iterable[Upload]) -> tuple[Upload, ...]:
    """Uploads that an earlier turn could not read: the same version would fail again."""
    before = _last_collection(intake, turn)
    if before is None:
        return ()
    known = {*before.uploads, *before.set_aside}
    left = [upload for upload in uploads if upload in known]
    results = intake.read_each((report_key(upload) for upload in left), UploadResult)
    unreadable = {result.upload for result in results if result.outcome is UploadOutcome.UNREADABLE}
    return tuple(upload for upload in left if upload in unreadable)


def _last_collection(intake: IntakeBucket, turn: str) -> TurnBeginning | None:
    for number in range((number_of(turn) or 0) - 1, 0, -1):
        beginning = intake.read(begin_key(name_of(number)), TurnBeginning)
        if beginning is not None and beginning.collected:
            return beginning
    return None


def _consume(intake: IntakeBucket, request: TurnRequest) -> None:
    """Delete the request that this turn fulfils. A newer request stays for the next turn."""
    found = intake.read_with_etag(REQUEST_KEY, TurnRequest)
    if found is not None and found[0] == request:
        intake.delete_if_unchanged(REQUEST_KEY, found[1])


def write_batches(intake: IntakeBucket, beginning: TurnBeginning, split: Split) -> BatchList:
    """Write the items of the turn's distributed map over the uploads of `split`, each `{"uploads": [Upload, ...]}`.

    Without the files of folders, which may be thousands: `begin.json` has them.
    """
    batches = list(_batches(upload.without_files for upload in beginning.uploads if upload.split is split))
    key = f"{folder(beginning.turn)}{split}-batches.json"
    items = [{"uploads": [upload.model_dump(mode="json") for upload in batch]} for batch in batches]
    intake.write_json(key, items)
    return BatchList(bucket=intake.name, key=key, count=len(items))


def _batches(uploads: Iterable[Upload]) -> Iterable[list[Upload]]:
    batch: list[Upload] = []
    size = item = 0
    for upload in uploads:
        written = size_as_json(upload.model_dump(mode="json"))
        full = len(batch) == _BATCH_UPLOADS or size + upload.size > _BATCH_BYTES or item + written > _BATCH_ITEM_BYTES
        if batch and full:
            yield batch
            batch, size, item = [], 0, 0
        batch.append(upload)
        size += upload.size
        item += written
    if batch:
        yield batch
