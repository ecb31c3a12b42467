"""`python -m tests.simulation --seed 8231` tells a schedule's story; `--seeds 10000` runs many."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.simulation.coverage import places
from tests.simulation.explained import judge
from tests.simulation.installation import installed
from tests.simulation.many import run_many, run_plan
from tests.simulation.schedule.plan import draw_plan
from tests.simulation.shrink import shrunk
from tests.simulation.story import lines
from tests.simulation.unreached_places import OFTEN, UNREACHED
from tests.simulation.unused_grants import UNUSED


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="tell the story of this one")
    parser.add_argument("--unbounded", action="store_true", help="faults never end, and neither need the pipeline")
    parser.add_argument("--whole", action="store_true", help="do not cut a failing schedule down")
    parser.add_argument("--seeds", type=int, default=0, help="run so many, in both modes")
    parser.add_argument("--until-broken", action="store_true", help="end with the first that is broken")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--processes", type=int)
    parser.add_argument("--visits", type=Path, help="write how often each place was reached into this file")
    parser.add_argument(
        "--floor", type=int, default=0, help="every place is reached so often, every grant is used, or has a reason"
    )
    given = parser.parse_args()
    if given.seed is not None:
        return tell(given.seed, bounded=not given.unbounded, whole=given.whole)
    return run_all(
        given.first_seed,
        given.seeds,
        processes=given.processes,
        until_broken=given.until_broken,
        floor=given.floor,
        visits=given.visits,
    )


def tell(seed: int, *, bounded: bool, whole: bool) -> int:
    with installed():
        found = run_plan(draw_plan(seed, bounded=bounded))
        if found.broken is not None and not whole:
            found = shrunk(found, run_plan)
    for line in lines(found):
        sys.stdout.write(f"{line}\n")
    return 1 if found.broken else 0


def run_all(
    first: int, count: int, *, processes: int | None, until_broken: bool, floor: int, visits: Path | None
) -> int:
    schedules = [(seed, bounded) for seed in range(first, first + count) for bounded in (True, False)]
    figures = None
    told, line = 0, ""
    for figures, seconds in run_many(schedules, processes=processes):
        for seed, bounded, claim, message in figures.broken[told:]:
            mode = "" if bounded else " --unbounded"
            sys.stdout.write(f"--seed {seed}{mode}: {claim}: {message[:300]}\n")
        told = len(figures.broken)
        if told and until_broken:
            break
        ran = figures.schedules
        line = (
            f"{ran} of {len(schedules)} schedules, {len(figures.broken)} broken, {seconds:.0f} s, "
            f"{ran / seconds:.2f} a second, {figures.events // ran} events and {figures.requests // ran} requests a "
            "schedule\n"
        )
        sys.stdout.write(line)
        sys.stdout.flush()
    if figures is None:
        return 1
    grants = judge(figures.granted, figures.grants, needed=1, often=floor, reasons=UNUSED)
    for grant in grants.unexplained:
        sys.stdout.write(f"unused: {grant}\n")
    wanted = places(figures.visits) if floor else set()
    few = judge(wanted, figures.visits, needed=floor, often=OFTEN * floor, reasons=UNREACHED)
    for place in few.unexplained:
        sys.stdout.write(f"{place}: reached {figures.visits[place]} times, which is fewer than {floor}\n")
    idle = {**{pattern: UNUSED[pattern] for pattern in grants.idle}, **{each: UNREACHED[each] for each in few.idle}}
    for pattern, reason in idle.items() if floor else ():
        sys.stdout.write(f"the reason is idle: {pattern}: {reason}\n")
    if visits is not None:
        counted = sorted(figures.visits.items())
        visits.write_text("".join(f"{times}\t{place}\n" for place, times in counted), encoding="utf-8")
    unused = len(figures.granted - figures.grants.keys())
    sys.stdout.write(f"{len(figures.granted)} grants, of which {unused} are unused\n{line}")
    unanswered = floor and (grants.unexplained or few.unexplained or idle)
    return 1 if figures.broken or unanswered else 0


if __name__ == "__main__":
    sys.exit(main())
