"""Excluding uploads and documents from datasets, for good or until it is undone."""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from flywheel.comprehend.model_kind import Task
from flywheel.datasets.distinct import hits, read_digests
from flywheel.datasets.stored_parts import StoredPart, parts_of, parts_with_digests, waiting_parts
from flywheel.preparation import UploadOptions
from flywheel.preparation.report import render_text
from flywheel.records.datasets import accepted_manifests, datasets_folder, manifests
from flywheel.records.exclusions import (
    EXCLUDED_DOCUMENTS,
    EXCLUDED_UPLOADS,
    DocumentId,
    Exclusion,
    Exclusions,
    excluded_document_key,
    excluded_upload_key,
    read_exclusions,
)
from flywheel.records.parts import as_numbers
from flywheel.records.uploads import Split, UploadSource, upload_name
from flywheel.review.withdraw_reviewer import find_reviewer, withdraw_reviewer
from flywheel.store.record import Record
from ops.deployment.errors import FileError, OperatorError
from ops.deployment.published import Deployment
from ops.verbs.review_queue import review_queue
from ops.verbs.upload import check_paths
from ops.verbs.validate import source_files

_REQUESTS_AT_ONCE = 16
_DOCUMENTS_READ = 1000
"""So many records of excluded documents are read to say why."""
_WAITING, _OLDER = "waits", "in an older generation"


class ExcludedUpload(Record):
    id: str
    exclusion: Exclusion


class ExcludedDocuments(Record):
    """Documents that were excluded with the same words at one time."""

    documents: int
    exclusion: Exclusion


class Excluded(Record):
    """Everything that is excluded."""

    uploads: tuple[ExcludedUpload, ...] = ()
    documents: tuple[ExcludedDocuments, ...] = ()
    """Of the first thousand."""
    total_documents: int = 0
    """Single documents, without those of `uploads`."""
    in_datasets: dict[str, int] = {}
    """By dataset of the present generation: how many excluded documents it has and keeps."""


class Change(Record):
    """What an exclusion, or undoing one, did."""

    undone: bool
    uploads: tuple[str, ...] = ()
    """Their keys."""
    documents: int = 0
    """Single documents."""
    reviewer: str | None = None
    """ARN of the reviewer whose documents these are."""
    returned: int = 0
    """Items of the review queue that lost the reviewer's answer and wait again."""
    unchanged: int = 0
    """Uploads and documents with which it was so before."""
    waiting: int = 0
    """Documents of these that wait for a dataset."""
    in_datasets: dict[str, int] = {}
    """As in Excluded, of these."""


def excluded(deployment: Deployment) -> Excluded:
    """Raises flywheel.faults.errors.InvalidRecord and botocore's errors."""
    intake = deployment.intake
    found = read_exclusions(intake)
    uploads = intake.read_all((excluded_upload_key(each) for each in sorted(found.uploads)), Exclusion)
    some = intake.read_all(islice(intake.keys(EXCLUDED_DOCUMENTS), _DOCUMENTS_READ), Exclusion)
    return Excluded(
        uploads=tuple(ExcludedUpload(id=each.upload.id, exclusion=each) for each in uploads if each.upload),
        documents=tuple(
            ExcludedDocuments(documents=times, exclusion=each) for each, times in Counter(some).most_common()
        ),
        total_documents=len(found.documents),
        in_datasets=_places(deployment, found)[1],
    )


def exclude(
    deployment: Deployment, uploads: Sequence[str], files: Sequence[Path], *, reason: str, now: datetime | None = None
) -> Change:
    """Exclude uploads by id, key or name, and the documents in files. What is excluded already stays as it is.

    Raises OperatorError for an upload or a document that the flywheel does not have; then nothing is excluded.
    """
    known = _sources(deployment) if uploads else []
    sources = [_named(name, known, undo=False) for name in uploads]
    documents = _documents_in(deployment, files)
    _require_known(deployment, documents)
    record = Exclusion(reason=reason, by=deployment.clients.caller(), at=now or datetime.now(UTC))
    records = {excluded_upload_key(each.id): record.model_copy(update={"upload": each}) for each in sources}
    records |= {excluded_document_key(each): record for each in documents}
    with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
        new = sum(pool.map(lambda key: deployment.intake.write_once(key, records[key]), records))
    return _change(deployment, sources, documents, undone=False, unchanged=len(records) - new)


