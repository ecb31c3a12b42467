from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.comprehend.settings import Settings
from tests.simulation.acting import Acting
from tests.simulation.api import IMPORTER
from tests.simulation.app import App
from tests.simulation.cloudformation import DeploymentFailed
from tests.simulation.functions import FunctionKilled
from tests.simulation.installation import installed
from tests.simulation.kernel import Kernel
from tests.simulation.schedule import parameters
from tests.simulation.weather import Weather
from tests.simulation.world import World

TRUSTED = "sharing/trusted.json"


class Killing(Weather):
    """Kills functions of this name before each request, so many of them."""

    def __init__(self) -> None:
        self.name, self.left = "", 0
        self.writes, self.hangs_at = 0, 0
        """At this object that it writes it hangs until it is stopped."""

    def before_request(
        self,
        service: str,  # noqa: ARG002 - others look at it
        operation: str,
        who: Acting,
        *,
        changes: bool = False,  # noqa: ARG002 - as above
    ) -> float:
        if self.name and who.who.startswith(self.name) and self.left:
            self.left -= 1
            raise FunctionKilled(f"{who.who} was killed.")
        if self.name and who.who.startswith(self.name) and operation == "PutObject":
            self.writes += 1
            if self.writes == self.hangs_at:
                return 3600.0
        return 0.0


@pytest.fixture
def app() -> Iterator[App]:
    with installed():
        world = World(kernel=Kernel(1), comprehend=Settings(), weather=Killing())
        draw = world.kernel.random("parameters")
        given = {stack: parameters.drawn(draw, stack) for stack in ("flywheel", "serving", "analysis")}
        given["flywheel"]["TrustedAccounts"] = "none"
        found = App(world, kind="MULTI_CLASS", parameters=given)
        found.deploy()
        yield found
        world.close()


def kill(app: App, name: str, times: int) -> None:
    weather = app.world.weather
    assert isinstance(weather, Killing)
    weather.name, weather.left = name, times


def trusted(app: App) -> str:
    found = app.world.s3.object(app.intake, TRUSTED)
    return "" if found is None else found.body.decode()


def change(app: App, principals: str) -> None:
    process = app.world.kernel.start(
        lambda: app.change_parameters("flywheel", {"TrustedAccounts": principals}), name="deployment"
    )
    process.when_done(lambda: None)
    while not process.done:
        app.world.kernel.step()
    if process.error is not None:
        raise process.error


def test_a_changed_property_reaches_the_function(app: App) -> None:
    change(app, IMPORTER)
    assert IMPORTER in trusted(app)


def test_lambda_invokes_again_what_was_killed(app: App) -> None:
    kill(app, "share_model", 2)
    change(app, IMPORTER)
    assert IMPORTER in trusted(app)


def test_a_deployment_that_fails_goes_back(app: App) -> None:
    kill(app, "share_model", 3)
    with pytest.raises(DeploymentFailed):
        change(app, IMPORTER)
    assert IMPORTER not in trusted(app)
    assert app.parameters["flywheel"]["TrustedAccounts"] == "none"
    assert not app.unfinished


def test_who_deploys_after_going_back_failed_goes_back_first(app: App) -> None:
    update = "cloudformation/Update Custom::ModelSharing"
    kill(app, "share_model", 6)
    with pytest.raises(DeploymentFailed):
        change(app, IMPORTER)
    assert app.unfinished
    assert app.world.visits[update] == 2
    change(app, "none")
    assert not app.unfinished
    assert app.world.visits[f"{update}/SUCCESS"] == 1
    change(app, "none")
    assert app.world.visits[update] == 3


def test_destroying_serving_asks_its_custom_resource_first(app: App) -> None:
    app.destroy("serving")
    assert app.world.visits["cloudformation/Delete Custom::EndpointRemoval/SUCCESS"] == 1
    assert list(app.stacks) == ["flywheel", "analysis"]


@pytest.mark.parametrize("hangs_at", [1, 2])
def test_a_deployment_waits_for_the_next_try_of_a_function_that_hangs(app: App, hangs_at: int) -> None:
    """If it were told that the first failed, the next could bring the list back that it gave up."""
    weather = app.world.weather
    assert isinstance(weather, Killing)
    weather.name, weather.hangs_at = "share_model", hangs_at
    change(app, IMPORTER)
    assert IMPORTER in trusted(app)
