"""Draws what reviewers do."""

from __future__ import annotations

from collections.abc import Sequence

from tests.simulation.schedule.act import Act
from tests.simulation.schedule.letters import Letters, Texts
from tests.simulation.schedule.plan import HOUR
from tests.simulation.schedule.wings import Drawn, Scene

NAMES = ("anna", "bert", "cleo", "dora")
_SHARE = 0.4


def draw(scene: Scene) -> Drawn:
    draw = scene.random
    if not scene.active(_SHARE):
        return Drawn()
    names = NAMES[: draw.randint(2, 4)]
    letters = Letters(random=draw, kind=scene.kind, labels=scene.labels, word="row")
    found = Drawn()

    def act(kind: str, at: float, **detail: object) -> None:
        found.acts.append(Act(at=at, kind=kind, chance=draw.random(), detail=detail))

    proposed = []
    for _ in range(draw.choice((2, 6, 12))):
        begin = draw.uniform(HOUR, scene.length)
        texts = letters.texts(1)
        proposed.append((begin, texts))
        act("propose", begin - draw.uniform(0, HOUR), who=draw.choice(names), texts=texts)
    sitting: dict[str, object]
    for _ in range(draw.choice((3, 6, 10))):
        begin, wrong = draw.uniform(HOUR, scene.length), draw.choice((0.0, 0.1, 0.5))
        sitting = {
            "count": draw.choice((1, 5, 10)),
            "batches": draw.randint(1, 3),
            # A claim lasts half an hour.
            "seconds": draw.choice((20, 120, 120, 3000)),
            "wrong": wrong,
            "until": scene.length,
        }
        if draw.random() < 0.3:
            act("forget a text", begin + draw.uniform(0, 5), by_text=draw.random() < 0.5)
        together = draw.sample(names, draw.choice((1, 1, 2)))
        if draw.random() < 0.1:
            # Two tabs of one person.
            together = [together[0], together[0]]
        for name in together:
            vanishes = {"vanishes": draw.uniform(0, 600)} if draw.random() < 0.25 else {}
            act("review", begin + draw.uniform(0, 5), who=name, **sitting, **vanishes)
    for _ in range(draw.choice((0, 1, 2))):
        act("publish what reviewers agreed on", draw.uniform(2 * HOUR, scene.length))
    for _ in range(draw.choice((0, 0, 1))):
        act("withdraw a reviewer", draw.uniform(2 * HOUR, scene.length), who=draw.choice(names))
    for _ in range(draw.choice((0, 1, 3))):
        act("forget a text", draw.uniform(HOUR, scene.length), by_text=draw.random() < 0.5)
    found.parameters["flywheel"] = {
        "ReviewersPerItem": draw.choice(("1", "1", "2", "3")),
        "ReviewTestPercent": draw.choice(("0", "20", "50")),
        "ReviewPublishDays": draw.choice(("1", "7")),
    }
    if draw.random() < 0.3:
        act("write guidelines for reviewers", draw.uniform(0, scene.length))
    _add_feedback(found, scene, draw.sample(proposed, draw.choice((0, 2))))
    return found


def _add_feedback(found: Drawn, scene: Scene, proposed: Sequence[tuple[float, Texts]]) -> None:
    """About texts that somebody may have claimed at that time: it says something else than who proposed them."""
    draw = scene.random
    for begin, texts in proposed:
        said = {"texts": texts, "labels": scene.labels, "by_id": False, "correct": False, "wrong": 1.0, "who": "shop"}
        for _ in range(3):
            at = begin + draw.uniform(0, 2 * HOUR)
            found.acts.append(Act(at=at, kind="give feedback", chance=draw.random(), detail=said))
        found.parameters["serving"] = {"FeedbackTrust": "accept"}
