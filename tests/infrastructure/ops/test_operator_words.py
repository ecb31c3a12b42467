"""Names of states that the operator's command line goes by."""

from __future__ import annotations

from flywheel.promotions.ask_for_approval import DECLINED
from ops.verbs.promotions import ASK_FOR_APPROVAL
from tests.infrastructure.synthesised import Synthesised


def test_the_state_that_waits_for_a_person_has_the_name_that_status_knows(default: Synthesised) -> None:
    definitions = [default.definition(machine) for machine in ("Turn", "Promote")]
    waiting = [
        (name, state)
        for definition in definitions
        for name, state in definition["States"].items()
        if "waitForTaskToken" in str(state.get("Resource"))
    ]
    assert [name for name, _ in waiting] == [ASK_FOR_APPROVAL]
    assert [DECLINED] in [caught["ErrorEquals"] for _, state in waiting for caught in state["Catch"]]
