"""Which items of the queue a reviewer gets next: the worst first, near-duplicates once, some taken at random."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from flywheel.records.review import Lane, Place
from flywheel.text.similarity import NEARLY_THE_SAME, differing_bits

AUDIT_SHARE = 10
"""Of so many items one is from the lane AUDIT, as long as it has some."""
_IN_ORDER = tuple(lane for lane in Lane if lane is not Lane.AUDIT)


def choose(
    lanes: Mapping[Lane, Sequence[Place]],
    *,
    held: Collection[tuple[Lane, int]],
    count: int,
    taken: Collection[str] = (),
) -> list[Place]:
    """At most `count` places, of those that the reviewer may have.

    `held` has lane and simhash of the items that they hold; `taken` are items that they hold, or could not get.
    """
    chosen: list[Place] = []
    met = [similarity for _, similarity in held]

    def take(places: Iterable[Place], most: int) -> None:
        for place in places:
            if len(chosen) >= most:
                return
            if place.item in taken or place.item in {each.item for each in chosen}:
                continue
            if any(differing_bits(place.similarity, other) <= NEARLY_THE_SAME for other in met):
                continue
            chosen.append(place)
            met.append(place.similarity)

    audits = lanes.get(Lane.AUDIT, ())
    wanted = _audits_wanted(audits, held=held, count=count)
    take(audits, wanted)
    random = list(chosen)
    # The last lane comes after all others, also after what is left of AUDIT.
    take(chain(_ordered(lanes, _IN_ORDER[:-1]), audits, lanes.get(_IN_ORDER[-1], ())), count)
    return [place for place in chosen if place not in random] + random


def _ordered(lanes: Mapping[Lane, Sequence[Place]], order: Sequence[Lane]) -> Iterator[Place]:
    return chain.from_iterable(lanes.get(lane, ()) for lane in order)


def _audits_wanted(audits: Sequence[Place], *, held: Collection[tuple[Lane, int]], count: int) -> int:
    """So many that one of ten items that the reviewer then holds is from AUDIT. A rest is decided by the item."""
    if not audits:
        return 0
    whole, rest = divmod(count + len(held), AUDIT_SHARE)
    share = whole + (int(audits[0].item[:8], 16) % AUDIT_SHARE < rest)
    return max(0, min(count, share - sum(lane is Lane.AUDIT for lane, _ in held)))
