"""What schedules leave out has a reason, by a pattern: a grant that none uses, a place that none reaches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, kw_only=True)
class Judgement:
    unexplained: list[str]
    """What schedules left out, and no reason is about; the most seldom first."""
    idle: list[str]
    """Patterns of reasons that are about nothing, or only about what schedules often come to."""


def judge(
    there: Iterable[str], times: Mapping[str, int], *, needed: int, often: int, reasons: Mapping[str, str]
) -> Judgement:
    """Less than `needed` times needs a reason. For what schedules seldom come to, one may stand up to `often` times."""
    of_reasons: dict[str, list[str]] = {pattern: [] for pattern in reasons}
    unexplained = []
    for each in sorted(there):
        about = [pattern for pattern in reasons if fnmatchcase(each, pattern)]
        for pattern in about:
            of_reasons[pattern].append(each)
        if not about and times.get(each, 0) < needed:
            unexplained.append(each)
    return Judgement(
        unexplained=sorted(unexplained, key=lambda each: times.get(each, 0)),
        idle=[pattern for pattern, found in of_reasons.items() if all(times.get(each, 0) >= often for each in found)],
    )
