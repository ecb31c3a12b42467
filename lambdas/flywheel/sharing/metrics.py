"""The metric of sharing for the alarm."""

from __future__ import annotations

from flywheel.measurement import Measurement


def of_sharing(*, behind: bool) -> Measurement:
    """1 while a policy is not as it should be, else 0. Announcements do not count: an account may have nobody who
    listens."""
    return Measurement(name="SharingBehind", value=int(behind))
