"""People: who they are, how they reach a deployment, and what they did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from flywheel.faults.errors import FlywheelError
from ops.deployment.clients import Clients
from ops.deployment.errors import OperatorError
from ops.deployment.published import AnyDeployment, Deployment, find_any_deployment, find_deployment
from ops.verbs.approve import decline_whatever_waits
from ops.verbs.pause import pause
from tests.simulation import clients
from tests.simulation.acting import Acting, acting
from tests.simulation.acts import ACTS, groups_of
from tests.simulation.acts.heard import Heard
from tests.simulation.api import REGION, ApiError
from tests.simulation.cloudformation import DeploymentFailed
from tests.simulation.kernel import BEGINNING
from tests.simulation.schedule.act import Act

if TYPE_CHECKING:
    from pathlib import Path

    import boto3

    from tests.simulation.app import App
    from tests.simulation.machines.execution import Execution
    from tests.simulation.world import World

_WANT_ANOTHER = 0.8
"""Of those who stop a promotion."""
EXPECTED = (FlywheelError, OperatorError, ClientError, BotoCoreError, Boto3Error)
"""What a command may answer a person with."""


class _Session:
    """In the place of boto3's, for `Clients`."""

    region_name = REGION
    _session = SimpleNamespace(get_config_variable=lambda _name: None)
    """Botocore's."""

    def __init__(self, as_: Acting) -> None:
        self._as = as_

    def client(self, service: str, *, config: Any = None) -> Any:
        return clients.client(service, as_=self._as, config=config)


class People:
    """`done` hears of each act that was done, before its requests: claims look at who wanted what."""

    def __init__(self, world: World, app: App) -> None:
        self.world = world
        self.app = app
        self._administrator = world.as_person("an administrator", account=app.account)
        self.done: list[tuple[float, Act]] = []
        self.heard = Heard()

    @contextmanager
    def acting(self, *groups: str) -> Iterator[None]:
        """As somebody with the managed policies of these groups; with none, or "", as one who may do all."""
        token = acting.set(self._member(*groups) if any(groups) else self._administrator)
        try:
            yield
        finally:
            acting.reset(token)

    def _member(self, *groups: str) -> Acting:
        return self.world.as_member(*(f"People{group}" for group in groups), account=self.app.account)

    def plan(self, act: Act) -> None:
        after = BEGINNING + act.at - self.world.kernel.now
        self.world.kernel.start(lambda: self.do(act), name=act.kind, after=after)

    def do(self, act: Act) -> None:
        with self.acting(*groups_of(act)):
            self.world.tell("somebody", str(act))
            self.world.visits[f"act/{act.kind}"] += 1
            self.done.append((self.world.kernel.now, act))
            try:
                ACTS[act.kind](self, act)
            except EXPECTED as error:
                self.world.tell("somebody", f"is told: {type(error).__name__}: {error}"[:300])
                self.world.visits[f"act/{act.kind}/{type(error).__name__}"] += 1
            except (ApiError, DeploymentFailed) as error:
                self.world.tell("somebody", f"is told: {error}"[:300])

    def hear_of_stopped(self, execution: Execution) -> None:
        """Some stop a promotion because they want another model, and ask for that at once."""
        kernel = self.world.kernel
        draw = kernel.random("minds")
        if execution.machine.arn == self.app.machine("Promote").arn and draw.random() < _WANT_ANOTHER:
            after = kernel.now - BEGINNING + draw.uniform(0, 10)
            self.plan(Act(at=after, kind="want another model", chance=draw.random()))

    def destroy(self, parts: Sequence[str]) -> None:
        """As `make destroy`, once nothing runs."""
        kernel = self.world.kernel
        if "flywheel" in parts and "flywheel" in self.app.stacks:
            with self.acting(""):
                pause(self.deployment, reason="make destroy")
                decline_whatever_waits(self.deployment, reason="make destroy")
            kernel.run_until(kernel.now + 3600)
        self.app.destroy(*parts)

    def new_folder(self, word: str) -> Path:
        """On the computer of who acts."""
        folder = self.world.folder / f"{word}-{self.world.kernel.random('folders').getrandbits(40):010x}"
        folder.mkdir()
        return folder

    @property
    def deployment(self) -> Deployment:
        """As the command line finds it for who acts."""
        return self.deployment_of(acting.get())

    def deployment_of(self, person: Acting) -> Deployment:
        return find_deployment(_clients_of(person), name=self.app.name)

    @property
    def any_deployment(self) -> AnyDeployment:
        return self.any_deployment_of(acting.get())

    def any_deployment_of(self, person: Acting) -> AnyDeployment:
        return find_any_deployment(_clients_of(person), name=self.app.name)

    def client(self, service: str) -> Any:
        return clients.client(service, as_=acting.get())

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.world.kernel.now, tz=UTC)


def _clients_of(person: Acting) -> Clients:
    return Clients(cast("boto3.session.Session", _Session(person)))
