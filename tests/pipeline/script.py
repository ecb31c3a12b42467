"""Calm weather, but for what a test wants to happen at an exact place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tests.simulation.functions import FunctionKilled
from tests.simulation.weather import Weather

if TYPE_CHECKING:
    from tests.simulation.acting import Acting
    from tests.simulation.kernel import Kernel

_TELLS = "Publish"
"""What people are told changes nothing."""


class HeldUp:
    """A function that does not send its next request until it is let go."""

    def __init__(self, kernel: Kernel, who: str) -> None:
        self._kernel = kernel
        self.who = who
        self._ticket = kernel.current.ticket()

    def wait(self) -> None:
        self._kernel.current.give_way()

    def let_go(self) -> None:
        self._kernel.later(0, self._ticket)


class Script(Weather):
    """People, machines and Comprehend are left alone: what is said here happens to functions."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.changes: list[str] = []
        """What functions asked for and got since `kill`, in order: operations that may have changed something."""
        self.killed: list[str] = []
        """Functions that were killed since then."""
        self.events_take = 0.5
        """Seconds until an event of EventBridge arrives."""
        self.loses_events = False
        """Those of EventBridge."""
        self.held: list[HeldUp] = []
        self._kill_after: int | None = None
        self._kills = 0
        self._only: str | None = None
        self._survived: Counter[str] | None = None
        """How many changes a function may make before it is killed, by its name."""
        self._made: Counter[str] = Counter()
        """By invocation."""
        self._hold: tuple[str, int] | None = None
        self._requests = 0
        self._before: dict[str, Callable[[], None]] = {}
        self._unanswered: bool | None = None

    def kill(self, *, after: int | None = None, times: int = 1, function: str | None = None) -> None:
        """So many functions, or only those of a name, each before its next change once functions have changed something
        `after` times.

        Killed after a change was answered, and before the next is sent, leave the same behind: what is in memory is
        lost either way. So one kill for each number, from 0 on, is every place at which a function can die. None:
        from here on nobody.
        """
        self.changes, self.killed = [], []
        self._kill_after, self._kills, self._survived, self._only = after, times, None, function

    def kill_everywhere(self) -> None:
        """Each function before its first change, the next time before its second, and so on until it is through."""
        self.kill()
        self._survived = Counter()

    def hold(self, function: str, *, before: int) -> None:
        """The next invocation of the function (`begin_turn`), before its request of this number, from 0 on."""
        self._hold, self._requests = (function, before), 0

    def before(self, operation: str, do: Callable[[], None]) -> None:
        """Once, right before a function sends the next request of this kind. `do` may wait."""
        self._before[operation] = do

    def lose_answers(self) -> None:
        """Step Functions gets no answer of every second invocation, beginning with the next, and invokes again."""
        self._unanswered = True

    def before_request(self, service: str, operation: str, who: Acting, *, changes: bool) -> float:
        if "#" not in who.who:
            return 0.0
        self._maybe_hold(who.who)
        if operation in self._before:
            self._before.pop(operation)()
        if changes and operation != _TELLS and self._dies(who.who):
            self.killed.append(who.who)
            raise FunctionKilled(f"{who.who} was killed before {service}:{operation}.")
        return 0.0

    def _dies(self, who: str) -> bool:
        if self._survived is not None:
            function = who.split("#")[0]
            if self._made[who] < self._survived[function]:
                return False
            self._survived[function] += 1
            return True
        if self._only not in (None, who.split("#")[0]):
            return False
        if self._kill_after is None or not self._kills or len(self.changes) < self._kill_after:
            return False
        self._kills -= 1
        return True

    def _maybe_hold(self, who: str) -> None:
        if self._hold is None or who.split("#")[0] != self._hold[0]:
            return
        if self._requests == self._hold[1]:
            self._hold = None
            held = HeldUp(self._kernel, who)
            self.held.append(held)
            held.wait()
        self._requests += 1

    def after_request(self, service: str, operation: str, who: Acting, *, changes: bool) -> float:  # noqa: ARG002
        if "#" in who.who and changes and operation != _TELLS:
            self.changes.append(operation)
            self._made[who.who] += 1
        return 0.0

    def deliveries(self, rule: str) -> Sequence[float]:  # noqa: ARG002 - all are alike
        return () if self.loses_events else (self.events_take,)

    def unanswered_invocation(self) -> bool:
        if self._unanswered is None:
            return False
        lost, self._unanswered = self._unanswered, not self._unanswered
        return lost
