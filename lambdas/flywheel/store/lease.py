"""A lock in the intake bucket, for changes that Comprehend itself does not serialise. It expires if its holder dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flywheel.faults.errors import ServiceBusy
from flywheel.store.record import Record

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket


class Lease(Record):
    holder: str
    until: datetime


@contextmanager
def held(key: str, *, holder: str, intake: IntakeBucket, now: datetime, lasts: timedelta) -> Iterator[None]:
    """Hold the lock at `key`. `lasts` must be longer than the holder can run. Raises ServiceBusy while another
    holds it."""
    lease = Lease(holder=holder, until=now + lasts)
    if not intake.write_once(key, lease):
        found = intake.read_with_etag(key, Lease)
        if found is not None and found[0].until > now:
            raise ServiceBusy(f"{found[0].holder} is changing the same, until {found[0].until:%H:%M:%S} UTC at most.")
        taken = intake.write_if_unchanged(key, lease, found[1]) if found else intake.write_once(key, lease)
        if not taken:
            raise ServiceBusy("Somebody else began to change the same just now.")
    try:
        yield
    finally:
        mine = intake.read_with_etag(key, Lease)
        if mine is not None and mine[0] == lease:
            intake.delete_if_unchanged(key, mine[1])
