"""Draws what operators do about serving."""

from __future__ import annotations

from tests.simulation.schedule.act import Act
from tests.simulation.schedule.documents import Author
from tests.simulation.schedule.plan import HOUR
from tests.simulation.schedule.wings import Drawn, Scene

_SHARE = 0.4
_KINDS = {
    "change serving": 5,
    "delete the endpoint in the console": 2,
    "change the endpoint in the console": 2,
    "set the quota of inference units": 2,
}
_HOURS = (
    ("none", "none"),
    ("cron(0 7 ? * * *)", "cron(0 19 ? * * *)"),
    ("cron(30 22 ? * MON-FRI *)", "cron(0 4 ? * TUE-SAT *)"),
)


def draw(scene: Scene) -> Drawn:
    draw = scene.random
    if not scene.active(_SHARE):
        return Drawn()
    found = Drawn()
    author = Author(random=draw, kind=scene.kind, labels=scene.labels)
    smoke = author.file("smoke", "smoke-test", per_label=draw.choice((1, 3)))
    if draw.random() < 0.9:
        found.acts.append(Act(at=draw.choice((300.0, 7200.0)), kind="upload the smoke test", file=smoke))

    def values() -> dict[str, str]:
        start, end = draw.choices(_HOURS, (4, 1, 1))[0]
        return {
            "InferenceUnits": draw.choice(("0", "1", "1", "2")),
            "MaximumInferenceUnits": draw.choice(("0", "3")),
            "SmokeTestKey": draw.choice(("none", smoke.name, smoke.name)),
            "SmokeTestMinimum": draw.choice(("0.5", "0.8", "1")),
            "ServingHoursStart": start,
            "ServingHoursEnd": end,
        }

    for kind in draw.choices(list(_KINDS), list(_KINDS.values()), k=draw.choice((0, 1, 3))):
        detail: dict[str, object] = {}
        if kind == "change serving":
            detail = {**values()}
        elif kind == "set the quota of inference units":
            detail = {"units": draw.choice((1, 200))}
        at = draw.uniform(HOUR, scene.length)
        found.acts.append(Act(at=at, kind=kind, chance=draw.random(), detail=detail))
    found.parameters["serving"] = values()
    if draw.random() < 0.4:
        # The endpoint comes again, and its model may not pass this time.
        at = draw.uniform(HOUR, scene.length)
        for later, units in ((0.0, "0"), (HOUR / 2, "1")):
            detail = {"InferenceUnits": units, "SmokeTestKey": smoke.name, "SmokeTestMinimum": "1"}
            found.acts.append(Act(at=at + later, kind="change serving", detail=detail))
    if not scene.imports and draw.random() < 0.3:
        # So that a model which fails its smoke test has none to give way to.
        for _ in range(2):
            found.acts.append(Act(at=draw.uniform(HOUR, scene.length), kind="delete the replaced model"))
    return found
