"""The CDK CLI against one account of the local cloud: bootstrap, synthesise once, deploy, destroy."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.cloud.endpoint import Endpoint
from local.cloud.errors import CdkFailed
from local.cloud.node import ensure_cdk_cli, node_binary, path_with_node
from local.cloud.places import PROJECT, Places
from local.cloud.progress import Step
from ops.deployment.errors import WrongParametersError
from ops.deployment.given_parameters import check_parameters

_BOOTSTRAP_STACK = "CDKToolkit"
_QUIET = ("--no-notices", "--no-version-reporting", "--ci", "--no-color")


@dataclass(frozen=True, kw_only=True)
class Cdk:
    """The CDK CLI in `account` of the local cloud, writing what it says to the instance's `cdk.log`."""

    account: Endpoint
    places: Places

    def bootstrap(self, *, step: Step) -> None:
        """Create the bootstrap stack, unless this account has it.

        The CLI's own template is deployed through CloudFormation: `cdk bootstrap` does the same in 8 s more.
        """
        cloudformation = self.account.client("cloudformation")
        if any(stack["StackName"] == _BOOTSTRAP_STACK for stack in cloudformation.describe_stacks()["Stacks"]):
            return
        template = self._bootstrap_template(step)
        cloudformation.create_stack(
            StackName=_BOOTSTRAP_STACK, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=_BOOTSTRAP_STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )

    def synthesise(self, *, app: str | None, output: Path, context: Mapping[str, str], step: Step) -> None:
        """Synthesise `app` (a command; None for the one in `cdk.json`) into the cloud assembly `output`."""
        shutil.rmtree(output, ignore_errors=True)
        # A local cloud has no environments: each of its accounts gets the stacks of the settings.
        arguments = ["synth", "--quiet", "--output", str(output), *_context({"environments": "{}", **context})]
        self._run(arguments + (["--app", app] if app else []), step=step)

    def deploy(
        self, *, assembly: Path, stacks: Sequence[str], parameters: Mapping[str, str], step: Step
    ) -> dict[str, dict[str, str]]:
        """Deploy stacks of a cloud assembly (all when none is named); return the outputs by stack and name.

        `parameters` are keyed `Stack:Name`.
        """
        try:
            check_parameters([f"{name}={value}" for name, value in parameters.items()], assembly=assembly)
        except WrongParametersError as error:
            raise CdkFailed(str(error)) from error
        outputs = self.places.folder / f"outputs-{self.account.account}.json"
        outputs.unlink(missing_ok=True)
        given = [part for name, value in parameters.items() for part in ("--parameters", f"{name}={value}")]
        self._run(
            [
                *("deploy", "--app", str(assembly), "--require-approval", "never", "--progress", "events"),
                *("--outputs-file", str(outputs), "--concurrency", "1"),
                *given,
                *(stacks or ["--all"]),
            ],
            step=step,
        )
        written: dict[str, dict[str, str]] = json.loads(outputs.read_text()) if outputs.exists() else {}
        return written

    def destroy(self, *, assembly: Path, stacks: Sequence[str], step: Step) -> None:
        """Destroy stacks of a cloud assembly (all when none is named)."""
        self._run(["destroy", "--app", str(assembly), "--force", *(stacks or ["--all"])], step=step)

    def _bootstrap_template(self, step: Step) -> str:
        cli = ensure_cdk_cli()
        version = json.loads((cli.parents[1] / "package.json").read_text())["version"]
        kept = self.places.cdk_home / f"bootstrap-{version}.yaml"
        if not kept.exists():
            text = self._run(["bootstrap", "--show-template"], step=step)
            unfinished = kept.with_suffix(f".{os.getpid()}")
            unfinished.write_text(text)
            unfinished.replace(kept)
        return kept.read_text()

    def _run(self, arguments: Sequence[str], *, step: Step) -> str:
        """Run the CLI and return what it wrote. Raises CdkFailed with the end of that."""
        command = [str(node_binary()), str(ensure_cdk_cli()), *arguments, *_QUIET]
        with (
            self.places.cdk_log.open("a+") as log,
            subprocess.Popen(
                command,
                cwd=PROJECT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log if arguments[0] == "bootstrap" else subprocess.STDOUT,
                text=True,
                errors="replace",
                # With its own children (the app, and Node for it) in a group that can be ended as a whole.
                start_new_session=True,
            ) as process,
        ):
            lines = []
            try:
                for line in process.stdout or ():
                    lines.append(line)
                    log.write(line)
                    if line.strip():
                        step.update(line.strip())
            except BaseException:
                os.killpg(process.pid, signal.SIGTERM)
                raise
        if process.returncode:
            said = "".join(lines[-25:]).strip()
            raise CdkFailed(
                f"`cdk {arguments[0]}` failed. All it wrote is in {self.places.cdk_log}; the end of it:\n{said}"
            )
        return "".join(lines)

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        # Without it each synthesis would compile all that the app imports.
        inherited.pop("PYTHONDONTWRITEBYTECODE", None)
        return {
            **inherited,
            **self.account.environment(),
            "PATH": path_with_node(),
            "CDK_HOME": str(self.places.cdk_home),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            # `make synth` and `make deploy` check the templates.
            "CDK_VALIDATION": "false",
            # The library's banner about old versions of Node does not concern the one that comes with the project.
            "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        }


def _context(context: Mapping[str, str]) -> list[str]:
    return [part for name, value in context.items() for part in ("--context", f"{name}={value}")]
