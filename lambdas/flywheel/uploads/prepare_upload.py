"""Prepares uploads: moves each from `train/` or `test/` to `prepared/` or `rejected/`.

The function may be killed at any point and repeated: it finds what it has written by content and by the upload's
version. The original is deleted last, and only if it is still the version that was read.

A bad upload does not stop the others. If the code cannot handle it, it is rejected; if S3 does not return it, it stays
where it is. Both get a report. Only temporary errors, and faults of the deployment, are raised, after all other uploads
have been prepared.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from botocore.exceptions import ClientError

from flywheel.comprehend.model_kind import Task
from flywheel.faults.errors import NotCurrentTurn, ServiceBusy
from flywheel.preparation import Preparation, Problem, RepeatedDocuments, SourceFile, UploadOptions
from flywheel.preparation.report import render_text
from flywheel.records.datasets import manifests
from flywheel.records.parts import facts_key, prepared_location
from flywheel.records.turns import TurnBeginning, require_current, result_key
from flywheel.records.uploads import (
    MOST_COMBINATIONS,
    BadLine,
    Part,
    Split,
    Upload,
    UploadedFile,
    UploadOutcome,
    UploadResult,
    UploadSource,
    original_keys,
    rejected_folder,
    report_key,
)
from flywheel.uploads.faults import (
    OutOfTime,
    TimedStream,
    UnreadableUpload,
    is_fault_of_upload,
    is_temporary,
    why_unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flywheel.comprehend.model_kind import ModelKind
    from flywheel.store.bucket import IntakeBucket


_REMARKS = 20
_TIME_TO_STORE = 120.0
"""Seconds reserved for storing the prepared documents: up to 5 GB."""


class UploadPreparer:
    def __init__(
        self,
        *,
        intake: IntakeBucket,
        kind: ModelKind,
        beginning: TurnBeginning,
        delimiter: str,
        options: UploadOptions,
        on_fault: Callable[[Upload, Exception], None],
        remaining_seconds: Callable[[], float],
    ) -> None:
        """`on_fault` is called for every upload that could not be prepared. `remaining_seconds` gives the time until
        Lambda ends the function."""
        self._intake = intake
        self._kind = kind
        self._turn = beginning.turn
        self._delimiter = delimiter
        self._options = options
        self._on_fault = on_fault
        self._remaining = remaining_seconds
        self._folders = {upload.id: upload for upload in beginning.uploads if upload.folder}
        self._task = Task(labels=beginning.labels, multi_label=beginning.multi_label)
        # Composed datasets do not change while a turn prepares uploads.
        self._manifests = lru_cache(lambda split: manifests(intake, split))

    def prepare_all(self, uploads: Sequence[Upload], now: datetime) -> None:
        """Prepare every upload, except those that this turn has prepared already.

        Raises NotCurrentTurn; ServiceBusy if AWS had temporary errors for some of them; or another error that is not
        the upload's fault, such as a missing permission.
        """
        require_current(self._intake, self._turn)
        faults: list[Exception] = []
        first = True
        # The message that names a folder has no room for its files.
        for upload in [self._folders.get(named.id, named) for named in uploads]:
            try:
                first = not self._take(upload, now, alone=first) and first
            except NotCurrentTurn:
                raise
            except OutOfTime:
                faults.append(ServiceBusy(f"{upload.key} is prepared by the next invocation, which has its time."))
                break
            except Exception as error:  # noqa: BLE001 - the other uploads go on; it is raised below
                self._on_fault(upload, error)
                faults.append(error)
        if not faults:
            return
        lasting = next((error for error in faults if not is_temporary(error)), None)
        if lasting is not None:
            raise lasting
        raise ServiceBusy(f"AWS could not do it for {len(faults)} of {len(uploads)} uploads: {faults[0]}") from faults[
            0
        ]

    def _take(self, upload: Upload, now: datetime, *, alone: bool) -> bool:
        """Prepare and delete one upload. False if it was prepared before. `alone`: no other upload has used the
        invocation's time."""
        key = result_key(self._turn, upload)
        result = self._intake.read(key, UploadResult)
        fresh = result is None
        if result is None:
            result = self._prepare(upload, now, alone=alone)
            self._intake.write(key, result)
        if result.outcome is not UploadOutcome.UNREADABLE:
            for file in upload.files:
                self._intake.delete_if_unchanged(file.key, file.etag)
        return fresh

    def _prepare(self, upload: Upload, now: datetime, *, alone: bool) -> UploadResult:
        try:
            return self._prepare_version(upload, now)
        except FileNotFoundError:
            return UploadResult(
                upload=upload,
                outcome=UploadOutcome.GONE,
                reason="This version was deleted for good before the pipeline could read it.",
            )
        except UnreadableUpload as error:
            self._on_fault(upload, error)
            return self._set_aside(upload, UploadOutcome.UNREADABLE, f"The file cannot be read. {error}")
        except OutOfTime:
            if not alone:
                raise
            self._keep_original(upload)
            reason = "The file could not be read in the time that a function may take: split it and upload the parts."
            return self._set_aside(upload, UploadOutcome.REJECTED, reason)
        except Exception as error:
            if not is_fault_of_upload(error):
                raise
            self._on_fault(upload, error)
            self._keep_original(upload)
            reason = (
                "Internal error: the pipeline cannot handle something in this file. The log of prepare_upload has the "
                "trace; please report it. Nothing of the file was taken."
            )
            return self._set_aside(upload, UploadOutcome.REJECTED, reason)

    def _set_aside(self, upload: Upload, outcome: UploadOutcome, reason: str) -> UploadResult:
        """The result of an upload that could not be read completely, with its report."""
        key = report_key(upload)
        result = UploadResult(upload=upload, outcome=outcome, reason=reason, report_key=key)
        self._intake.write_text(f"{rejected_folder(upload)}report.txt", f"{upload.key}: {outcome}\n  {reason}\n")
        self._intake.write(key, result)
        return result

    def _keep_original(self, upload: Upload) -> None:
        for file, key in original_keys(upload):
            self._intake.copy(file.key, key, version_id=file.version_id)

    def _open(self, file: UploadedFile) -> BinaryIO:
        """Raises FileNotFoundError, UnreadableUpload."""
        try:
            stream = self._intake.open(file.key, version_id=file.version_id)
        except ClientError as error:
            reason = why_unreadable(error)
            if reason is None:
                raise
            raise UnreadableUpload(reason) from error
        return cast("BinaryIO", TimedStream(stream, remaining=self._remaining, reserve=_TIME_TO_STORE))

    def _prepare_version(self, upload: Upload, now: datetime) -> UploadResult:
        with tempfile.TemporaryDirectory() as folder:
            files = Path(folder)
            with (
                ExitStack() as opened,
                (files / "documents").open("wb") as sink,
                (files / "hashes.bin").open("wb") as hashes,
                (files / "labels.bin").open("wb") as label_hashes,
                (files / "combinations.bin").open("wb") as combination_hashes,
                (files / "bad-lines").open("wb") as bad_lines,
            ):
                preparation = self._kind.prepare(
                    files=[
                        SourceFile(
                            name=upload.name_of(file),
                            size=file.size,
                            open=lambda file=file: opened.enter_context(closing(self._open(file))),  # type: ignore[misc]  # a default binds it
                        )
                        for file in upload.files
                    ],
                    name=upload.name,
                    sink=sink,
                    hashes=hashes,
                    label_hashes=label_hashes,
                    bad_lines=bad_lines,
                    task=self._task,
                    delimiter=self._delimiter,
                    options=self._options_of(upload.split),
                    combination_hashes=combination_hashes,
                )
            if not preparation.accepted:
                return self._reject(upload, preparation)
            return self._accept(upload, preparation, files, now)

    def _options_of(self, split: Split) -> UploadOptions:
        if split is Split.TRAIN:
            return self._options
        # A test document that counts several times would make a comparison look more certain than it is.
        return replace(self._options, repeated_documents=RepeatedDocuments.DROP)

    def _reject(self, upload: Upload, preparation: Preparation) -> UploadResult:
        self._keep_original(upload)
        problem = preparation.file_problem
        reason = problem.message if problem else "The file was rejected."
        return self._report(self._result(upload, preparation, UploadOutcome.REJECTED, reason), preparation)

    def _accept(self, upload: Upload, preparation: Preparation, files: Path, now: datetime) -> UploadResult:
        source = UploadSource(key=upload.key, version_id=upload.version_id, last_modified=upload.last_modified)
        part = Part(
            content_hash=preparation.content_hash,
            split=upload.split,
            documents=preparation.documents,
            bytes=preparation.bytes,
            labels=preparation.labels,
            delimiter=self._delimiter if self._task.multi_label else "",
            form=self._kind.stored_form,
            sources=(source,),
            prepared_at=now,
        )
        duplicate_of = self._place_of(part, source) or self._store(part, source, files)
        if duplicate_of:
            return self._result(upload, preparation, UploadOutcome.DUPLICATE, f"The same documents are {duplicate_of}.")
        if not preparation.bad_lines:
            reason = f"{part.documents} documents accepted.{_noticed(preparation)}"
            return self._result(upload, preparation, UploadOutcome.ACCEPTED, reason)
        self._intake.upload_file(files / "bad-lines", f"{rejected_folder(upload)}bad-lines")
        bad = sum(preparation.bad_lines.values())
        reason = f"{part.documents} documents accepted, {bad} bad lines rejected.{_noticed(preparation)}"
        return self._report(self._result(upload, preparation, UploadOutcome.PARTLY_ACCEPTED, reason), preparation)

    def _place_of(self, part: Part, source: UploadSource) -> str | None:
        """A phrase for the place where the same documents are already; None if there is none, or if they came from
        this upload itself."""
        waiting = self._intake.read(facts_key(part.split, part.content_hash), Part)
        if waiting is not None:
            return None if source in waiting.sources else f"already waiting, from {waiting.sources[0].key}"
        for manifest in self._manifests(part.split):
            for known in manifest.parts:
                if known.content_hash == part.content_hash and source not in known.sources:
                    return f"already in dataset {manifest.name}, from {known.sources[0].key}"
        return None

    def _store(self, part: Part, source: UploadSource, files: Path) -> str | None:
        if any(
            known.content_hash == part.content_hash
            for manifest in self._manifests(part.split)
            for known in manifest.parts
        ):
            # This upload is prepared again after a kill, and a dataset has its documents by now.
            return None
        location = prepared_location(part.split, part.content_hash, part.form)
        self._intake.upload_file(files / "documents", location.documents)
        self._intake.upload_file(files / "labels.bin", location.labels)
        if location.combinations is not None:
            self._intake.upload_file(files / "combinations.bin", location.combinations)
        self._intake.upload_file(files / "hashes.bin", location.hashes)
        if self._intake.write_once(facts_key(part.split, part.content_hash), part):
            return None
        # Another file with the same documents was prepared at the same time.
        return self._place_of(part, source)

    def _result(self, upload: Upload, preparation: Preparation, outcome: UploadOutcome, reason: str) -> UploadResult:
        rejected = outcome is UploadOutcome.REJECTED
        few = len(preparation.labels) <= MOST_COMBINATIONS
        examples = [_bad_line(problem) for problem in preparation.examples]
        if preparation.file_problem is not None:
            examples.insert(0, _bad_line(preparation.file_problem))
        return UploadResult(
            upload=upload,
            outcome=outcome,
            reason=reason,
            documents=0 if rejected else preparation.documents,
            labels=preparation.labels if few and not rejected else {},
            duplicates=preparation.duplicates,
            conflicts=preparation.conflicts,
            conflict_examples=tuple(_bad_line(problem) for problem in preparation.conflict_examples),
            bad_lines=dict(preparation.bad_lines),
            examples=tuple(examples),
            remarks=dict(preparation.remarks),
            remark_examples=tuple(_bad_line(problem) for problem in preparation.remark_examples[:_REMARKS]),
            content_hash=None if rejected else preparation.content_hash,
        )

    def _report(self, result: UploadResult, preparation: Preparation) -> UploadResult:
        key = report_key(result.upload)
        result = result.model_copy(update={"report_key": key})
        self._intake.write_text(f"{rejected_folder(result.upload)}report.txt", render_text(preparation))
        self._intake.write(key, result)
        return result


def _accepted_conflicts(preparation: Preparation) -> str:
    if not preparation.conflict_examples:
        return ""
    return f" {preparation.conflicts} of them have the text of an earlier one with other labels."


def _noticed(preparation: Preparation) -> str:
    """Conflicts that were accepted, and what was changed or looked odd, by rule."""
    remarks = ", ".join(f"{rule} {number}" for rule, number in preparation.remarks.items())
    return _accepted_conflicts(preparation) + (f" Remarks: {remarks}." if remarks else "")


def _bad_line(problem: Problem) -> BadLine:
    return BadLine.model_validate(problem, from_attributes=True)
