"""Whoever shares is killed at each of its requests that change something; the next run mends what that leaves."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable

import pytest

from flywheel.sharing.share_model import trusted_principals
from tests.pipeline.sharing.world import LASTS, PROD, PROD_ROOT, STAGE, STAGE_ROOT, World
from tests.simulation.cloudformation import DeploymentFailed

STORIES: dict[str, Callable[[World], object]] = {
    "back": lambda world: world.promote(world.models[0]),
    "list": lambda world: world.trust(STAGE),
    "nobody": lambda world: world.trust(),
}


@pytest.mark.parametrize("story", STORIES)
def test_a_kill_at_any_place_is_mended_by_the_next_run(world: World, story: str) -> None:
    """The same deployment again and again: promote the second, then do the story and die in it. A machine tries once
    more; what a deployment starts dies as often as Lambda tries, and the deployment fails."""
    first, second, _ = world.models
    at = world.at
    world.trust(PROD)
    world.promote(first)
    for after in itertools.count():
        world.trust(PROD)
        world.promote(second)
        assert world.importers(second) == [PROD_ROOT]
        at.script.kill(after=after, times=1 if story == "back" else 3)
        failed = False
        try:
            STORIES[story](world)
        except DeploymentFailed:
            failed = True
        died = at.script.killed
        at.script.kill()
        if story == "back":
            at.let_pass(LASTS)
            world.share()
            assert world.importers(first) == [PROD_ROOT]
            assert world.importers(second) == []
            assert world.versions()[second].withdrawn
        else:
            expected = [STAGE_ROOT] if story == "list" else []
            assert world.importers(second) == ([PROD_ROOT] if failed else expected)
            STORIES[story](world)
            assert world.importers(first) == world.importers(second) == expected
        assert all(version.principals is not None for version in world.versions().values())
        if not died:
            assert after > 4, "it was hardly killed"
            return


def test_a_try_that_is_killed_fails_no_deployment(world: World) -> None:
    """It leaves its lease behind, which lasts longer than Lambda's next try."""
    at, model = world.at, world.models[0]
    world.promote(model)
    for after in itertools.count():
        world.trust(PROD)
        at.script.kill(after=after)
        world.trust(STAGE)
        died = at.script.killed
        at.script.kill()
        assert world.importers(model) == [STAGE_ROOT], after
        if not died:
            assert after > 4, "it was hardly killed"
            return


def test_a_deployment_that_was_killed_lets_nobody_in_that_the_known_list_does_not_name(world: World) -> None:
    """CloudFormation may not come back for an hour; the schedule does."""
    at, model = world.at, world.models[0]
    world.trust(PROD)
    world.promote(model)

    def trust_again() -> None:
        with contextlib.suppress(DeploymentFailed):
            world.trust(PROD)

    for after in itertools.count():
        world.trust()
        at.script.kill(after=after, times=3)
        deployment = at.beside(trust_again)
        at.let_pass(LASTS)
        died = at.script.killed
        at.script.kill()
        world.share()
        assert world.importers(model) == list(trusted_principals(at.bucket)), after
        at.step_until(lambda deployment=deployment: deployment.done)  # type: ignore[misc]  # bound as it is here
        if not died:
            assert after > 4, "it was hardly killed"
            return
