"""What a turn's record holds of its uploads, however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from flywheel.records.datasets import LABEL_SEPARATOR_IN_RECORDS
from flywheel.records.turns import TurnOutcome, TurnRecord
from flywheel.records.uploads import BadLine, Split, Upload, UploadOutcome, UploadResult
from flywheel.turn.uploads import OTHERS_IN_RECORD, UPLOADS_IN_RECORD, summarise

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LONG_NAME = "train/" + "n" * 1000


def result(number: int, outcome: UploadOutcome = UploadOutcome.ACCEPTED) -> UploadResult:
    bad = outcome in {UploadOutcome.REJECTED, UploadOutcome.PARTLY_ACCEPTED}
    example = BadLine(rule="unknown-label", message="m" * 300, fix="f" * 150, line=1, excerpt="e" * 80)
    return UploadResult(
        upload=Upload(
            key=f"{LONG_NAME}{number}", split=Split.TRAIN, version_id=f"{number}", etag="e", size=1, last_modified=NOW
        ),
        outcome=outcome,
        reason="said",
        documents=3,
        labels={f"A{LABEL_SEPARATOR_IN_RECORDS}{place}": 1 for place in range(1000)},
        duplicates=2,
        bad_lines={"unknown-label": 100} if bad else {},
        examples=(example,) * 100 if bad else (),
    )


def test_a_turn_of_few_uploads_holds_all_in_their_order() -> None:
    outcomes = [UploadOutcome.ACCEPTED, UploadOutcome.REJECTED, UploadOutcome.DUPLICATE]
    summary = summarise([result(number, outcome) for number, outcome in enumerate(outcomes)])
    assert [held.outcome for held in summary.results] == outcomes
    assert summary.counts.outcomes == dict.fromkeys(outcomes, 1)
    assert (summary.counts.documents, summary.counts.duplicates, summary.counts.bad_lines) == (9, 6, 100)
    assert len(summary.ids) == 3


def test_a_record_is_small_whatever_was_uploaded_and_holds_what_was_rejected_first() -> None:
    def uploaded() -> Iterator[UploadResult]:
        for number in range(1500):
            yield result(number, UploadOutcome.REJECTED if number % 3 == 2 else UploadOutcome.ACCEPTED)

    summary = summarise(uploaded())
    others = tuple(result(number).upload for number in range(OTHERS_IN_RECORD))
    record = TurnRecord(
        turn="turn-000001",
        outcome=TurnOutcome.SUCCEEDED,
        flywheel_arn="arn",
        began_at=NOW,
        ended_at=NOW,
        upload_counts=summary.counts,
        uploads=summary.results,
        unprepared=others,
        replaced=others,
    )
    assert len(record.model_dump_json()) < 1_000_000
    assert (len(summary.results), summary.counts.uploads) == (UPLOADS_IN_RECORD, 1500)
    assert {held.outcome for held in summary.results} == {UploadOutcome.REJECTED}
    assert summary.counts.outcomes == {UploadOutcome.ACCEPTED: 1000, UploadOutcome.REJECTED: 500}


def test_records_of_earlier_versions_are_counted_by_what_they_hold() -> None:
    record = TurnRecord(
        turn="turn-000001",
        outcome=TurnOutcome.SUCCEEDED,
        flywheel_arn="arn",
        began_at=None,
        ended_at=NOW,
        uploads=(result(1), result(2, UploadOutcome.REJECTED)),
        unprepared=(result(3).upload,),
    )
    assert record.counts.outcomes == {UploadOutcome.ACCEPTED: 1, UploadOutcome.REJECTED: 1}
    assert (record.counts.uploads, record.counts.unprepared, record.counts.replaced) == (2, 1, 0)
