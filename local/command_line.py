"""The verbs of `python -m local`.

Exit status: 0 done, 1 something failed (one sentence on standard error says what to do), 2 wrong usage, 130
interrupted.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shlex
import signal
import sys
import threading
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from local.cloud import LocalCloud, LocalCloudError, OnConsole
from local.cloud.endpoint import MOST_ACCOUNTS, account_numbers
from local.cloud.local_cloud import DEFAULT_WAIT_SCALE
from local.cloud.log_tail import follow_logs
from local.cloud.places import DEFAULT_INSTANCE, Places
from local.cloud.running import Running, find_running, record_running
from ops.deployment.local_cloud import environment_command, local_command

DEFAULT_PORT = 4566

app = typer.Typer(
    help="A local cloud: deploys the unchanged app into an emulator on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_errors = Console(stderr=True)


def main() -> None:
    """Run a verb. `run` and the demos have modules of their own, loaded only when they are asked for."""
    wanted = sys.argv[1:2]
    for verb in ("run", "demo", "demo-entities", "demo-accounts", "demo-review", "suspect-labels"):
        module = f"local.{verb.replace('-', '_')}"
        if wanted in ([], ["--help"], [verb]) and importlib.util.find_spec(module) is not None:
            importlib.import_module(module).register(app)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        app(standalone_mode=True)
    except LocalCloudError as error:
        _errors.print("[red]error:[/red]", end=" ")
        _errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)


@app.command()
def up(
    wait_scale: Annotated[
        float,
        typer.Option(min=0.0, help="What to multiply the waits of state machines with: 0.01 makes 5 minutes 3 s."),
    ] = DEFAULT_WAIT_SCALE,
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="The port to listen on, on the loopback address.")
    ] = DEFAULT_PORT,
    accounts: Annotated[
        int,
        typer.Option(
            min=1, max=MOST_ACCOUNTS, help="How many accounts to make ready; the app is deployed into the first."
        ),
    ] = 1,
    detach: Annotated[bool, typer.Option(help="Return when the app is deployed; `down` ends the local cloud.")] = False,
    parameters: Annotated[
        list[str] | None, typer.Option(metavar="STACK:NAME=VALUE", help="A stack's parameter; may be repeated.")
    ] = None,
    context: Annotated[
        list[str] | None,
        typer.Option("--context", "-c", metavar="KEY=VALUE", help="A setting of the app; may be repeated."),
    ] = None,
) -> None:
    """Start the emulator, deploy all stacks into it, and stay until Ctrl-C."""
    places = _places()
    find_running(places)
    given_parameters = pairs_of("--parameters", parameters)
    given_context = pairs_of("--context", context)
    console = Console()
    cloud = LocalCloud(instance=places.instance, port=port, wait_scale=wait_scale, progress=OnConsole(console))
    emulator = cloud.start(detached=detach)
    numbers = account_numbers(accounts)
    try:
        with record_running(places, emulator=emulator, endpoint=cloud.endpoint, accounts=numbers, keep=detach):
            for number in numbers[1:]:
                cloud.account(number).bootstrap()
            outputs = cloud.account().deploy(parameters=given_parameters, context=given_context)
            for stack, values in outputs.items():
                for name, value in values.items():
                    console.print(f"{stack}.{name} = {value}", highlight=False, soft_wrap=True)
            lines = [
                f"The local cloud is up, with the app in account {numbers[0]}. In another shell, in any folder:",
                environment_command(),
            ]
            for number in numbers[1:]:
                command = local_command(f"env --account {number}")
                lines += [f"Account {number} is up too, without the app:", f'eval "$({command})"']
            console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
            if detach:
                return
            console.print("Ctrl-C ends it.")
            while emulator.is_alive() and not _stop.wait(0.5):
                pass
    except BaseException:
        cloud.stop()
        raise
    if not emulator.is_alive():
        raise LocalCloudError(f"The emulator ended by itself. Its last words are in {places.emulator_log}.")
    cloud.stop()


_Account = Annotated[str | None, typer.Option(metavar="NUMBER", help="An account that is up. Default: the first.")]


@app.command()
def env(account: _Account = None) -> None:
    """Print the variables that point AWS tools at the local cloud, for `eval`."""
    for name, value in _running().account(account).environment().items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
def logs(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep showing what comes.")] = False,
    group: Annotated[str, typer.Option(help="Only log groups whose name contains this.")] = "",
    account: _Account = None,
) -> None:
    """Show what functions and state machines logged, and the emulator's own warnings."""
    console = Console(highlight=False, soft_wrap=True)
    follow_logs(_running().account(account), console=console, group=group, follow=follow, stop=_stop)


@app.command()
def down() -> None:
    """End the local cloud that `up` started."""
    places = _places()
    running = find_running(places, refuse=False)
    if running is None:
        typer.echo("No local cloud is up.")
        return
    running.end()
    typer.echo("The local cloud is down.")


_stop = threading.Event()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """A request to end is treated like Ctrl-C, so that what was started is ended as well."""
    _stop.set()
    raise KeyboardInterrupt


def _places() -> Places:
    """The files of the local cloud that the verbs speak of; under another name a second one runs beside the first."""
    return Places(instance=os.environ.get("LOCAL_CLOUD_INSTANCE") or DEFAULT_INSTANCE)


def _running() -> Running:
    running = find_running(_places(), refuse=False)
    if running is None:
        raise LocalCloudError(f"No local cloud is up. Start one with `{local_command('up')}`.")
    return running


def pairs_of(option: str, values: list[str] | None) -> dict[str, str]:
    pairs = {}
    for value in values or []:
        name, sign, content = value.partition("=")
        if not sign or not name:
            raise typer.BadParameter(f"{option} takes NAME=VALUE, but was given {value!r}.")
        pairs[name] = content
    return pairs
