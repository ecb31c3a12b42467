"""Claims about what was uploaded."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flywheel.records.datasets import DatasetManifest, accepted_key, datasets_folder
from flywheel.records.parts import facts_key
from flywheel.records.uploads import Split, Upload, UploadOutcome, UploadResult
from tests.simulation.claims import records, review, turns
from tests.simulation.claims.broken import require
from tests.simulation.schedule.plan import labels_of

if TYPE_CHECKING:
    from tests.simulation.schedule.documents import File
    from tests.simulation.simulation import Situation


def each_document_is_in_one_place(situation: Situation) -> None:
    """In one COMPLETED dataset of the present flywheel, or waiting, or rejected with the file: never in two, and never
    lost. What waits may repeat what is in a dataset: the next dataset leaves it out."""
    in_training, in_test = _in_datasets(situation, "TRAIN"), _in_datasets(situation, "TEST")
    waiting, waiting_test = _prepared(situation, "train"), _prepared(situation, "test")
    for where in (in_training, in_test):
        # With other labels it is another document: which of them is right, people are asked.
        twice = [text for (text, _), count in where.items() if count > 1 and count > _kept(situation, text)]
        twice = [text for text in twice if not _came_again(situation, text)]
        require(not twice, f"{len(twice)} documents are there twice, such as {twice[:1]}")
    trained, tested = (Counter(text for text, _ in where) for where in (in_training, in_test))
    waiting, waiting_test = waiting + _to_be_seeded(situation, "TRAIN"), waiting_test + _to_be_seeded(situation, "TEST")
    judges = tested + waiting_test
    known = _known_labels(situation)
    for file in (*_sure_files(situation), *_published_files(situation)):
        if _still_there(situation, file) or _rejected(situation, file):
            continue
        for document in file.documents:
            if not known.issuperset(document.labels):
                # Whether it is a bad line depends on which generation took it in.
                continue
            text = document.text
            if file.split == "test":
                found = judges[text] or trained[text] or waiting[text]
            else:
                found = trained[text] or waiting[text] or judges[text]
            lost = not found and not review.is_excluded(situation, text)
            require(not lost, f"a document of {file.key} is lost: {text[:60]!r}")


def each_dataset_is_accepted(situation: Situation) -> None:
    """Comprehend has completed none that the pipeline made and does not know, unless the last turn failed, which people
    are told: an iteration would train on it."""
    if not turns.last_succeeded(situation):
        return
    for item in records.datasets(situation, situation.app.flywheel_arn):
        split, _, number = item["DatasetName"].partition("-")
        if item["Status"] == "COMPLETED" and split in tuple(Split) and number:
            key = f"{datasets_folder(Split(split))}{item['DatasetName']}/accepted.json"
            there = situation.world.s3.object(situation.app.intake, key) is not None
            require(there, f"{item['DatasetName']} is COMPLETED, and there is no {key}")


def nothing_is_judged_by_what_it_was_trained_on(situation: Situation) -> None:
    """No text is in the training and in the test data of the present flywheel."""
    if any(act.kind == "exclude an upload" for _, act in situation.people.done):
        # What is excluded counts as not there, but is in the dataset.
        return
    trained, tested = ({text for text, _ in _in_datasets(situation, kind)} for kind in ("TRAIN", "TEST"))
    both = [text for text in trained & tested if not review.is_excluded(situation, text)]
    require(not both, f"{len(both)} documents are in training and test data, such as {both[:1]}")


def nothing_waits_that_a_dataset_has(situation: Situation) -> None:
    """As a whole: single documents of what waits may be in a dataset, and the next one leaves them out."""
    world, intake = situation.world, situation.app.intake
    for key, manifest in records.read_all(situation, "datasets/", DatasetManifest, ending="/dataset.json"):
        if world.s3.object(intake, accepted_key(manifest)) is None:
            continue
        for part in manifest.parts:
            waiting = facts_key(manifest.split, part.content_hash)
            require(world.s3.object(intake, waiting) is None, f"{waiting} still waits, and {key} has it")


def what_was_rejected_has_its_report(situation: Situation) -> None:
    intake, world = situation.app.intake, situation.world
    for _, result in _results(situation):
        if result.outcome in (UploadOutcome.REJECTED, UploadOutcome.PARTLY_ACCEPTED):
            key = f"rejected/{result.upload.id}/report.json"
            require(world.s3.object(intake, key) is not None, f"{result.upload.key} was rejected without {key}")
            told, bad = sum(result.bad_lines.values()), _bad_lines(situation, result.upload)
            require(bad is None or told == bad, f"{result.upload.key} has {bad} bad lines, and {told} are told")
            if result.outcome is UploadOutcome.REJECTED:
                kept = [one for one in world.s3.keys(intake, f"rejected/{result.upload.id}/") if "report." not in one]
                require(bool(kept), f"the rejected {result.upload.key} is not kept")


def _bad_lines(situation: Situation, upload: Upload) -> int | None:
    """How many this version of a file has; None if that depends on the generation that took it."""
    file = next((file for version, file in _uploaded(situation, upload.key) if version == upload.version_id), None)
    known = _known_labels(situation)
    if file is None or not all(known.issuperset(document.labels) for document in file.documents):
        return None
    return file.bad_lines


def _sure_files(situation: Situation) -> list[File]:
    """Of which nothing makes it uncertain what was collected: the last of its key, confirmed, and never deleted. The
    pipeline may have taken versions before it, or never have seen them."""
    if any(act.kind == "exclude an upload" for _, act in situation.people.done):
        return []
    sure = situation.app.uploaded - situation.app.deleted_uploads
    return [file for key in sorted(sure) for _, file in _uploaded(situation, key)[:1]]


def _uploaded(situation: Situation, key: str) -> list[tuple[str, File]]:
    """(id of its version, file), the newest first. One whose answer was lost may have come twice."""
    acts = [act for _, act in situation.people.done if act.kind == "upload" and act.file is not None]
    files = {act.file.content: act.file for act in acts if act.file is not None and act.file.key == key}
    versions = situation.world.s3.versions(situation.app.intake, key)
    return [
        (version.version_id, files[version.body])
        for version in versions
        if version.key == key and not version.is_marker and version.body in files
    ]


def _published_files(situation: Situation) -> list[File]:
    """What reviewers agreed on is uploaded, too."""
    excluded = any(act.kind == "exclude an upload" for _, act in situation.people.done)
    deleted = situation.app.deleted_uploads
    return [] if excluded else [file for file in review.published_files(situation) if file.key not in deleted]


def _still_there(situation: Situation, file: File) -> bool:
    return situation.world.s3.object(situation.app.intake, file.key) is not None


def _rejected(situation: Situation, file: File) -> bool:
    """The whole file: only one with bad lines may be."""
    found = situation.world.s3.versions(situation.app.intake, file.key)
    versions = {version.version_id for version in found if version.body == file.content}
    outcomes = {result.outcome for _, result in _results(situation) if result.upload.version_id in versions}
    if UploadOutcome.REJECTED not in outcomes:
        return False
    known = _known_labels(situation)
    good = file.bad_lines == 0 and all(known.issuperset(document.labels) for document in file.documents)
    require(not good, f"{file.key} was rejected, though all of its lines are good")
    return True


def _known_labels(situation: Situation) -> set[str]:
    """Those of every generation that was deployed."""
    app = situation.app
    return set.intersection(*(set(labels_of(app.kind, number)) for number in range(1, app.generation + 1)))


def _kept(situation: Situation, text: str) -> int:
    """How often a document may be in a dataset: with RepeatedDocuments KEEP as often as a training file has it."""
    if "KEEP" not in situation.app.ever["flywheel/RepeatedDocuments"]:
        return 1
    files = [act.file for _, act in situation.people.done if act.kind == "upload" and act.file is not None]
    return max((file.content.count(text.encode()) for file in files if file.split == "train"), default=1)


def _came_again(situation: Situation, text: str) -> bool:
    """Whether an upload that has it was excluded, and another one brought it again: what is excluded counts as not
    there, but is in the dataset."""
    done = [act for _, act in situation.people.done]
    files = [*(act.file for act in done if act.file is not None), *review.published_files(situation)]
    having = [file for file in files if text.encode() in file.content]
    return len(having) > 1 and any(act.kind == "exclude an upload" for act in done)


def _results(situation: Situation) -> list[tuple[str, UploadResult]]:
    return list(records.read_all(situation, "turns/", UploadResult, with_="/uploads/"))


def _in_datasets(situation: Situation, kind: str) -> Counter[tuple[str, frozenset[str]]]:
    found: Counter[tuple[str, frozenset[str]]] = Counter()
    for item in records.datasets(situation, situation.app.flywheel_arn):
        if item["Status"] == "COMPLETED" and item["DatasetType"] == kind:
            bucket, _, prefix = item["DatasetS3Uri"].removeprefix("s3://").partition("/")
            for key in situation.world.s3.keys(bucket, prefix):
                body = situation.world.s3.object(bucket, key)
                found.update(records.stored_documents(key, body.body if body else b""))
    return found


def _to_be_seeded(situation: Situation, kind: str) -> Counter[str]:
    """The parts that former generations accepted and no dataset of the present one has: a label needs
    MinimumDocumentsPerLabel documents first (decision 005)."""
    world, intake, folder = situation.world, situation.app.intake, f"datasets/{kind.lower()}/"
    seeded = {
        part.content_hash
        for _, manifest in records.read_all(situation, folder, DatasetManifest, ending="/dataset.json")
        if manifest.flywheel_arn == situation.app.flywheel_arn and world.s3.object(intake, accepted_key(manifest))
        for part in manifest.parts
    }
    found: Counter[str] = Counter()
    for key in world.s3.keys(intake, folder):
        _, documents, name = key.partition("/documents/")
        body = world.s3.object(intake, key)
        if documents and body is not None and name.partition(".")[0] not in seeded:
            found.update(text for text, _ in records.stored_documents(key, body.body))
    return found


def _prepared(situation: Situation, split: str) -> Counter[str]:
    found: Counter[str] = Counter()
    intake = situation.app.intake
    for key in situation.world.s3.keys(intake, f"prepared/{split}/"):
        body = situation.world.s3.object(intake, key)
        if "/documents." in key and body is not None:
            found.update(text for text, _ in records.stored_documents(key, body.body))
    return found
