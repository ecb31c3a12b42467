"""Uploads for a recognizer: single files, and folders whose files belong together."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta

from flywheel.records.uploads import Split, UploadOutcome
from flywheel.spans import Span
from ops.verbs.prepared import UploadState, uploads_waiting
from ops.verbs.status import status
from tests.pipeline.entities.documents import annotated, as_json_lines
from tests.pipeline.entities.test_turns import people

DOCUMENTS = b"Anna Albers lives in Aachen.\nNobody is here.\nBoris Brandt left Bergen.\n"
ANNOTATIONS = (
    b"File,Line,Begin Offset,End Offset,Type\n"
    b"documents.txt,0,0,11,PERSON\ndocuments.txt,0,21,27,PLACE\n"
    b"documents.txt,2,0,12,PERSON\ndocuments.txt,2,18,24,PLACE\n"
)


def test_a_folder_waits_for_its_parts_and_is_then_one_upload() -> None:
    at = people(minimum_documents_per_label=25)
    at.upload("train/letters/documents.txt", DOCUMENTS)
    assert at.poked().start
    record = at.run_turn()
    assert record.uploads == ()
    (waits,) = record.incomplete
    assert waits.upload.key == "train/letters/"
    assert "annotations" in waits.missing
    assert at.keys("train/") == ["train/letters/documents.txt"]
    start = at.poked()
    assert not start.start, "what is not complete starts no second turn"
    assert "waits for some of its files" in start.reason
    at.let_pass(timedelta(hours=25))
    start = at.poked()
    assert start.start, "people are told of what has waited for so long"
    assert "train/letters/ has waited" in start.reason
    assert at.run_turn().incomplete == (waits,)
    assert not at.poked().start, "they are told once"
    (waiting,) = uploads_waiting(at.bucket, turn_runs=False)
    assert (waiting.state, waiting.reason) == (UploadState.INCOMPLETE, f"waits for {waits.missing}")
    at.let_pass(timedelta(seconds=5))
    at.upload("train/letters/annotations.csv", ANNOTATIONS)
    assert at.poked().start
    record = at.run_turn()
    (result,) = record.uploads
    assert (result.outcome, result.documents) == (UploadOutcome.ACCEPTED, 3)
    assert result.labels == {"PERSON\x1e1\x1fPLACE\x1e1": 2, "": 1}
    assert record.incomplete == ()
    assert at.keys("train/") == []
    spans = f"{Span(0, 11, 'PERSON').label} {Span(21, 27, 'PLACE').label}"
    assert at.waiting()[1:] == [
        ("0:11:PERSON 21:27:PLACE", "Anna Albers lives in Aachen."),
        ("0:12:PERSON 18:24:PLACE", "Boris Brandt left Bergen."),
    ]
    assert at.waiting()[1][0] == spans


def test_a_packed_folder_waits_for_its_parts_and_is_taken_as_it_unpacks() -> None:
    at = people(minimum_documents_per_label=25)
    at.upload("train/letters/annotations.csv.gz", gzip.compress(ANNOTATIONS))
    (waits,) = at.run_turn().incomplete
    assert waits.missing == 'the documents "documents.txt"'
    at.let_pass(timedelta(seconds=5))
    at.upload("train/letters/documents.txt.gz", gzip.compress(DOCUMENTS))
    (result,) = at.run_turn().uploads
    assert (result.outcome, result.documents) == (UploadOutcome.ACCEPTED, 3)


def test_a_folder_with_a_broken_archive_does_not_wait() -> None:
    at = people()
    at.upload("train/letters/documents.txt.gz", gzip.compress(DOCUMENTS)[:-1])
    record = at.run_turn()
    assert record.incomplete == ()
    (result,) = record.uploads
    assert result.outcome is UploadOutcome.REJECTED
    assert "its end is missing" in result.reason


def test_offsets_of_browser_tools_are_converted_and_the_result_says_so() -> None:
    at = people()
    rows = [
        {
            "text": f"\U0001f600 Anna Albers {number}",
            "entities": [{"start": 3, "end": 14, "label": "PERSON", "text": "Anna Albers"}],
        }
        for number in range(3)
    ]
    at.upload("train/browser.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode())
    (result,) = at.run_turn().uploads
    assert (result.outcome, result.documents) == (UploadOutcome.ACCEPTED, 3)
    assert "Remarks: utf16" in result.reason
    assert {labels for labels, _ in at.waiting()} == {"2:13:PERSON"}


def test_a_rejected_folder_is_kept_with_all_its_files() -> None:
    at = people()
    at.upload("train/wrong/documents.txt", DOCUMENTS)
    at.upload(
        "train/wrong/annotations.csv", ANNOTATIONS.replace(b"11,PERSON", b"110,PERSON").replace(b"12,P", b"120,P")
    )
    at.change(maximum_bad_lines_percent=5)
    record = at.run_turn()
    (result,) = record.uploads
    assert result.outcome is UploadOutcome.REJECTED
    kept = [key.rsplit("/", 1)[-1] for key in at.keys("rejected/") if "/original/" in key]
    assert kept == ["annotations.csv", "documents.txt"]
    assert at.keys("train/") == []


def test_the_same_documents_and_those_of_the_other_split_are_dropped() -> None:
    at = people()
    documents = annotated(count=160)
    at.upload("test/people.jsonl", as_json_lines(documents[:60]))
    at.upload("train/people.jsonl", as_json_lines(documents))
    at.upload("train/again.jsonl", as_json_lines(documents[100:]))
    record = at.run_turn()
    (train,) = [dataset for dataset in record.datasets if dataset.split is Split.TRAIN]
    assert train.documents == 100
    assert train.labels == {"PERSON": 100, "PLACE": 100}
    assert (record.leaked, record.duplicates) == ({"train": 60}, {"train": 60})


def test_other_annotations_of_a_text_are_a_conflict() -> None:
    at = people()
    at.upload("train/a.jsonl", as_json_lines(annotated(count=80)))
    at.let_pass(timedelta(seconds=5))
    at.upload("train/b.jsonl", as_json_lines(annotated(count=3, wrong=True)))
    record = at.run_turn()
    assert record.conflicts == {"train": 3}
    assert record.conflict_examples[0].labels == ("PERSON", "PLACE")


def test_a_folder_of_many_files_is_looked_into_only_at_its_largest() -> None:
    at = people()
    rows = ["File,Begin Offset,End Offset,Type"]
    for number in range(230):
        text = f"Anna Albers wrote letter {number}." + " And so on." * 100
        at.upload(f"train/files/{number:03d}.txt", text.encode())
        rows.append(f"{number:03d}.txt,0,11,PERSON")
    assert at.poked().start
    (waits,) = at.run_turn().incomplete
    assert "annotations" in waits.missing
    at.let_pass(timedelta(seconds=5))
    at.upload("train/files/zz.gz", gzip.compress("\n".join(rows).encode()))
    record = at.run_turn()
    (result,) = record.uploads
    assert (result.outcome, result.documents, result.upload.folder) == (UploadOutcome.ACCEPTED, 230, ())
    assert at.keys("train/") == []


def test_operators_see_what_waits_though_they_may_read_no_document() -> None:
    at = people(minimum_documents_per_label=25)
    at.upload("train/first.jsonl", as_json_lines(annotated(count=15)))
    at.run_turn()
    at.upload("train/second.jsonl", as_json_lines(annotated(start=5, count=15)))
    at.run_turn()
    with at.people.acting("Operators"):
        found = status(at.operator, now=at.now())
    (waiting,) = [one for one in found.prepared if one.split is Split.TRAIN]
    assert (waiting.documents, waiting.copies) == (20, 10)
    assert [(one.label, one.documents) for one in waiting.labels] == [("PERSON", 20), ("PLACE", 20)]
    assert not found.next_turn.due
    at.upload("train/third.jsonl", as_json_lines(annotated(start=20, count=30)))
    at.run_turn()
    at.check_consistency()
    assert len(at.registered()) == 50
