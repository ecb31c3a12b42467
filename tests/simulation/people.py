"""People: who they are, how they reach a deployment, and what they did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from flywheel.faults.errors import FlywheelError
from ops.deployment.clients import Clients
from ops.deployment.errors import OperatorError
from ops.deployment.published import Deployment, find_deployment
from tests.simulation import clients
from tests.simulation.acting import Acting, acting
from tests.simulation.acts import ACTS
from tests.simulation.acts.heard import Heard
from tests.simulation.api import REGION, ApiError
from tests.simulation.kernel import BEGINNING

if TYPE_CHECKING:
    import boto3

    from tests.simulation.app import App
    from tests.simulation.schedule.plan import Act
    from tests.simulation.world import World

EXPECTED = (FlywheelError, OperatorError, ClientError, BotoCoreError)
"""What a command may answer a person with."""


class _Session:
    """In the place of boto3's, for `Clients`."""

    region_name = REGION

    def __init__(self, as_: Acting) -> None:
        self._as = as_

    def client(self, service: str, *, config: Any = None) -> Any:
        return clients.client(service, as_=self._as, config=config)


class People:
    """`done` hears of each act that was done, before its requests: claims look at who wanted what."""

    def __init__(self, world: World, app: App) -> None:
        self.world = world
        self.app = app
        self._person = world.as_person("an operator", account=app.account)
        self.done: list[tuple[float, Act]] = []
        self.heard = Heard()

    @contextmanager
    def acting(self) -> Iterator[None]:
        token = acting.set(self._person)
        try:
            yield
        finally:
            acting.reset(token)

    def plan(self, act: Act) -> None:
        after = BEGINNING + act.at - self.world.kernel.now
        self.world.kernel.start(lambda: self.do(act), name=act.kind, after=after)

    def do(self, act: Act) -> None:
        with self.acting():
            self.world.tell("somebody", str(act))
            self.world.visits[f"act/{act.kind}"] += 1
            self.done.append((self.world.kernel.now, act))
            try:
                ACTS[act.kind](self, act)
            except EXPECTED as error:
                self.world.tell("somebody", f"is told: {type(error).__name__}: {error}"[:300])
                self.world.visits[f"act/{act.kind}/{type(error).__name__}"] += 1
            except ApiError as error:
                self.world.tell("somebody", f"is told: {error}"[:300])

    @property
    def deployment(self) -> Deployment:
        """As the command line finds it."""
        return self.deployment_of(self._person)

    def deployment_of(self, person: Acting) -> Deployment:
        session = cast("boto3.session.Session", _Session(person))
        return find_deployment(Clients(session), name=self.app.name)

    def client(self, service: str) -> Any:
        return clients.client(service, as_=self._person)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.world.kernel.now, tz=UTC)
