"""Draws what users of the real-time API do."""

from __future__ import annotations

from tests.simulation.schedule.act import Act
from tests.simulation.schedule.letters import Letters, Texts
from tests.simulation.schedule.plan import HOUR
from tests.simulation.schedule.wings import Drawn, Scene, with_a_model

_SHARE = 0.3
_NAMES = ("shop", "portal")


def draw(scene: Scene) -> Drawn:
    draw = scene.random
    if not scene.active(_SHARE):
        return Drawn()
    letters = Letters(random=draw, kind=scene.kind, labels=scene.labels, word="letter")
    found = Drawn()
    known: list[str] = list(letters.texts(4))

    def act(kind: str, **detail: object) -> None:
        at = draw.uniform(2 * HOUR, scene.length)
        found.acts.append(Act(at=at, kind=kind, chance=draw.random(), detail={"who": draw.choice(_NAMES), **detail}))

    for _ in range(draw.choice((4, 10, 20))):
        number = draw.choice((1, 1, 4, 25))
        texts = list(letters.texts(number, near=draw.random() < 0.1))
        if draw.random() < 0.3:
            # Sent before, or by somebody else.
            texts[0] = draw.choice(known)
        known += texts
        act("ask the API", texts=Texts(texts))
    for _ in range(draw.choice((0, 1))):
        act("ask for the model")
    for _ in range(draw.choice((0, 3, 10))):
        act(
            "give feedback",
            texts=Texts([draw.choice([*known, *letters.texts(1)])]),
            labels=scene.labels,
            by_id=draw.random() < 0.5,
            correct=draw.random() < 0.3,
            wrong=draw.choice((0.0, 0.3)),
        )
    found.parameters["flywheel"] = with_a_model(draw)
    found.parameters["serving"] = {
        "InferenceUnits": draw.choice(("1", "2", "5")),
        "KeepPredictions": draw.choice(("none", "low-confidence", "low-confidence", "sample", "all")),
        "KeepPredictionsPercent": draw.choice(("10", "50")),
        "AuditPercent": draw.choice(("0", "20")),
        "FeedbackTrust": draw.choice(("review", "accept")),
        "ReviewThreshold": draw.choice(("0", "0.7", "1")),
    }
    return found
