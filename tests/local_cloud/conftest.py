"""A local cloud for the tests of this folder.

Each pytest worker has an emulator of its own (it starts in a second or two), each test module an account of its own
in it, so tests share nothing and run in any order. Synthesis is what takes long: an app is synthesised once for all
workers.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.cloud import CloudAccount, LocalCloud
from local.cloud.file_lock import held
from local.cloud.pinned_environment import ensure_aws_cli
from local.cloud.places import LOCAL_FOLDER
from tests.local_cloud.resources import Aws, Shell, Synthesise

_INSTANCES = "tests"
_account_numbers = itertools.count(200_000_000_001)


@pytest.fixture(scope="session")
def cloud() -> Iterator[LocalCloud]:
    """The worker's local cloud, ended with the worker however the tests go."""
    _remove_left_behind()
    with LocalCloud(instance=f"{_INSTANCES}/{os.getpid()}") as running:
        yield running
    for folder in running.places.folder.parent.glob(f"{os.getpid()}*"):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def account(cloud: LocalCloud) -> CloudAccount:
    """An account that no other module uses."""
    return cloud.account(str(next(_account_numbers)))


@pytest.fixture(scope="session")
def synthesise(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Synthesise:
    """Synthesise an app (a command; None: the one in `cdk.json`) once for all workers of this run."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def synthesised(app: str | None = None, *, context: Mapping[str, str] | None = None) -> Path:
        key = hashlib.sha256(f"{app} {sorted((context or {}).items())}".encode()).hexdigest()[:12]
        assembly = shared / f"cdk-{key}.out"
        with held(shared / f"cdk-{key}.lock"):
            if not (assembly / "manifest.json").exists():
                cloud.account().synthesise(app=app, output=assembly, context=context)
        return assembly

    return synthesised


@pytest.fixture(scope="session")
def probe_assembly(synthesise: Synthesise) -> Path:
    """The cloud assembly of `emulator_app`."""
    return synthesise(f"{sys.executable} {Path(__file__).parent / 'emulator_app' / 'app.py'}")


@pytest.fixture(scope="session")
def aws(cloud: LocalCloud) -> Aws:
    """The AWS CLI as a user has it: `aws(account, "s3api", "list-buckets")` gives the decoded answer."""
    program = ensure_aws_cli(cloud.places)

    def call(account: CloudAccount, *arguments: str) -> Any:
        done = subprocess.run(
            [str(program), *arguments, "--output", "json"],
            env={"PATH": os.environ["PATH"], "HOME": str(cloud.places.folder), **account.environment()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip().startswith(("{", "[")) else done.stdout

    return call


@pytest.fixture(scope="session")
def shell(cloud: LocalCloud) -> Shell:
    """A person's shell with the AWS CLI in it: `shell(account, "aws s3 ls")` gives the exit status."""
    program = ensure_aws_cli(cloud.places)

    def run(account: CloudAccount, line: str) -> int:
        path = os.pathsep.join([str(program.parent), os.environ["PATH"]])
        return subprocess.run(
            ["bash", "-c", line],
            env={"PATH": path, "HOME": str(cloud.places.folder), **account.environment()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        ).returncode

    return run


def _remove_left_behind() -> None:
    """Remove the folders of test runs that were killed."""
    for folder in (LOCAL_FOLDER / _INSTANCES).glob("*"):
        pid = folder.name.partition("-")[0]
        if pid.isdigit() and not _exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
