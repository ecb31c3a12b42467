"""The deployments that the tests here look at."""

from __future__ import annotations

from functools import cache

from tests.simulation.api import ACCOUNT, IMPORTER, Caller
from tests.simulation.deployment.roles import Roles
from tests.simulation.deployment.stack import Function, Machine, Stack
from tests.simulation.deployment.synthesis import IMPORTING, context_of, templates_of
from tests.simulation.deployment.templates import resolve_app

SOURCE = {"SourceAccount": ACCOUNT, "SourceFlywheelName": context_of("classifier")["name"]}


@cache
def app(kind: str = "classifier", generation: int = 1) -> dict[str, Stack]:
    templates = templates_of(kind, generation)
    if kind == IMPORTING:
        return resolve_app(templates, account=IMPORTER, parameters={"import": SOURCE})
    return resolve_app(templates, account=ACCOUNT, parameters={"flywheel": {"TrustedAccounts": IMPORTER}})


def roles() -> Roles:
    """Of a deployment that trains classifiers, and of one in another account that imports them."""
    return Roles([*app().values(), *app(IMPORTING).values()])


def function(name: str, kind: str = "classifier") -> Function:
    found = {each.module.rpartition(".")[2]: each for stack in app(kind).values() for each in stack.functions}
    return found[name]


def machine(prefix: str, kind: str = "classifier") -> Machine:
    return next(each for stack in app(kind).values() for each in stack.machines if each.logical_id.startswith(prefix))


def acting_as(name: str, kind: str = "classifier") -> Caller:
    return Caller(account=IMPORTER if kind == IMPORTING else ACCOUNT, role=function(name, kind).role)


def intake(kind: str = "classifier") -> str:
    return function("report_promotion", kind).environment["INTAKE_BUCKET"]