def exclude_reviewer(deployment: Deployment, named: str, *, reason: str, now: datetime | None = None) -> Change:
    """Exclude the published documents that rest on a reviewer's answers, and withdraw those that are not published.

    `named` is their ARN, or its last part. Whoever does it needs to be an operator and a reviewer. Raises
    OperatorError if nobody, or more than one, is named so.
    """
    queue = review_queue(deployment)
    found = find_reviewer(queue, named)
    if len(found) != 1:
        several = f"{len(found)} reviewers are named {named}: give the ARN, of {', '.join(sorted(found))}."
        raise OperatorError(
            several if found else f"No answers of a reviewer {named} are kept: give the ARN, or its end."
        )
    (reviewer,) = found
    record = Exclusion(reason=reason, by=deployment.clients.caller(), at=now or datetime.now(UTC))
    withdrawn = withdraw_reviewer(queue, by=reviewer)
    new = _write_documents(deployment, withdrawn.documents, record)
    change = _change(deployment, [], withdrawn.documents, undone=False, unchanged=len(withdrawn.documents) - new)
    return change.model_copy(update={"reviewer": reviewer, "returned": withdrawn.items})


def exclude_documents(
    deployment: Deployment, documents: Collection[DocumentId], *, reason: str, now: datetime
) -> Change:
    """Exclude documents by their digests, whether or not the flywheel has them yet."""
    record = Exclusion(reason=reason, by=deployment.clients.caller(), at=now)
    new = _write_documents(deployment, documents, record)
    return _change(deployment, [], documents, undone=False, unchanged=len(documents) - new)


def documents_with(deployment: Deployment, text: int) -> set[DocumentId]:
    """Documents of the flywheel that have the text with this digest, with whatever labels."""
    read = read_digests(deployment.intake)
    return {(text, origin.labels) for split in Split for _, origin in hits({text}, _all_parts(deployment, split), read)}


def _write_documents(deployment: Deployment, documents: Collection[DocumentId], record: Exclusion) -> int:
    """How many of them were not excluded before."""
    with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
        return sum(pool.map(lambda each: deployment.intake.write_once(excluded_document_key(each), record), documents))


def undo(deployment: Deployment, uploads: Sequence[str], files: Sequence[Path]) -> Change:
    """Take exclusions back. Raises OperatorError for an upload that is not excluded; then nothing is taken back."""
    intake = deployment.intake
    known = [each.upload for each in intake.read_all(intake.keys(EXCLUDED_UPLOADS), Exclusion) if each.upload]
    sources = [_named(name, known, undo=True) for name in uploads]
    documents = _documents_in(deployment, files)
    before = read_exclusions(intake).documents
    there = [each for each in documents if each in before]
    intake.delete([*(excluded_upload_key(each.id) for each in sources), *map(excluded_document_key, there)])
    return _change(deployment, sources, there, undone=True, unchanged=len(documents) - len(there))


def _change(
    deployment: Deployment,
    sources: Sequence[UploadSource],
    documents: Iterable[DocumentId],
    *,
    undone: bool,
    unchanged: int,
) -> Change:
    these = Exclusions(uploads=frozenset(each.id for each in sources), documents=frozenset(documents))
    waiting, in_datasets = _places(deployment, these)
    return Change(
        undone=undone,
        uploads=tuple(each.key for each in sources),
        documents=len(these.documents),
        unchanged=unchanged,
        waiting=waiting,
        in_datasets=in_datasets,
    )


def _sources(deployment: Deployment) -> list[UploadSource]:
    """Of all documents that wait or are in datasets of any generation."""
    intake = deployment.intake
    parts = [
        stored.part
        for split in Split
        for stored in (
            *waiting_parts(intake, split),
            *(stored for manifest in manifests(intake, split) for stored in parts_of(manifest)),
        )
    ]
    return list(dict.fromkeys(source for part in parts for source in part.sources))


