"""`python -m tests.simulation.mutations`: puts each fault into a copy of the project and lets the simulation find it.

A fault that 1,000 schedules do not find shows a claim that is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

from tests.simulation.mutations.faults import FAULTS, Fault

_ROOT = Path(__file__).parents[3]
_FOUND_BEFORE = _ROOT / ".cache" / "mutations.json"
_FOUND = re.compile(r"^--seed (\d+)( --unbounded)?: (\w+)", re.MULTILINE)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutations", description=__doc__)
    parser.add_argument("--seeds", type=int, default=500, help="so many in both modes, at most")
    parser.add_argument("--only", help="faults whose name has this in it")
    parser.add_argument("--processes", type=int)
    given = parser.parse_args()
    wanted = [fault for fault in FAULTS if given.only is None or given.only in fault.name]
    missed = 0
    for fault in wanted:
        began = time.monotonic()
        found = find(fault, seeds=given.seeds, processes=given.processes)
        missed += found is None
        sys.stdout.write(f"{fault.name}: {found or 'NOT FOUND'} ({time.monotonic() - began:.0f} s)\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(wanted) - missed} of {len(wanted)} found\n")
    return 1 if missed else 0


def find(fault: Fault, *, seeds: int, processes: int | None) -> str | None:
    """How the simulation finds it; None if it does not. First where it was found the last time."""
    known = _found_before().get(fault.name)
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder) / "project"
        copy_project(copy)
        put_into(fault, copy)
        for first, last in ([(known, known)] if known else []) + [(1, seeds)]:
            found = _look(copy, first, last, processes=processes)
            if found is not None:
                seed, said = found
                _FOUND_BEFORE.parent.mkdir(exist_ok=True)
                _FOUND_BEFORE.write_text(json.dumps({**_found_before(), fault.name: seed}, indent=1, sort_keys=True))
                return said
    return None


def _look(copy: Path, first: int, last: int, *, processes: int | None) -> tuple[int, str] | None:
    """(seed, how it was found) of the first schedule that breaks with the fault, and does not without it."""
    while first <= last:
        arguments = ["--first-seed", str(first), "--seeds", str(last + 1 - first), "--until-broken"]
        ran = _simulate(copy, [*arguments, *(["--processes", str(processes)] if processes else [])])
        broken = [(int(found[1]), found[2] or "", found[3]) for found in _FOUND.finditer(ran.stdout)]
        for seed, mode, claim in broken:
            if not _broken_anyway(seed, mode):
                return seed, f"by {claim} within {seed * 2} schedules (seed {seed}{mode})"
        if not broken and ran.returncode == 0:
            return None
        if not broken:
            # Whatever the simulation cannot go on with is found, too.
            return first, f"by an error: {(ran.stderr.strip() or str(ran.returncode)).splitlines()[-1][:200]}"
        first = broken[-1][0] + 1
    return None


@cache
def _broken_anyway(seed: int, mode: str) -> bool:
    """Whether the schedule breaks in the project as it is."""
    return _simulate(_ROOT, ["--seed", str(seed), "--whole", *mode.split()]).returncode != 0


def _simulate(project: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(project), str(project / "lambdas")])}
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def _found_before() -> dict[str, int]:
    """The seed by the fault's name."""
    found: dict[str, int] = json.loads(_FOUND_BEFORE.read_text()) if _FOUND_BEFORE.exists() else {}
    return found


def copy_project(target: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        source = _ROOT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / name)
    for made in (".cache", ".venv", "node_modules"):
        if (_ROOT / made).exists():
            (target / made).symlink_to(_ROOT / made)


def put_into(fault: Fault, folder: Path) -> None:
    """Raises ValueError if the text is not there exactly once: then the product has changed."""
    path = folder / fault.path
    content = path.read_text()
    if content.count(fault.before) != 1:
        raise ValueError(
            f"{fault.name}: the text stands in {fault.path} {content.count(fault.before)} times, not once."
        )
    path.write_text(content.replace(fault.before, fault.after))


if __name__ == "__main__":
    sys.exit(main())
