"""Claims about executions of the state machines."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tests.simulation.claims.broken import require

if TYPE_CHECKING:
    from tests.simulation.simulation import Situation

_PASSES = frozenset({"ServiceFault", "ServiceBusy"})


def no_state_gives_up_at_once(situation: Situation) -> None:
    """What a service cannot do at the moment is asked for again."""
    for execution in situation.world.states.executions.values():
        if execution.status not in ("SUCCEEDED", "FAILED") or execution.redrive_count:
            # Who was stopped did not give up.
            continue
        failed: defaultdict[str, set[str]] = defaultdict(set)
        events: Counter[tuple[str, str]] = Counter()
        for event in execution.history:
            if event.state is not None:
                events[event.state, event.type] += 1
                if event.type == "TaskFailed" and event.details is not None:
                    failed[event.state].add(str(event.details["Error"]))
        for state, errors in failed.items():
            again = events[state, "TaskScheduled"] > events[state, "TaskStateEntered"]
            require(again or not errors & _PASSES, f"{execution.name} gave up in {state}: {errors}")
