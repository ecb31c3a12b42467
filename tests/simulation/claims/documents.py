"""Claims about what was uploaded."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flywheel.records.uploads import UploadOutcome, UploadResult
from tests.simulation.claims import records
from tests.simulation.claims.broken import require

if TYPE_CHECKING:
    from tests.simulation.schedule.documents import File
    from tests.simulation.simulation import Situation


def each_document_is_in_one_place(situation: Situation) -> None:
    """In one COMPLETED dataset of the present flywheel, or waiting, or rejected with the file: never in two, and never
    lost. What waits may repeat what is in a dataset: the next dataset leaves it out."""
    trained, tested = _in_datasets(situation, "TRAIN"), _in_datasets(situation, "TEST")
    waiting, waiting_test = _prepared(situation, "train"), _prepared(situation, "test")
    for where in (trained, tested):
        twice = [text for text, count in where.items() if count > 1]
        require(not twice, f"{len(twice)} documents are there twice, such as {twice[:1]}")
    judges = tested + waiting_test
    for file in _sure_files(situation):
        if _still_there(situation, file) or _rejected(situation, file):
            continue
        for document in file.documents:
            text = document.text
            if file.split == "test":
                found = judges[text] or trained[text] or waiting[text]
            else:
                found = trained[text] or waiting[text] or judges[text]
            require(bool(found), f"a document of {file.key} is lost: {text[:60]!r}")


def what_was_rejected_has_its_report(situation: Situation) -> None:
    intake, world = situation.app.intake, situation.world
    for _, result in _results(situation):
        if result.outcome in (UploadOutcome.REJECTED, UploadOutcome.PARTLY_ACCEPTED):
            key = f"rejected/{result.upload.id}/report.json"
            require(world.s3.object(intake, key) is not None, f"{result.upload.key} was rejected without {key}")
            told, bad = sum(result.bad_lines.values()), _bad_lines(situation, result.upload.key)
            require(bad is None or told == bad, f"{result.upload.key} has {bad} bad lines, and {told} are told")
            if result.outcome is UploadOutcome.REJECTED:
                kept = [one for one in world.s3.keys(intake, f"rejected/{result.upload.id}/") if "report." not in one]
                require(bool(kept), f"the rejected {result.upload.key} is not kept")


def _bad_lines(situation: Situation, key: str) -> int | None:
    """How many a file has; None if there were several of its key."""
    found = [act.file.bad_lines for _, act in situation.people.done if act.file is not None and act.file.key == key]
    return found[0] if len(found) == 1 else None


def _sure_files(situation: Situation) -> list[File]:
    """Of which nothing makes it uncertain what was collected: the only one of its key, and never deleted."""
    uploads = [act.file for _, act in situation.people.done if act.kind == "upload" and act.file is not None]
    keys = Counter(file.key for file in uploads)
    excluded = any(act.kind == "exclude an upload" for _, act in situation.people.done)
    if excluded:
        return []
    return [file for file in uploads if keys[file.key] == 1 and file.key not in situation.app.deleted_uploads]


def _still_there(situation: Situation, file: File) -> bool:
    return situation.world.s3.object(situation.app.intake, file.key) is not None


def _rejected(situation: Situation, file: File) -> bool:
    """The whole file: only one with bad lines may be."""
    outcomes = {result.outcome for _, result in _results(situation) if result.upload.key == file.key}
    if UploadOutcome.REJECTED not in outcomes:
        return False
    require(file.bad_lines > 0, f"{file.key} was rejected, though all of its lines are good")
    return True


def _results(situation: Situation) -> list[tuple[str, UploadResult]]:
    return list(records.read_all(situation, "turns/", UploadResult, with_="/uploads/"))


def _in_datasets(situation: Situation, kind: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for item in records.datasets(situation, situation.app.flywheel_arn):
        if item["Status"] == "COMPLETED" and item["DatasetType"] == kind:
            bucket, _, prefix = item["DatasetS3Uri"].removeprefix("s3://").partition("/")
            for key in situation.world.s3.keys(bucket, prefix):
                body = situation.world.s3.object(bucket, key)
                found.update(records.texts(key, body.body if body else b""))
    return found


def _prepared(situation: Situation, split: str) -> Counter[str]:
    found: Counter[str] = Counter()
    intake = situation.app.intake
    for key in situation.world.s3.keys(intake, f"prepared/{split}/"):
        body = situation.world.s3.object(intake, key)
        if "/documents." in key and body is not None:
            found.update(records.texts(key, body.body))
    return found
