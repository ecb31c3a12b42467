"""What beside uploads and operators is drawn for a schedule: each wing is active in some schedules only."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.simulation.api import IMPORTER
from tests.simulation.schedule.parameters import IMPORT, OF_LEARNING

if TYPE_CHECKING:
    from tests.simulation.schedule.act import Act

Parameters = Mapping[str, Mapping[str, str]]
"""Values of the stacks' parameters, by "flywheel", "import", "serving", "analysis"."""


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
    imports: bool = False
    """Where models are imported: fewer schedules have such a place, so that more happens there."""

    def active(self, share: float) -> bool:
        """Whether a wing is, which is in so many schedules."""
        return self.random.random() < (2 * share if self.imports else share)


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
    from tests.simulation.schedule import analyses, api_users, colleagues, crowds, endpoints, reviewers, successors

    wings = {
        "reviewers": reviewers.draw,
        "api users": api_users.draw,
        "analyses": analyses.draw,
        "endpoints": endpoints.draw,
        "successors": successors.draw,
        "colleagues": colleagues.draw,
        "crowds": crowds.draw,
    }
    return _drawn(wings, seed, kind=kind, labels=labels, length=length)


def draw_importers(seed: str, *, labels: tuple[str, ...], length: float) -> Drawn:
    """What is done where models are imported: as where they are trained, but nobody there teaches a model."""
    from tests.simulation.schedule import analyses, api_users, colleagues, endpoints

    wings = {
        "api users there": api_users.draw,
        "analyses there": analyses.draw,
        "endpoints there": endpoints.draw,
        "colleagues there": colleagues.draw,
    }
    found = _drawn(wings, seed, kind="MULTI_CLASS", labels=labels, length=length, imports=True)
    of_learning = {name for names in OF_LEARNING.values() for name in names}
    there = {
        stack: {name: value for name, value in values.items() if name not in of_learning}
        for stack, values in found.parameters.items()
    }
    source = there.pop("flywheel", {})
    promotes = {name: value for name, value in source.items() if name in IMPORT}
    # Where nobody is trusted, nothing is imported.
    trusting = {"flywheel": {**source, "TrustedAccounts": IMPORTER}} if source else {}
    return Drawn(
        acts=[replace(act, importing=True) for act in found.acts if act.kind != "give feedback"],
        parameters={**there, "import": {**there.get("import", {}), **promotes}, **trusting},
    )


def _drawn(
    wings: Mapping[str, Wing], seed: str, *, kind: str, labels: tuple[str, ...], length: float, imports: bool = False
) -> Drawn:
    together = Drawn()
    for name, wing in wings.items():
        random_of_wing = random.Random(f"{seed}/{name}")
        drawn = wing(Scene(random=random_of_wing, kind=kind, labels=labels, length=length, imports=imports))
        together.acts += drawn.acts
        together.improving = together.improving or drawn.improving
        for stack, values in drawn.parameters.items():
            together.parameters[stack] = {**together.parameters.get(stack, {}), **values}
    return together
