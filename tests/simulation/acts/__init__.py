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
GROUPS = {**operators.GROUPS, **deployers.GROUPS, **reviewers.GROUPS}
"""Whose managed policies together are enough for an act (docs/security.md, "Who may do what"); nobody's where there is
none."""
_UPLOADERS = {"train": ("TrainingUploaders",), "test": ("TestUploaders",)}


def groups_of(act: Act) -> tuple[str, ...]:
    """Empty: nobody's are enough."""
    if act.kind == "upload" and act.file is not None:
        return _UPLOADERS.get(act.file.split, ())
    return GROUPS.get(act.kind, ())
