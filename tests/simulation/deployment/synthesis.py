"""The templates of the apps that schedules run on, synthesised once and kept in `.cache/simulation`.

A synthesis costs four to six seconds, for whichever of the settings; to find one that is kept costs half a second, once
a process, for the digest of what it was made from.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from local.cloud.file_lock import held
from tests.infrastructure.synthesised import ROOT, run_app
from tests.simulation.api import ACCOUNT, REGION

CACHE = ROOT / ".cache" / "simulation"

_CLASSIFIER = ("BUSINESS", "SCI_TECH", "SPORTS", "WORLD")
_MULTI_LABEL = ("COMEDY", "DRAMA", "THRILLER")
_ENTITY_TYPES = ("PERSON", "PLACE")
IMPORTING = "import"
"""Of the deployment in a second account."""
ADOPTING = "adopting"
"""Of a flywheel that begins with an existing model."""
ADOPTED_DATA = "s3://data-of-adopted-model/train/"
FLYWHEELS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    # One label more with the second generation, and one fewer.
    "classifier": (
        {"mode": "MULTI_CLASS", "labels": list(_CLASSIFIER)},
        {"mode": "MULTI_CLASS", "labels": [*_CLASSIFIER, "CULTURE"], "generation": 2},
    ),
    "multi-label": (
        {"mode": "MULTI_LABEL", "labels": list(_MULTI_LABEL)},
        {"mode": "MULTI_LABEL", "labels": list(_MULTI_LABEL[1:]), "generation": 2},
    ),
    "recognizer": (
        {"model_type": "ENTITY_RECOGNIZER", "entity_types": list(_ENTITY_TYPES)},
        {"model_type": "ENTITY_RECOGNIZER", "entity_types": [*_ENTITY_TYPES, "WORK"], "generation": 2},
    ),
    ADOPTING: (
        {
            "mode": "MULTI_CLASS",
            "labels": list(_CLASSIFIER),
            "initial_model_arn": f"arn:aws:comprehend:{REGION}:{ACCOUNT}:document-classifier/adopted/version/first",
            "initial_model_data": [ADOPTED_DATA],
        },
    ),
}
"""Settings of each generation."""


def context_of(kind: str, generation: int = 1) -> dict[str, Any]:
    """The settings of a flywheel of this kind, or of the deployment that imports the models of a classifier."""
    if kind == IMPORTING:
        return {"name": "served", "role": "import"}
    return {"name": "news", **FLYWHEELS[kind][generation - 1]}


@cache
def templates_of(kind: str, generation: int = 1) -> Mapping[str, Mapping[str, Any]]:
    """What `synthesised` gives for `context_of` the same, once a process."""
    return synthesised(context_of(kind, generation))


def synthesised(context: Mapping[str, Any], *, cache_folder: Path = CACHE) -> dict[str, Mapping[str, Any]]:
    """The templates by the name of their stack, the one that comes first in front."""
    folder = cache_folder / _digest(context)
    with held(cache_folder / f"{folder.name}.lock"):
        if not folder.exists():
            _synthesise(context, folder)
    found = {path.name.split(".")[0]: json.loads(path.read_text()) for path in folder.glob("*.template.json")}
    order = ("flywheel", "import", "serving", "analysis")
    return {name: found[name] for name in sorted(found, key=lambda each: order.index(each.rpartition("-")[2]))}


def _synthesise(context: Mapping[str, Any], folder: Path) -> None:
    """Whoever is killed in here leaves nothing that looks finished."""
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    finished = run_app(context=dict(context), outdir=unfinished, checked=False)
    if finished.returncode != 0:
        raise RuntimeError(f"The app with {dict(context)} cannot be synthesised: {finished.stderr}")
    for path in unfinished.iterdir():
        if path.is_dir():  # The functions' code.
            shutil.rmtree(path)
        elif not path.name.endswith(".template.json"):
            path.unlink()
    unfinished.rename(folder)


def _digest(context: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(_sources().encode())
    digest.update(json.dumps(dict(context), sort_keys=True).encode())
    return digest.hexdigest()[:24]


@cache
def _sources() -> str:
    digest = hashlib.sha256()
    for path in sorted(read_by_the_app()):
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def read_by_the_app() -> set[Path]:
    """What the templates are made from: app.py with all modules of ours that it imports, the settings, and the
    versions of what others wrote. The functions' code beyond that changes nothing but its assets' names."""
    found = {ROOT / "cdk.json", ROOT / "requirements.txt"}
    waiting = [ROOT / "app.py"]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [each for name in _imports(path) if (each := _module(name)) is not None]
    return found


_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+)?import[ \t]+(\([^)]*\)|.*)", re.MULTILINE)


def _imports(path: Path) -> Iterator[str]:
    """Names that may be modules, and the packages that they are in. To parse the modules would take much longer."""
    for level, module, names in _IMPORT.findall(path.read_text()):
        package = path.relative_to(ROOT).parts[: -len(level)] if level else ()
        base = [*package, *filter(None, module.split("."))]
        imported = [each.split(" as ")[0].split() for each in re.sub(r"#.*|[()]", "", names).split(",")]
        for name in [base, *([*base, *each[0].split(".")] for each in imported if each)]:
            yield from (".".join(name[:length]) for length in range(1, len(name) + 1))


@cache
def _module(name: str) -> Path | None:
    below = Path(*name.split("."))
    for root in (ROOT, ROOT / "lambdas"):
        for candidate in (root / below / "__init__.py", root / below.with_suffix(".py")):
            if candidate.is_file():
                return candidate
    return None
