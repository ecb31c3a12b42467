"""`python -m tests.simulation.mutations`: puts each fault into a copy of the project and lets the simulation find it.

A fault that 1,000 schedules do not find shows a claim that is missing.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.simulation.mutations.faults import FAULTS, Fault

_ROOT = Path(__file__).parents[3]
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
    """How the simulation finds it; None if it does not."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder) / "project"
        copy_project(copy)
        put_into(fault, copy)
        command = [sys.executable, "-m", "tests.simulation", "--seeds", str(seeds), "--until-broken"]
        if processes is not None:
            command += ["--processes", str(processes)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(copy), str(copy / "lambdas")])}
        ran = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    found = _FOUND.search(ran.stdout)
    if found is not None:
        schedules = int(found[1]) * 2
        return f"by {found[3]} within {schedules} schedules (seed {found[1]}{found[2] or ''})"
    if ran.returncode == 0:
        return None
    # Whatever the simulation cannot go on with is found, too.
    return f"by an error: {ran.stderr.strip().splitlines()[-1][:200] if ran.stderr.strip() else ran.returncode}"


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
