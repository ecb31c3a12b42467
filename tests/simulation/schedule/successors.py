"""Draws a flywheel that learns again and again: several models become active one after the other, which is what roll
backs, withdrawals, old models and a smoke test's way back need."""

from __future__ import annotations

from tests.simulation.schedule.act import Act
from tests.simulation.schedule.documents import Author
from tests.simulation.schedule.wings import Drawn, Scene

_SHARE = 0.15
_DISTURBED = 0.4
"""So many of them have somebody who changes the model in the console while a promotion waits, and then one who approves
that."""
_LATER = 2400.0
_FIRST_NUMBER = 500_000
"""Texts are told apart by their numbers, also from those of the plan's own author."""


def draw(scene: Scene) -> Drawn:
    draw = scene.random
    if draw.random() >= _SHARE:
        return Drawn()
    found = Drawn(improving=True)
    author = Author(random=draw, kind=scene.kind, labels=scene.labels, count=_FIRST_NUMBER)
    uploads = draw.choice((3, 4, 6))
    for number in range(uploads):
        at = max(900.0, scene.length * (number + draw.random()) / uploads)
        file = author.file("train", f"more-{number}", per_label=draw.randint(4, 8))
        found.acts.append(Act(at=at, kind="upload", file=file))
    for _ in range(draw.choice((0, 1, 2))):
        at = draw.uniform(scene.length / 3, scene.length)
        found.acts.append(Act(at=at, kind="roll back", chance=draw.random()))
    found.parameters["flywheel"] = {
        "PromotionMode": draw.choice(("AUTOMATIC", "AUTOMATIC", "APPROVAL")),
        "Evidence": "ITERATION",
        "MinimumScore": "0",
        "MinimumImprovement": "0",
        "MaximumRegression": "1",
        "RequireSameTestData": "false",
        "MinimumDocumentsPerLabel": "2",
        "MinimumHoursBetweenIterations": "0",
        "TriggerOnUpload": "true",
    }
    if draw.random() < _DISTURBED:
        found.parameters["flywheel"] |= {"PromotionMode": "APPROVAL", "ApprovalHours": "72"}
        for _ in range(4):
            at = draw.uniform(scene.length / 4, scene.length)
            found.acts.append(Act(at=at, kind="change the model in the console", chance=draw.random()))
            found.acts.append(Act(at=at + _LATER, kind="approve", chance=draw.random()))
    return found
