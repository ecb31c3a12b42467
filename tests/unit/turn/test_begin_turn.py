"""Which versions a turn collects, and how they are shared out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from hypothesis import given
from hypothesis import strategies as st

from flywheel.records.turns import TurnBeginning
from flywheel.records.uploads import Split, Upload
from flywheel.turn.begin_turn import _batches, _present, write_batches
from flywheel.uploads.replaced import Version

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket

START = datetime(2026, 11, 21, tzinfo=UTC)
MEBIBYTE = 1024**2


def upload(number: int, *, size: int = 1, minute: int = 0) -> Upload:
    return Upload(
        key="train/a.csv",
        split=Split.TRAIN,
        version_id=f"v{number}",
        etag=f'"{number}"',
        size=size,
        last_modified=START + timedelta(minutes=minute),
    )


@given(sizes=st.lists(st.integers(0, 600 * MEBIBYTE) | st.integers(0, 10), max_size=400))
def test_batches_hold_every_upload_once_in_order_within_the_limits(sizes: list[int]) -> None:
    uploads = [upload(number, size=size) for number, size in enumerate(sizes)]
    batches = list(_batches(uploads))
    assert [found for batch in batches for found in batch] == uploads
    for batch in batches:
        assert 1 <= len(batch) <= 100
        assert len(batch) == 1 or sum(found.size for found in batch) <= 256 * MEBIBYTE


def test_small_uploads_share_a_batch() -> None:
    assert [len(batch) for batch in _batches(upload(number) for number in range(250))] == [100, 100, 50]


def test_a_batch_has_no_room_for_the_files_of_a_folder() -> None:
    files = [upload(number).model_copy(update={"key": f"train/letters/{number}.txt"}) for number in range(5_000)]
    folder = Upload.of_folder("train/letters/", files)
    written: dict[str, Any] = {}
    beginning = TurnBeginning(
        turn="turn-000001", began_at=START, flywheel_arn="f", labels=(), multi_label=False, uploads=(folder,)
    )
    write_batches(cast("IntakeBucket", _Written(written)), beginning, Split.TRAIN)
    (item,) = written["turns/turn-000001/train-batches.json"]
    assert len(json.dumps(item)) < 1_000
    (named,) = item["uploads"]
    assert Upload.model_validate(named).id == folder.id


class _Written:
    name = "intake"

    def __init__(self, written: dict[str, Any]) -> None:
        self._written = written

    def write_json(self, key: str, value: Any) -> None:
        self._written[key] = value


def versions(history: list[bool]) -> tuple[list[Version], list[datetime]]:
    """One version a minute, True an upload and False a deletion; newest first, and when deletions were."""
    uploads = [
        (upload(minute, minute=minute), minute == len(history) - 1)
        for minute, is_upload in enumerate(history)
        if is_upload
    ]
    markers = [START + timedelta(minutes=minute) for minute, is_upload in enumerate(history) if not is_upload]
    return list(reversed(uploads)), markers


@given(history=st.lists(st.booleans(), min_size=1, max_size=8))
def test_the_latest_version_is_collected_and_those_since_the_last_deletion_are_replaced(history: list[bool]) -> None:
    current, older = _present(*versions(history))
    if not history[-1]:
        assert (current, older) == (None, [])
        return
    assert current == upload(len(history) - 1, minute=len(history) - 1)
    since = max((minute for minute, is_upload in enumerate(history) if not is_upload), default=-1)
    for found in older:
        assert found.replaced_by is not None
        assert found.replaced_by.version_id == f"v{int(found.version_id[1:]) + 1}"
    assert {found.version_id for found in older} == {f"v{minute}" for minute in range(since + 1, len(history) - 1)}


def test_what_was_collected_before_is_not_replaced() -> None:
    _, older = _present(*versions([True, False, True]))
    assert older == []
