from __future__ import annotations

from fnmatch import fnmatchcase

from tests.simulation.coverage import places
from tests.simulation.unreached_places import UNREACHED


def test_each_reason_is_about_a_place() -> None:
    """That there is one no more shows here, and not only in the next nightly run."""
    there = places({})
    about_none = [pattern for pattern in UNREACHED if not any(fnmatchcase(place, pattern) for place in there)]
    assert about_none == []
