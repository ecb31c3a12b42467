"""Draws analysis jobs."""

from __future__ import annotations

import random

from tests.simulation.schedule.act import Act
from tests.simulation.schedule.letters import Files, Letters
from tests.simulation.schedule.plan import HOUR
from tests.simulation.schedule.wings import Drawn, Scene, with_a_model

_SHARE = 0.3
_FEW_MORE = {
    "analyze again": 2,
    "delete a file of an analysis": 1,
    "upload a file outside of a job": 1,
    "stop an analysis": 2,
}


def draw(scene: Scene) -> Drawn:
    draw = scene.random
    if not scene.active(_SHARE):
        return Drawn()
    letters = Letters(random=draw, kind=scene.kind, labels=scene.labels, word="line")
    found = Drawn()
    jobs = [f"job {number}" if number == 2 else f"job-{number}" for number in range(draw.choice((1, 2, 4)))]

    def act(kind: str, at: float, **detail: object) -> None:
        found.acts.append(Act(at=at, kind=kind, chance=draw.random(), detail=detail))

    for job in jobs:
        at = draw.uniform(2 * HOUR, scene.length)
        files = Files({f"file-{number}.txt": _file(draw, letters) for number in range(draw.choice((1, 1, 3)))})
        if draw.random() < 0.4:
            act("analyze", at, job=job, files=files)
        else:
            act("upload for analysis", at, job=job, files=files, options=_options(draw))
        if draw.random() < 0.3:
            # Some of it comes again, or more of it.
            number = draw.randrange(4)
            more = Files({f"file-{number}.txt": _file(draw, letters)})
            later = min(scene.length, at + draw.choice((1.0, 300.0, 3600.0)))
            act("upload for analysis", later, job=job, files=more, options=_options(draw))
    for kind in draw.choices(list(_FEW_MORE), list(_FEW_MORE.values()), k=draw.choice((0, 1, 2))):
        act(kind, draw.uniform(2 * HOUR, scene.length), job=draw.choice(jobs))
    found.parameters["flywheel"] = with_a_model(draw)
    found.parameters["analysis"] = {
        "QuietPeriodMinutes": draw.choice(("0", "5")),
        "DocumentsPerPart": draw.choice(("3", "10", "1000000")),
        "ReviewPerAnalysis": draw.choice(("0", "3", "1000")),
        "AuditPercent": draw.choice(("0", "1", "50")),
        "LowConfidence": draw.choice(("0", "0.7", "1")),
        "MapConcurrency": draw.choice(("1", "4")),
        "PollSeconds": draw.choice(("60", "300")),
    }
    for _ in range(draw.choice((0, 0, 1, 2))):
        act("redrive an analysis", draw.uniform(2 * HOUR, scene.length))
    return found


def _file(draw: random.Random, letters: Letters) -> bytes:
    lines = [text.encode() for text in letters.texts(draw.choice((1, 3, 8, 20)))]
    if draw.random() < 0.2:
        lines.insert(draw.randrange(len(lines) + 1), draw.choice((b"", b"\xff\xfe", b"   ")))
    if draw.random() < 0.1:
        lines.append(lines[0])
    if draw.random() < 0.03:
        return b""
    return b"\n".join(lines) + draw.choice((b"", b"\n"))


def _options(draw: random.Random) -> bytes | None:
    return draw.choice(
        (None, None, b"{}", b'{"format": "ONE_DOC_PER_LINE"}', b'{"format": "ONE_DOC_PER_FILE"}', b'{"formta": 1}')
    )
