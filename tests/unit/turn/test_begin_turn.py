"""Which versions a turn collects, and how they are shared out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from flywheel.records.uploads import Split, Upload
from flywheel.turn.begin_turn import _batches, _present
from flywheel.uploads.replaced import Version

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
