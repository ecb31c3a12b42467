"""Virtual environments made from a pinned requirements file, and kept until that file changes.

The functions get one with what AWS Lambda and the Powertools layer hold and no more, so that a missing dependency
shows here and not on AWS. The AWS CLI gets another: it pins other versions than the project does.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from local.cloud.errors import LocalCloudError
from local.cloud.file_lock import held
from local.cloud.places import REQUIREMENTS, Places

FUNCTION_REQUIREMENTS = REQUIREMENTS / "function-requirements.txt"
AWS_CLI_REQUIREMENTS = REQUIREMENTS / "aws-cli-requirements.txt"


def ensure_function_environment(places: Places) -> Path:
    """The Python interpreter that functions run with."""
    return ensure_environment(name="functions", requirements=FUNCTION_REQUIREMENTS, folder=places.python_environments)


def ensure_aws_cli(places: Places) -> Path:
    """The `aws` program (AWS CLI), in an environment of its own."""
    python = ensure_environment(name="aws-cli", requirements=AWS_CLI_REQUIREMENTS, folder=places.python_environments)
    return python.with_name("aws")


def ensure_environment(*, name: str, requirements: Path, folder: Path) -> Path:
    """Path of the interpreter of a virtual environment that holds exactly what `requirements` lists.

    Raises LocalCloudError when a package cannot be installed.
    """
    digest = hashlib.sha256(requirements.read_bytes() + platform.python_version().encode()).hexdigest()[:12]
    environment = folder / f"{name}-{digest}"
    python = environment / "bin" / "python"
    complete = environment / "complete"
    if complete.exists() and python.exists():
        return python
    with held(folder / f"{name}.lock"):
        if not complete.exists() or not python.exists():
            shutil.rmtree(environment, ignore_errors=True)
            _install(environment, requirements)
            complete.touch()
    return python


def _install(environment: Path, requirements: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    if uv.exists():
        commands = [
            [str(uv), "venv", "--quiet", "--python", sys.executable, str(environment)],
            [str(uv), "pip", "install", "--quiet", "--python", str(environment), "--requirement", str(requirements)],
        ]
    else:
        commands = [
            [sys.executable, "-m", "venv", str(environment)],
            [
                str(environment / "bin" / "python"),
                *("-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                *("--requirement", str(requirements)),
            ],
        ]
    for command in commands:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LocalCloudError(
                f"The packages of {requirements.name} could not be installed. Check the connection to the package "
                f"index and try again. The installer said:\n{done.stderr.strip()[-2000:]}"
            )
