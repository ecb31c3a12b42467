"""How the local cloud of this checkout is called, whatever folder and Python somebody's shell is in."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def local_command(verb: str) -> str:
    """A shell command with the Python that runs now, which has the project's packages."""
    python = Path(sys.executable)
    named = python.relative_to(ROOT) if python.is_relative_to(ROOT) else python
    return f"cd {shlex.quote(str(ROOT))} && {shlex.quote(str(named))} -m local {verb}"


def environment_command() -> str:
    """What points a shell's AWS tools at the local cloud; the shell stays in its folder."""
    return f'eval "$({local_command("env")})"'
