"""`make deploy` and `make destroy`: what is done before and after the CDK CLI's own `deploy` and `destroy`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer

from ops.deployment.clients import Clients
from ops.deployment.errors import NoDeploymentError, OperatorError
from ops.deployment.given_parameters import GIVEN_VARIABLE, option_values, split_parameters
from ops.deployment.published import SETTINGS_FILE, Deployment, find_deployment, is_deployed, name_in, read_context
from ops.deployment.service_errors import ANY_FAILURE, ServiceError, failure, sentence_of
from ops.deployment.stacks import live_stacks
from ops.tables.terminal import asks_a_person, remark
from ops.verbs.pause import pause, resume, wait_until_idle
from ops.verbs.turns import DEFAULT_POLL_SECONDS, DEFAULT_TIMEOUT_SECONDS

REASON = "make destroy"
INTERRUPTED = 130
"""The exit status that a shell gives an interrupted command."""
Say = Callable[[str], None]
_FORCE = {"--force", "-f"}


def deploy(cdk: Sequence[str], *, parameters: str, arguments: Sequence[str], say: Say) -> int:
    """Deploys all stacks; the CLI's exit status.

    `parameters` is as in `split_parameters`, and checked by the app once it is synthesised; `arguments` go to the CLI.
    """
    given = split_parameters(parameters)
    options = [part for each in given for part in ("--parameters", each)]
    status = _run([*cdk, "deploy", "--all", *options, *arguments], environment={GIVEN_VARIABLE: json.dumps(given)})
    if status and not sys.stdin.isatty() and not any(each.startswith("--require-approval") for each in arguments):
        say('Without a terminal nobody can approve changes of permissions: make deploy ARGS="--require-approval never"')
    return status


def destroy(
    cdk: Sequence[str],
    *,
    arguments: Sequence[str],
    confirm: Callable[[str], bool] | None,
    say: Say,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    poll_seconds: float = DEFAULT_POLL_SECONDS,
) -> int:
    """Asks, pauses, lets what runs end, then destroys all stacks; the CLI's exit status.

    `confirm` is None where nobody can be asked: then `arguments` must hold `--force`. If it ends
    before the stacks are gone, it ends the pause that it made. Raises OperatorError and botocore's errors.
    """
    name = _name(arguments)
    if not _FORCE & set(arguments):
        _ask(confirm, name=name)
    clients = Clients.connect(profile=next(iter(option_values(arguments, "--profile")), None))
    command = [*cdk, "destroy", "--all", "--force", *(each for each in arguments if each not in _FORCE)]
    try:
        deployment = find_deployment(clients, name=name)
    except NoDeploymentError as error:
        # A destroy that stopped half-way has left stacks that nothing runs in.
        say(f"{error} Nothing is to be paused.")
        return _run(command)
    with _paused(deployment, say=say):
        say("Waiting until nothing runs.")
        wait_until_idle(
            deployment,
            timeout_seconds=timeout_seconds,
            poll_seconds=poll_seconds,
            decline_waiting=REASON,
            on_progress=lambda what: say(f"Waiting for {what}"),
        )
        return _run(command)


@contextmanager
def _paused(deployment: Deployment, *, say: Say) -> Iterator[None]:
    """Pauses the pipeline for the block, and resumes it afterwards if the flywheel's stack is still whole.

    A pause that somebody made before stays.
    """
    already = pause(deployment, reason=REASON).already
    try:
        yield
    finally:
        if not already:
            _resume(deployment, say=say)


def _resume(deployment: Deployment, *, say: Say) -> None:
    clients, name = deployment.clients, deployment.name
    try:
        if not is_deployed(clients, name):
            return
        stack = next((each for each in live_stacks(clients, name) if each["StackName"] == f"{name}-flywheel"), None)
        if stack is None or stack["StackStatus"].startswith("DELETE_"):
            status = stack["StackStatus"] if stack else "gone"
            say(f"{name}-flywheel is {status}: it stays paused. `make destroy` again, or deploy and `flywheel resume`.")
            return
        resume(deployment)
    except ServiceError as error:
        say(f"{name} is still paused, because ending the pause failed: `flywheel resume`. {sentence_of(error)}")
    else:
        say(f"{name} was not destroyed; its pause has ended.")


def _ask(confirm: Callable[[str], bool] | None, *, name: str) -> None:
    if confirm is None:
        raise OperatorError("Nothing was destroyed: there is nobody to ask. `make destroy ARGS=--force` does not ask.")
    if not confirm(f"Destroy the stacks of the flywheel {name}? Its buckets and models are kept."):
        raise OperatorError("Nothing was destroyed.")


def _name(arguments: Sequence[str]) -> str:
    """The flywheel that the CLI will destroy: the settings alone decide."""
    context = read_context(Path.cwd())
    for option in ("-c", "--context"):
        for value in option_values(arguments, option):
            key, _, given = value.partition("=")
            context[key] = json.loads(given) if given.startswith("{") else given
    name = name_in(context)
    if name is None:
        raise OperatorError(f"Nothing was destroyed: {SETTINGS_FILE} in this folder names no flywheel.")
    return name


def _run(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> int:
    """Runs the CLI in this terminal; an interrupt reaches it first."""
    return subprocess.run(command, env={**os.environ, **(environment or {})}, check=False).returncode


def main(arguments: Sequence[str]) -> int:
    """`arguments`: `deploy` or `destroy`, further arguments for the CLI, `--`, and the CLI's command."""
    split = len(arguments) - 1 - list(reversed(arguments)).index("--")
    (verb, *given), cdk = arguments[:split], arguments[split + 1 :]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if verb == "deploy":
            return deploy(cdk, parameters=os.environ.get("PARAMETERS", ""), arguments=given, say=remark)
        return destroy(cdk, arguments=given, confirm=asks_a_person(), say=remark)
    except ANY_FAILURE as error:
        sentence, exit_status = failure(error)
        remark(sentence)
        return exit_status
    except (KeyboardInterrupt, typer.Abort):
        remark("Interrupted.")
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
