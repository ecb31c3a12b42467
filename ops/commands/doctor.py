"""`flywheel doctor`."""

from __future__ import annotations

import typer

from ops.commands.invocation import EnvironmentOption, Invocation, JsonOption, invocation_of, show
from ops.commands.progress import waiting_display
from ops.deployment.errors import NoDeploymentError, NotSynthesisedError, OperatorError
from ops.deployment.published import AnyDeployment, choose_name, find_any_deployment
from ops.deployment.service_errors import ServiceError
from ops.deployment.synthesised import SynthesisedFlywheel, read_synthesised
from ops.tables.doctor import examination_text
from ops.verbs.doctor import Surroundings, examine
from ops.verbs.doctor_checks import CHECKS


def doctor(context: typer.Context, env: EnvironmentOption = None, as_json: JsonOption = False) -> None:
    """Look whether all that a flywheel needs is there, before it is deployed and after. Exit status 1 if not."""
    surroundings = _surroundings(invocation_of(context), env)
    with waiting_display("Looking"):
        found = examine(surroundings, CHECKS)
    show(found, as_json=as_json, table=examination_text)
    if not found.fine:
        raise typer.Exit(1)


def _surroundings(invocation: Invocation, environment: str | None) -> Surroundings:
    clients = invocation.clients()
    templates = read_synthesised(environment=environment) if environment else _templates()
    # An environment may have another name than cdk.json gives to all.
    chosen = None if environment and not invocation.name else choose_name(name=invocation.name)
    name = chosen[0] if chosen else templates.name if templates else None
    if name is None:
        raise OperatorError("Say which flywheel: `flywheel --name NAME doctor`, or go to the folder of its cdk.json.")
    return Surroundings(
        clients=clients,
        name=name,
        synthesised=templates if templates and templates.name == name else None,
        deployment=_deployment(invocation, name),
    )


def _templates() -> SynthesisedFlywheel | None:
    try:
        return read_synthesised()
    except NotSynthesisedError:
        return None


def _deployment(invocation: Invocation, name: str) -> AnyDeployment | None:
    """None also where these credentials cannot tell: the check of the caller says so."""
    try:
        return find_any_deployment(invocation.clients(), name=name)
    except (NoDeploymentError, *ServiceError):
        return None
