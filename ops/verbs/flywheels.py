"""What is deployed in an account and a Region."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from flywheel.comprehend.model_kind import ModelType
from flywheel.store.record import Record
from ops.deployment.errors import OperatorError
from ops.deployment.published import AnyDeployment, Deployment, ImportDeployment, find_any_deployment, list_deployments

if TYPE_CHECKING:
    from ops.deployment.clients import Clients

_AT_ONCE = 8


class Deployed(Record):
    name: str
    imports: bool = False
    """It imports the models that another flywheel trains."""
    model_type: ModelType | None = None
    labels: tuple[str, ...] | None = None
    """None where they are too many to be published, or models are imported."""
    multi_label: bool = False
    language: str | None = None
    generation: int | None = None
    source: str | None = None
    """The flywheel whose models it imports."""
    source_account: str | None = None
    problem: str | None = None
    """Why it cannot be read: a sentence."""


def list_flywheels(clients: Clients) -> list[Deployed]:
    """All of them, by name. Raises botocore's errors."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda name: _deployed(clients, name), list_deployments(clients)))


def deployed(deployment: AnyDeployment) -> Deployed:
    match deployment:
        case ImportDeployment(name=name, published=imports, parameters=source):
            return Deployed(
                name=name,
                imports=True,
                model_type=imports.model_type,
                source=source.source_flywheel_name,
                source_account=source.source_account,
            )
        case Deployment(name=name, published=trains, multi_label=multi_label):
            return Deployed(
                name=name,
                model_type=trains.model_type,
                labels=trains.labels,
                multi_label=multi_label,
                language=trains.language,
                generation=trains.generation,
            )
    raise TypeError(deployment)


def _deployed(clients: Clients, name: str) -> Deployed:
    try:
        return deployed(find_any_deployment(clients, name=name))
    except OperatorError as error:
        return Deployed(name=name, problem=str(error))
