"""Draws many uploads: of one folder that somebody copies, or of many people over the day."""

from __future__ import annotations

from tests.simulation.schedule.act import Act
from tests.simulation.schedule.documents import Author
from tests.simulation.schedule.plan import HOUR
from tests.simulation.schedule.wings import Drawn, Scene

_SHARE = 0.04
_FIRST_NUMBER = 700_000
"""Of its texts, so that they are nobody else's."""


def draw(scene: Scene) -> Drawn:
    draw = scene.random
    if not scene.active(_SHARE):
        return Drawn()
    author = Author(random=draw, kind=scene.kind, labels=scene.labels, count=_FIRST_NUMBER)
    begin, takes = draw.uniform(0, HOUR), draw.choice((30.0, HOUR, scene.length - HOUR))
    acts = []
    for number in range(draw.choice((30, 60, 180))):
        split = draw.choices(("train", "test"), (9, 1))[0]
        name = f"many-{draw.randrange(number + 1) if draw.random() < 0.1 else number:03d}"
        bad, repeat = draw.choice((0, 0, 0, 1)), draw.choice((0, 0, 1))
        file = author.file(split, name, per_label=draw.choice((1, 1, 2)), bad=bad, repeat=repeat)
        acts.append(Act(at=begin + draw.uniform(0, takes), kind="upload", file=file))
    deleted = [begin + draw.uniform(0, takes) for _ in range(draw.choice((0, 0, 5)))]
    return Drawn(acts=acts + [Act(at=at, kind="delete an upload", chance=draw.random()) for at in deleted])
