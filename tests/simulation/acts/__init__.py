"""What is done to a deployment, by the kind of the act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.acts import analyses, api_users, deployers, endpoints, operators, reviewers

if TYPE_CHECKING:
    from tests.simulation.schedule.act import Act

ACTS = {
    **operators.ACTS,
    **deployers.ACTS,
    **reviewers.ACTS,
    **api_users.ACTS,
    **analyses.ACTS,
    **endpoints.ACTS,
}
GROUPS = {**operators.GROUPS, **deployers.GROUPS}
"""Whose managed policy is enough for an act (docs/security.md, "Who may do what"); nobody's where there is none."""


def group_of(act: Act) -> str:
    """Empty: nobody's is enough."""
    if act.kind == "upload" and act.file is not None:
        return {"train": "TrainingUploaders", "test": "TestUploaders"}.get(act.file.split, "")
    return GROUPS.get(act.kind, "")
