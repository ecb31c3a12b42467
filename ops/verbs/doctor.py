"""What has to be right around a flywheel, before its deployment and after: one line a check, fine or what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from botocore.exceptions import ClientError

from flywheel.serving.target import EndpointTarget
from flywheel.store.record import Record
from ops.deployment.clients import Clients
from ops.deployment.published import AnyDeployment, ImportDeployment
from ops.deployment.service_errors import ServiceError, is_access_denied, sentence_of
from ops.deployment.stacks import live_stacks
from ops.deployment.synthesised import FLYWHEEL_STACK, IMPORT_STACK, SynthesisedFlywheel
from ops.verbs.endpoint import wanted_endpoint


class Health(StrEnum):
    FINE = "FINE"
    TO_DO = "TO_DO"
    UNKNOWN = "UNKNOWN"
    """It could not be looked at: a permission is missing, or this service does not know it."""


class Finding(Record):
    check: str
    health: Health
    message: str
    """What there is if it is fine, else what to do, or why it is not known."""


class Examination(Record):
    name: str
    region: str
    deployed: bool
    findings: tuple[Finding, ...]

    @property
    def fine(self) -> bool:
        """Whether nothing has to be done, as far as it is known."""
        return all(finding.health is not Health.TO_DO for finding in self.findings)


class Unknown(Exception):
    """A check cannot tell; the message says why."""


class ToDo(Exception):
    """Something has to be done; the message says what."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the checks look at."""

    clients: Clients
    name: str
    synthesised: SynthesisedFlywheel | None = None
    """What would be deployed; None if its templates are not here."""
    deployment: AnyDeployment | None = None
    """None before the first deployment."""

    @property
    def templates(self) -> SynthesisedFlywheel:
        """Raises Unknown."""
        if self.synthesised is None:
            raise Unknown("no current templates of this flywheel in cdk.out: run `make synth` first")
        return self.synthesised

    @cached_property
    def stacks(self) -> dict[str, str]:
        """The status of each of the flywheel's stacks that exists."""
        return {stack["StackName"]: stack["StackStatus"] for stack in live_stacks(self.clients, self.name)}

    @property
    def imports(self) -> bool:
        """Whether models are imported: there is no flywheel."""
        if self.deployment is not None:
            return isinstance(self.deployment, ImportDeployment)
        return self.synthesised is not None and self.synthesised.imports

    @property
    def first_stack(self) -> str:
        """The one that the others need."""
        return f"{self.name}{IMPORT_STACK if self.imports else FLYWHEEL_STACK}"

    @property
    def wanted(self) -> EndpointTarget | None:
        """What is wanted of an endpoint: by the deployment, else by the templates in this folder."""
        if self.deployment is not None:
            return wanted_endpoint(self.deployment)
        return self.synthesised.endpoint_target if self.synthesised else None


Check = Callable[[Surroundings], str]
"""Returns what is fine. Raises ToDo, Unknown and botocore's errors."""


def examine(surroundings: Surroundings, checks: Sequence[tuple[str, Check]]) -> Examination:
    return Examination(
        name=surroundings.name,
        region=surroundings.clients.region,
        deployed=surroundings.deployment is not None,
        findings=tuple(find(surroundings, checks)),
    )


def find(surroundings: Surroundings, checks: Sequence[tuple[str, Check]]) -> Iterator[Finding]:
    """Each finding as soon as it is known."""
    for name, check in checks:
        health = Health.UNKNOWN
        try:
            health, message = Health.FINE, check(surroundings)
        except ToDo as problem:
            health, message = Health.TO_DO, str(problem)
        except Unknown as reason:
            message = str(reason)
        except ServiceError as error:
            denied = isinstance(error, ClientError) and is_access_denied(error)
            message = sentence_of(error) if denied else f"this could not be asked here. {sentence_of(error)}"
        yield Finding(check=name, health=health, message=message)
