"""Draws what those do who look at what others did, who mistype, and who break what others need."""

from __future__ import annotations

from tests.simulation.schedule import parameters
from tests.simulation.schedule.act import Act
from tests.simulation.schedule.plan import HOUR
from tests.simulation.schedule.wings import Drawn, Scene

_SHARE = 0.4
_TIDIES = 0.15
_KINDS = {"look around": 4, "mistype desired-model-arn": 3, "break reports": 3}
_WHERE_MODELS_ARE_IMPORTED = {"decline": 2, "break announcements": 2}
_WHERE_MODELS_ARE_TRAINED = {"exclude an upload": 1, "take an exclusion back": 2}
_MACHINES = ("Analyze", "Promote", "Promote", "Turn")


def draw(scene: Scene) -> Drawn:
    draw = scene.random
    if not scene.active(_SHARE):
        return Drawn()
    found = Drawn()
    kinds = {**_KINDS, **(_WHERE_MODELS_ARE_IMPORTED if scene.imports else _WHERE_MODELS_ARE_TRAINED)}
    for kind in draw.choices(list(kinds), list(kinds.values()), k=draw.choice((2, 4, 8))):
        detail: dict[str, object] = {}
        if kind == "break reports":
            machine = draw.choice(_MACHINES[:3] if scene.imports else _MACHINES)
            detail = {"machine": machine, "until": scene.length}
        elif kind == "break announcements":
            detail = {"machine": "Source"}
        found.acts.append(Act(at=draw.uniform(HOUR, scene.length), kind=kind, chance=draw.random(), detail=detail))
    for _ in range(0 if scene.imports else draw.choice((0, 2))):
        values, often = parameters.TRUST
        trust = {"stack": "flywheel", "values": {"TrustedAccounts": draw.choices(values, often)[0]}}
        found.acts.append(Act(at=draw.uniform(HOUR, scene.length), kind="change a parameter", detail=trust))
    if draw.random() < 0.5:
        found.parameters["flywheel"] = {"PromotionMode": "APPROVAL", "ApprovalHours": "2"}
    if scene.imports:
        found.parameters["import"] = {"ModelsToKeep": "1"}
    elif scene.kind == "ENTITIES":
        found.parameters.setdefault("flywheel", {})["Evidence"] = "HOLDOUT"
    if not scene.imports and draw.random() < _TIDIES:
        found.acts.append(Act(at=draw.uniform(600, scene.length / 2), kind="delete the next model"))
        found.parameters.setdefault("flywheel", {})["Evidence"] = "HOLDOUT"
    if not scene.imports and draw.random() < 4 * _TIDIES:
        found.acts.append(Act(at=draw.uniform(600, scene.length), kind="delete the replaced model"))
    return found
