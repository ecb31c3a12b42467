"""`make deploy`, `make diff` and `make destroy`: what is done before and after the CDK CLI's own verbs.

Without an environment the CLI synthesises. With one (`ENV=prod`) it takes the assembly that `make synth` left: what was
looked at, and deployed to the accounts before, is what is deployed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from ops.deployment.clients import Clients
from ops.deployment.environments import ASSEMBLY, SynthesisedEnvironment, find_environment, with_given
from ops.deployment.errors import NoDeploymentError, OperatorError
from ops.deployment.given_parameters import GIVEN_VARIABLE, check_parameters, option_values, split_parameters
from ops.deployment.published import (
    SETTINGS_FILE,
    Deployment,
    environments_in,
    find_deployment,
    is_deployed,
    name_in,
    read_context,
    role_in,
)
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
_CONTEXT = ("-c", "--context")
ENVIRONMENT_VARIABLE = "DEPLOYED_ENVIRONMENT"
"""In which make hands on its ENV."""


def deploy(
    cdk: Sequence[str], *, parameters: str, arguments: Sequence[str], environment: str | None = None, say: Say
) -> int:
    """Deploys all stacks, of the environment if one is named; the CLI's exit status.

    `parameters` is as in `split_parameters`, and checked by the app once it is synthesised; `arguments` go to the CLI.
    Raises OperatorError.
    """
    given = split_parameters(parameters)
    if environment is None:
        _refuse_environments(arguments, verb="deploy")
        told = {GIVEN_VARIABLE: json.dumps(given)}
        status = _run([*cdk, "deploy", "--all", *_options(given), *arguments], environment=told)
    else:
        status = _run(_command(cdk, "deploy", environment, given=given, arguments=arguments))
    if status and not sys.stdin.isatty() and not any(each.startswith("--require-approval") for each in arguments):
        of = f"ENV={environment} " if environment else ""
        say(
            "Without a terminal nobody can approve changes of permissions: "
            f'make deploy {of}ARGS="--require-approval never"'
        )
    return status


def diff(cdk: Sequence[str], *, parameters: str, arguments: Sequence[str], environment: str | None = None) -> int:
    """Shows what `deploy` would change; the CLI's exit status. Raises OperatorError."""
    if environment is None:
        _refuse_environments(arguments, verb="diff")
        return _run([*cdk, "diff", *arguments])
    return _run(_command(cdk, "diff", environment, given=split_parameters(parameters), arguments=arguments))


def _compares_templates(arguments: Sequence[str]) -> bool:
    """Whether `cdk diff` makes no change set: then it takes no parameters, and refuses any."""
    methods = [*option_values(arguments, "--method"), *option_values(arguments, "-m")]
    return "template" in methods or any(each.partition("=")[0] == "--template" for each in arguments)


def destroy(
    cdk: Sequence[str],
    *,
    arguments: Sequence[str],
    environment: str | None = None,
    confirm: Callable[[str], bool] | None,
    say: Say,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    poll_seconds: float = DEFAULT_POLL_SECONDS,
) -> int:
    """Asks, pauses, lets what runs end, then destroys all stacks; the CLI's exit status.

    `confirm` is None where nobody can be asked: then `arguments` must hold `--force`. If it ends
    before the stacks are gone, it ends the pause that it made. Raises OperatorError and botocore's errors.
    """
    chosen = _destroyed(arguments) if environment is None else _destroyed_environment(environment, arguments)
    if not _FORCE & set(arguments):
        _ask(confirm, whose=chosen.whose)
    command = [*cdk, "destroy", *chosen.stacks, "--force", *(each for each in arguments if each not in _FORCE)]
    if chosen.imports:
        # Nothing trains there, and the stacks themselves end what serves.
        return _run(command)
    profile = next(iter(option_values(arguments, "--profile")), None)
    clients = Clients.connect(profile=profile, region=chosen.region)
    if chosen.account is not None:
        _be_in(chosen.account, clients, whose=chosen.whose)
    try:
        deployment = find_deployment(clients, name=chosen.flywheel)
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


@dataclass(frozen=True, kw_only=True)
class _Destroyed:
    """What the CLI will destroy."""

    flywheel: str
    imports: bool
    where: str = ""
    stacks: Sequence[str] = ("--all",)
    account: str | None = None
    region: str | None = None
    """None without an environment: where the credentials lead."""

    @property
    def whose(self) -> str:
        return f"{'the imported models of ' if self.imports else 'the flywheel '}{self.flywheel}{self.where}"


