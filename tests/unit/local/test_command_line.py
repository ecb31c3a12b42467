"""The commands that messages name work as they stand, in any folder and without an activated environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ops.deployment.local_cloud import ROOT, environment_command, local_command


def bare() -> dict[str, str]:
    """A shell that knows of no virtual environment."""
    return {"PATH": os.defpath, "HOME": "/nowhere", "LOCAL_CLOUD_INSTANCE": f"tests/{os.getpid()}-none"}


def test_from_another_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", local_command("env")], cwd=tmp_path, env=bare(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "No local cloud is up." in done.stderr.replace("\n", " ")


def test_the_shell_stays_in_its_folder(tmp_path: Path) -> None:
    line = f"{environment_command()} 2>/dev/null; pwd"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=bare(), capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str(tmp_path)


def test_a_python_without_the_packages_gets_a_sentence() -> None:
    # -S and -I: neither the environment's packages nor those of anybody else.
    program = f"import sys, runpy; sys.path.insert(0, {str(ROOT)!r}); runpy.run_module('local', run_name='__main__')"
    done = subprocess.run([sys.executable, "-S", "-I", "-c", program], capture_output=True, text=True, check=False)
    assert "make setup" in done.stderr
    assert "Traceback" not in done.stderr
