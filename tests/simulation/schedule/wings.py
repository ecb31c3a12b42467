"""What beside uploads and operators is drawn for a schedule: each wing is active in some schedules only."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.schedule.act import Act

Parameters = Mapping[str, Mapping[str, str]]
"""Values of the stacks' parameters, by "flywheel", "serving", "analysis"."""


@dataclass(kw_only=True)
class Drawn:
    """`parameters` go before what was drawn for all schedules."""

    acts: list[Act] = field(default_factory=list)
    parameters: dict[str, dict[str, str]] = field(default_factory=dict)
    improving: bool = False
    """Each training gives a better model than the one before, mostly."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a wing needs to know of the schedule."""

    random: random.Random
    """Of this wing alone."""
    kind: str
    """MULTI_CLASS, MULTI_LABEL or ENTITIES."""
    labels: tuple[str, ...]
    length: float
    """In seconds: when people stop."""


Wing = Callable[[Scene], Drawn]


def with_a_model(draw: random.Random) -> dict[str, str]:
    """Of the flywheel, for wings that can do little before a model is promoted."""
    return {
        "PromotionMode": draw.choice(("AUTOMATIC", "AUTOMATIC", "APPROVAL")),
        "MinimumScore": draw.choice(("0", "0.5")),
        "MinimumDocumentsPerLabel": draw.choice(("2", "4")),
        "TriggerOnUpload": "true",
    }


def draw_wings(seed: str, *, kind: str, labels: tuple[str, ...], length: float) -> Drawn:
    from tests.simulation.schedule import analyses, api_users, endpoints, reviewers, successors

    wings: Mapping[str, Wing] = {
        "reviewers": reviewers.draw,
        "api users": api_users.draw,
        "analyses": analyses.draw,
        "endpoints": endpoints.draw,
        "successors": successors.draw,
    }
    together = Drawn()
    for name, wing in wings.items():
        drawn = wing(Scene(random=random.Random(f"{seed}/{name}"), kind=kind, labels=labels, length=length))
        together.acts += drawn.acts
        together.improving = together.improving or drawn.improving
        for stack, values in drawn.parameters.items():
            together.parameters[stack] = {**together.parameters.get(stack, {}), **values}
    return together