def _destroyed(arguments: Sequence[str]) -> _Destroyed:
    """The settings alone decide."""
    _refuse_environments(arguments, verb="destroy")
    context = _context(arguments)
    name = name_in(context)
    if name is None:
        raise OperatorError(f"Nothing was destroyed: {SETTINGS_FILE} in this folder names no flywheel.")
    return _Destroyed(flywheel=name, imports=role_in(context) == "import")


def _destroyed_environment(name: str, arguments: Sequence[str]) -> _Destroyed:
    found = _environment(name, arguments)
    return _Destroyed(
        flywheel=found.flywheel,
        imports=found.role == "import",
        where=f" in {name} (account {found.account}, {found.region})",
        stacks=_stacks(name),
        account=found.account,
        region=found.region,
    )


def _be_in(account: str, clients: Clients, *, whose: str) -> None:
    """The CLI looks, too, but only after the pipeline is paused: another account's, if it has the same name."""
    caller = clients.sts.get_caller_identity()["Account"]
    if caller != account:
        raise OperatorError(f"Nothing was destroyed: these credentials are of the account {caller}, not of {whose}.")


def _command(
    cdk: Sequence[str], verb: str, environment: str, *, given: Sequence[str], arguments: Sequence[str]
) -> list[str]:
    """The CLI's, for the stacks of the environment as they were synthesised, with its parameters."""
    found = _environment(environment, arguments)
    check_parameters(given, assembly=Path(ASSEMBLY) / found.folder, environment=environment)
    own = () if verb == "diff" and _compares_templates(arguments) else found.parameters
    return [*cdk, verb, *_stacks(environment), *_options(with_given(own, given)), *arguments]


def _stacks(environment: str) -> list[str]:
    """Its stacks as they were synthesised, for the CLI."""
    return [f"{environment}/*", "--app", ASSEMBLY]


def _environment(name: str, arguments: Sequence[str]) -> SynthesisedEnvironment:
    context = [f"{option} {value}" for option in _CONTEXT for value in option_values(arguments, option)]
    if context:
        raise OperatorError(
            f"{context[0]} would change nothing: with ENV the templates in {ASSEMBLY} are used as they are. "
            f"Write it into {SETTINGS_FILE} and run `make synth`."
        )
    return find_environment(Path.cwd(), name)


def _refuse_environments(arguments: Sequence[str], *, verb: str) -> None:
    named = environments_in(_context(arguments))
    if named:
        raise OperatorError(
            f"{SETTINGS_FILE} has the environments {', '.join(named)}: say which, such as `make {verb} ENV={named[0]}`."
        )


def _options(parameters: Sequence[str]) -> list[str]:
    return [part for each in parameters for part in ("--parameters", each)]


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


def _ask(confirm: Callable[[str], bool] | None, *, whose: str) -> None:
    if confirm is None:
        raise OperatorError("Nothing was destroyed: there is nobody to ask. `make destroy ARGS=--force` does not ask.")
    if not confirm(f"Destroy the stacks of {whose}? Buckets and models are kept."):
        raise OperatorError("Nothing was destroyed.")


def _context(arguments: Sequence[str]) -> dict[str, Any]:
    """As the app will have it."""
    context = read_context(Path.cwd())
    for option in _CONTEXT:
        for value in option_values(arguments, option):
            key, _, given = value.partition("=")
            context[key] = json.loads(given) if given.startswith("{") else given
    return context


def _run(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> int:
    """Runs the CLI in this terminal; an interrupt reaches it first."""
    return subprocess.run(command, env={**os.environ, **(environment or {})}, check=False).returncode


def main(arguments: Sequence[str]) -> int:
    """`arguments`: `deploy`, `diff` or `destroy`, further arguments for the CLI, `--`, and the CLI's command."""
    split = len(arguments) - 1 - list(reversed(arguments)).index("--")
    (verb, *given), cdk = arguments[:split], arguments[split + 1 :]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        parameters, environment = os.environ.get("PARAMETERS", ""), os.environ.get(ENVIRONMENT_VARIABLE) or None
        if verb == "deploy":
            return deploy(cdk, parameters=parameters, arguments=given, environment=environment, say=remark)
        if verb == "diff":
            return diff(cdk, parameters=parameters, arguments=given, environment=environment)
        return destroy(cdk, arguments=given, environment=environment, confirm=asks_a_person(), say=remark)
    except ANY_FAILURE as error:
        sentence, exit_status = failure(error)
        remark(sentence)
        return exit_status
    except (KeyboardInterrupt, typer.Abort):
        remark("Interrupted.")
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
