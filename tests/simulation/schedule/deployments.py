"""Who deploys what when: other parameters, a new generation; and what is done where models are imported."""

from __future__ import annotations

import random
from collections.abc import Mapping

from tests.simulation.schedule import parameters
from tests.simulation.schedule.act import Act
from tests.simulation.schedule.documents import Author, File

Values = dict[str, str]
_IMPORTING = {
    "approve": 3,
    "decline": 1,
    "roll back": 2,
    "edit desired-model-arn": 1,
    "import a version": 3,
    "change a parameter": 2,
    "delete an old model": 1,
    "stop a promotion": 2,
    "stop a serving": 1,
    "redrive a promotion": 2,
    "start a promotion by hand": 1,
    "poke": 1,
    "look around": 1,
}
_CONSOLE = {
    "make a dataset in the console": 2,
    "start an iteration in the console": 2,
    "deny the flywheel its data": 1,
    "look around": 2,
    "look at what was rejected": 1,
    "publish answers": 1,
    "take an exclusion back": 1,
}


def drawn_importer(
    draw: random.Random, *, source: str, labels: tuple[str, ...]
) -> tuple[Mapping[str, Values], File | None]:
    """Parameters of the stacks where models are imported, and the smoke test's file if there is one."""
    drawn = {stack: parameters.drawn(draw, stack, imports=True) for stack in ("import", "serving", "analysis")}
    drawn["import"] |= parameters.source(source)
    if draw.random() < 0.5:
        return drawn, None
    drawn["import"]["SmokeTestKey"] = parameters.SMOKE_TEST_KEY
    author = Author(random=draw, kind="MULTI_CLASS", labels=labels)
    file = author.file("serving", "smoke", per_label=draw.randint(1, 4))
    return drawn, file


def generation_at(draw: random.Random, length: float) -> float | None:
    """When a new generation is deployed, if one is."""
    return draw.uniform(0.2, 0.8) * length if draw.random() < 0.15 else None


def serving_later(draw: random.Random, *, length: float) -> list[Act]:
    """Now and then the Serving stack is deployed only after there is a model."""
    return [Act(at=draw.uniform(0.2, 0.8) * length, kind="deploy serving")] if draw.random() < 0.06 else []


def acts(draw: random.Random, author: Author, *, length: float, importing: bool) -> list[Act]:
    """Of people who deploy, who go past the pipeline in the console, and who import."""
    count = draw.choice((0, 0, 1, 3))
    found = [_change(draw, draw.uniform(600, length), importing=False) for _ in range(count)]
    kinds = draw.choices(list(_CONSOLE), list(_CONSOLE.values()), k=draw.choice((0, 0, 1, 3)))
    for number, kind in enumerate(kinds):
        file = author.file("by-hand", f"by-hand-{number}", per_label=4) if kind.startswith("make a dataset") else None
        found.append(Act(at=draw.uniform(600, length), kind=kind, chance=draw.random(), file=file))
    if importing:
        found += _trust(draw, length)
        for kind in draw.choices(list(_IMPORTING), list(_IMPORTING.values()), k=draw.choice((0, 2, 5, 12))):
            at = draw.uniform(600, length)
            if kind == "change a parameter":
                found.append(_change(draw, at, importing=True))
            else:
                found.append(Act(at=at, kind=kind, chance=draw.random(), importing=True))
    return found


def answers(draw: random.Random, mode: str, *, length: float, importing: bool) -> list[Act]:
    """Where promotions wait for approval, people look now and then whether one does."""
    if mode != "APPROVAL" or draw.random() < 0.3:
        return []
    kinds = draw.choices(("approve", "decline"), (3, 1), k=6)
    return [
        Act(at=length * (number + draw.random()) / len(kinds), kind=kind, importing=importing)
        for number, kind in enumerate(kinds)
    ]


def _change(draw: random.Random, at: float, *, importing: bool) -> Act:
    stack, values = parameters.changed(draw, imports=importing)
    return Act(at=at, kind="change a parameter", detail={"stack": stack, "values": values}, importing=importing)


def _trust(draw: random.Random, length: float) -> list[Act]:
    values, often = parameters.TRUST
    return [
        Act(
            at=draw.uniform(600, length),
            kind="change a parameter",
            detail={"stack": "flywheel", "values": {"TrustedAccounts": draw.choices(values, often)[0]}},
        )
        for _ in range(draw.choice((0, 1, 3)))
    ]
