"""How the queue is, by one request for each lane."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.records.review import ANSWERED, CLAIMED, GUIDELINES_KEY, WAITING, Lane

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket


@dataclass(frozen=True, kw_only=True)
class Count:
    number: int
    more: bool = False
    """There are more than these 1,000."""


@dataclass(frozen=True, kw_only=True)
class QueueDescription:
    waiting: dict[Lane, Count]
    claimed: Count
    answered: Count
    """Agreed on, and not published."""
    oldest_answer: datetime | None
    """When the first of these was given, as far as they are counted."""


def describe_queue(intake: IntakeBucket) -> QueueDescription:
    def count(prefix: str) -> Count:
        found, more = intake.first_page(prefix)
        return Count(number=len(found), more=more)

    answered, more = intake.first_page(ANSWERED)
    return QueueDescription(
        waiting={lane: count(f"{WAITING}{lane}/") for lane in Lane},
        claimed=count(CLAIMED),
        answered=Count(number=len(answered), more=more),
        oldest_answer=min((found["LastModified"] for found in answered), default=None),
    )


def guidelines(intake: IntakeBucket) -> str | None:
    """The guidelines for reviewers, in Markdown; None if there are none."""
    found = intake.read_bytes_if_there(GUIDELINES_KEY)
    return found.decode(errors="replace") if found is not None else None
