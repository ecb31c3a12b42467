"""A seed is a story: the same in every process, whatever Python hashes strings with."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.infrastructure.synthesised import ROOT

SEED = "8"


def test_a_seed_tells_the_same_story_in_every_process() -> None:
    told = {_story(hashes) for hashes in ("1", "2")}
    assert len(told) == 1


def _story(hashes: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hashes}
    command = [sys.executable, "-m", "tests.simulation", "--seed", SEED, "--whole"]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr
    return ran.stdout
