"""One upload never stops another: what cannot be handled, read or named is set aside, and the rest goes on."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from flywheel.preparation import prepare
from flywheel.records.turns import TurnRecord
from flywheel.records.uploads import UploadOutcome, UploadResult, rejected_folder
from flywheel.turn import start_turn
from flywheel.uploads.faults import UnreadableUpload
from ops.verbs.prepared import UploadState, uploads_waiting
from tests.pipeline.deployed import Deployment, result_of
from tests.pipeline.documents import LABELS, documents
from tests.simulation.api import ApiError
from tests.simulation.functions import Context

FIRST = documents(*LABELS, count=10)
SECOND = documents(*LABELS, start=10, count=10)


@pytest.fixture
def at() -> Deployment:
    return Deployment()


@pytest.mark.parametrize(
    "line",
    [
        rb'{"label":"\ud83d","text":"a"}',
        rb'{"label":"BUSINESS","text":"\ud83d"}',
        rb'{"\ud83d":"BUSINESS","text":"a"}',
        rb'{"labels":["\udc00"],"text":"a"}',
        rb'{"label":"BUSINESS","labels":["\ud83d"],"text":"\ud83d"}',
    ],
)
def test_half_a_character_is_a_bad_line_that_stops_nothing(at: Deployment, line: bytes) -> None:
    at.upload("train/0-broken.jsonl", (line + b"\n") * 20)
    at.upload("train/1-good.csv", FIRST)
    record = at.run_turn()
    broken = result_of(record, "train/0-broken.jsonl")
    assert (broken.outcome, sum(broken.bad_lines.values())) == (UploadOutcome.REJECTED, 20)
    assert at.logged("upload not prepared") == []
    assert at.registered() == sorted(FIRST)
    at.check_consistency()


def test_what_the_code_cannot_handle_is_rejected_with_its_original(
    at: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_for_the_first(**arguments: Any) -> Any:
        if arguments["name"] == "0-broken.csv":
            raise UnicodeEncodeError("utf-8", "\ud83d", 0, 1, "surrogates not allowed")
        return prepare(**arguments)

    monkeypatch.setattr("flywheel.preparation.prepare", fails_for_the_first)
    at.upload("train/0-broken.csv", SECOND)
    at.upload("train/1-good.csv", FIRST)
    record = at.run_turn()
    broken = result_of(record, "train/0-broken.csv")
    assert broken.outcome is UploadOutcome.REJECTED
    assert "Internal error" in broken.reason
    (logged,) = at.logged("upload not prepared")
    assert "train/0-broken.csv" in logged
    assert "UnicodeEncodeError" in logged
    folder = rejected_folder(broken.upload)
    assert at.keys(folder) == [f"{folder}original/0-broken.csv", f"{folder}report.json", f"{folder}report.txt"]
    assert b"Internal error" in at.bucket.read_bytes(f"{folder}report.txt")
    assert at.registered() == sorted(FIRST)
    at.check_consistency()


def unreadable(at: Deployment, how: str) -> None:
    """S3's answers to who has not the customer's key, or has not restored what is archived."""
    version = at.upload("train/0-locked.csv", b"x")
    error = {
        "SSE-C": ApiError("InvalidRequest", "The object was stored using a form of Server Side Encryption."),
        "GLACIER": ApiError(
            "InvalidObjectState", "The operation is not valid for the object's storage class", status=403
        ),
    }[how]
    for operation in ("GetObject", "CopyObject", "UploadPartCopy"):
        at.world.refused[operation, "train/0-locked.csv", version] = error


def waiting(at: Deployment) -> list[tuple[str, UploadState]]:
    return [(upload.key, upload.state) for upload in uploads_waiting(at.bucket, turn_runs=False)]


@pytest.mark.parametrize("how", ["SSE-C", "GLACIER"])
def test_an_upload_that_cannot_be_read_stays_is_reported_and_is_not_tried_for_ever(at: Deployment, how: str) -> None:
    unreadable(at, how)
    at.upload("train/1-good.csv", FIRST)
    record = at.run_turn()
    locked = result_of(record, "train/0-locked.csv")
    assert locked.outcome is UploadOutcome.UNREADABLE
    assert "upload it again" in locked.reason
    assert at.keys("train/") == ["train/0-locked.csv"], "nothing that was uploaded is lost"
    folder = rejected_folder(locked.upload)
    assert at.bucket.require(f"{folder}report.json", UploadResult) == locked
    (logged,) = at.logged("upload not prepared")
    assert UnreadableUpload.__name__ in logged
    assert at.registered() == sorted(FIRST)
    # It starts no turn, and the turns of others leave it alone.
    assert not at.poked().start
    assert "1 upload could not be prepared" in at.poked().reason
    at.upload("train/2-good.csv", SECOND)
    following: TurnRecord = at.run_turn()
    assert [result.upload.key for result in following.uploads] == ["train/2-good.csv"]
    assert not at.poked().start
    assert waiting(at) == [("train/0-locked.csv", UploadState.UNREADABLE)]
    # An operator's turn tries it again, and a new version is a new upload.
    at.request_turn()
    assert result_of(at.run_turn(), "train/0-locked.csv").outcome is UploadOutcome.UNREADABLE
    at.upload("train/0-locked.csv", documents(*LABELS, start=100))
    assert at.poked(start_turn.Poke.UPLOAD).start
    assert result_of(at.run_turn(), "train/0-locked.csv").outcome is UploadOutcome.ACCEPTED
    at.check_consistency()


def test_a_name_as_long_as_a_key_can_be_is_rejected_under_a_shorter_one(at: Deployment) -> None:
    for name in ("n" * 1000, "\u00e9" * 500 + ".csv", f"{'d' * 500}/{'e' * 500}.csv"):
        at.upload(f"train/{name}", b"only one column\n" * 20)
    at.upload("train/good.csv", FIRST)
    record = at.run_turn()
    assert record.counts.outcomes == {UploadOutcome.REJECTED: 3, UploadOutcome.ACCEPTED: 1}
    originals = [key.rpartition("/")[2] for key in at.keys("rejected/") if "/original/" in key]
    assert all(len(name.encode()) <= 200 for name in originals)
    assert sum(name.endswith(".csv") for name in originals) == 2
    assert at.registered() == sorted(FIRST)
    at.check_consistency()


def test_an_upload_that_takes_too_long_is_rejected_if_it_had_the_time_for_itself(
    at: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda _: 100_000)
    at.upload("train/slow.csv", FIRST)
    slow = result_of(at.run_turn(), "train/slow.csv")
    assert slow.outcome is UploadOutcome.REJECTED
    assert "split it" in slow.reason
    assert len(at.keys(f"{rejected_folder(slow.upload)}original/")) == 1
    at.check_consistency()


def test_an_upload_for_which_no_time_is_left_is_the_next_invocations(
    at: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    at.upload("train/0-quick.csv", FIRST)
    at.upload("train/1-slow.csv", SECOND)
    asked: Counter[str] = Counter()

    def remaining(context: Context) -> int:
        """Of the first invocation the time is almost over when it comes to the second upload."""
        asked[context.aws_request_id] += 1
        return 900_000 if len(asked) > 1 or asked[context.aws_request_id] <= 2 else 100_000

    monkeypatch.setattr(Context, "get_remaining_time_in_millis", remaining)
    record = at.run_turn()
    assert at.world.retries["PrepareTrainUpload", "ServiceBusy"] == 1
    assert record.counts.outcomes == {UploadOutcome.ACCEPTED: 2}
    at.check_consistency()
