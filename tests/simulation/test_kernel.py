"""The order of what happens is the seed's, however the kernel gets there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.simulation.kernel import BEGINNING, Kernel, Stopped

END = BEGINNING + 60
Happened = list[tuple[float, str, object]]


def _happened(seed: int, run: Callable[[Kernel, Happened], None]) -> Happened:
    """What three processes, a timer and somebody who kills one of them do."""
    kernel, found = Kernel(seed), list[tuple[float, str, object]]()
    draw = kernel.random("test")

    def work(name: str) -> None:
        for number in range(20):
            kernel.sleep(draw.choice((0, 0, 0.5, 1, 3)))
            found.append((kernel.now, name, number))

    def until_killed() -> None:
        with suppress(Stopped):
            work("killed")
        found.append((kernel.now, "killed", "ends"))
        kernel.sleep(2)
        found.append((kernel.now, "killed", "has cleaned up"))

    for name in ("one", "other"):
        kernel.start(lambda name=name: work(name), name=name, after=draw.random())  # type: ignore[misc]  # a default binds it
    victim = kernel.start(until_killed, name="killed")
    kernel.later(draw.choice((0, 2, 7)), victim.kill)
    for second in range(0, 60, 7):
        kernel.later(second, lambda: found.append((kernel.now, "timer", kernel.random("timer").random())))
    run(kernel, found)
    return [*found, (kernel.now, "end", kernel.random("order").random())]


def _step_by_step(kernel: Kernel, _: Happened) -> None:
    while kernel.due is not None and kernel.due <= END:
        kernel.step()
    kernel.run_until(END)


@pytest.mark.parametrize("seed", range(20))
def test_sleeping_through_is_as_giving_way_and_being_resumed(seed: int) -> None:
    assert _happened(seed, lambda kernel, _: kernel.run_until(END)) == _happened(seed, _step_by_step)


@pytest.mark.parametrize("seed", range(20))
def test_whoever_looks_sees_each_change_when_it_has_happened(seed: int) -> None:
    looks: dict[str, list[tuple[float, int]]] = {"stepping": [], "running": []}

    def stepping(kernel: Kernel, found: Happened) -> None:
        seen = 0
        while kernel.due is not None and kernel.due <= END:
            kernel.step()
            if len(found) != seen:
                seen = len(found)
                looks["stepping"].append((kernel.now, seen))
        kernel.run_until(END)

    def running(kernel: Kernel, found: Happened) -> None:
        seen = [0]

        def look() -> None:
            seen[0] = len(found)
            looks["running"].append((kernel.now, seen[0]))

        kernel.run_until(END, unseen=lambda: len(found) != seen[0], look=look)

    assert _happened(seed, running) == _happened(seed, stepping)
    assert looks["running"] == looks["stepping"]