def _named(wanted: str, sources: Sequence[UploadSource], *, undo: bool) -> UploadSource:
    found = [each for each in sources if each.id == wanted]
    found = found or [each for each in sources if wanted in {each.key, upload_name(each.key)}]
    if len(found) == 1:
        return found[0]
    if found:
        newest = sorted(found, key=lambda each: each.last_modified, reverse=True)
        ids = ", ".join(f"{each.id} ({each.key} of {each.last_modified:%Y-%m-%d %H:%M} UTC)" for each in newest)
        raise OperatorError(f"{len(found)} uploads are named {wanted}. Name one by its id: {ids}.")
    if undo:
        raise OperatorError(f"No upload {wanted} is excluded: `flywheel exclude` lists what is.")
    raise OperatorError(
        f"No documents of an upload {wanted} wait or are in a dataset: `flywheel show` names the uploads of a turn. "
        "Documents that were copies count as those of the upload that had them first, and what no turn has collected "
        "yet can be deleted from the bucket."
    )


def _documents_in(deployment: Deployment, files: Sequence[Path]) -> dict[DocumentId, str]:
    """The documents in files that are read as uploads are, each with a name for people. Raises FileError."""
    check_paths(files, folders=deployment.kind.takes_folders)
    found: dict[DocumentId, str] = {}
    for path in files:
        texts, labels = io.BytesIO(), io.BytesIO()
        with Path(os.devnull).open("wb") as nowhere:
            preparation = deployment.kind.prepare(
                files=source_files(path),
                name=path.name,
                sink=nowhere,
                hashes=texts,
                label_hashes=labels,
                bad_lines=nowhere,
                task=Task(labels=deployment.labels, multi_label=deployment.multi_label),
                delimiter=deployment.published.label_delimiter,
                options=UploadOptions(manifest_attribute=deployment.parameters.manifest_attribute),
            )
        if not preparation.accepted or preparation.bad_lines:
            raise FileError(f"Nothing was changed: {path} cannot be read completely.\n{render_text(preparation)}")
        digests = zip(as_numbers(texts.getvalue()), as_numbers(labels.getvalue()), strict=True)
        found |= {pair: f"document {number} of {path}" for number, pair in enumerate(digests, start=1)}
    return found


def _require_known(deployment: Deployment, documents: dict[DocumentId, str]) -> None:
    texts = {text for text, _ in documents}
    known = {
        (text, origin.labels)
        for split in Split
        for text, origin in hits(texts, _all_parts(deployment, split), read_digests(deployment.intake))
    }
    unknown = [where for pair, where in documents.items() if pair not in known]
    if unknown:
        with_others = {text for text, _ in known}
        others = sum(pair not in known and pair[0] in with_others for pair in documents)
        hint = f" {others} of them are there with other labels: give those that they have." if others else ""
        raise OperatorError(
            f"Nothing was excluded: {len(unknown)} of {len(documents)} documents neither wait nor are in a dataset, "
            f"the first is {unknown[0]}.{hint}"
        )


def _all_parts(deployment: Deployment, split: Split) -> Iterator[StoredPart]:
    intake = deployment.intake
    accepted = {part.content_hash for manifest in accepted_manifests(intake, split) for part in manifest.parts}
    # A step that goes on after its turn may leave a rest of a part that a dataset has taken over.
    yield from (stored for stored in waiting_parts(intake, split) if stored.part.content_hash not in accepted)
    yield from parts_with_digests(intake, split, manifests(intake, split), flywheel_arn=deployment.flywheel_arn)


def _places(deployment: Deployment, exclusions: Exclusions) -> tuple[int, dict[str, int]]:
    """How many excluded documents wait, and how many each dataset of the present generation has."""
    texts = {text for text, _ in exclusions.documents}
    places: Counter[str] = Counter()
    for split in Split if exclusions.uploads or texts else ():
        partly: list[StoredPart] = []
        for stored in _all_parts(deployment, split):
            if exclusions.covers(stored.part):
                places[_place(stored)] += stored.part.documents
            else:
                partly.append(stored)
        for text, origin in hits(texts, partly, read_digests(deployment.intake)):
            places[_place(origin.stored)] += (text, origin.labels) in exclusions.documents
    return places[_WAITING], {
        name: number for name, number in sorted(places.items()) if number and name not in {_WAITING, _OLDER}
    }


def _place(stored: StoredPart) -> str:
    """The dataset of the present generation that has the part."""
    if stored.accepted_in is not None:
        return _OLDER
    return stored.source if stored.location.hashes.startswith(datasets_folder(stored.part.split)) else _WAITING
