"""The order of the whole suite, for workers that take it module by module (`--dist loadfile`), and what deploys."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest

from tests.infrastructure.conftest import Synthesis

# How fast an example is says how busy the machine is. Where CI is set, Hypothesis has a profile without a deadline.
if hypothesis.settings().deadline is not None:
    hypothesis.settings.register_profile("suite", deadline=None)
    hypothesis.settings.load_profile("suite")


# Before pytest leaves out what a `-m` does not take.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, or one worker would still be at it when the others have nothing left to do.

    That are modules that deploy the app, then modules that need a running cloud, then the steps of the pipeline and the
    simulation's schedules.
    The first are marked: `make test` leaves them to `make test-all`.
    """
    turns: dict[Path, int] = {}
    for item in items:
        turns[item.path] = min(_turn(item), turns.get(item.path, 3))
    items.sort(key=lambda item: turns[item.path])
    for item in items:
        if turns[item.path] == 0:
            item.add_marker(pytest.mark.deploys)


def _turn(item: pytest.Item) -> int:
    fixtures = set(getattr(item, "fixturenames", ()))
    for turn, fixture in enumerate(("synthesise", "cloud")):
        if fixture in fixtures:
            return turn
    return 2 if {"pipeline", "test_schedules.py"} & set(item.path.parts) else 3


@pytest.fixture(scope="session")
def synthesis(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    base = tmp_path_factory.getbasetemp()
    # With workers, each has a folder of its own below one that the whole run shares.
    shared = (base.parent if base.name.startswith("popen-") else base) / "synthesised"
    shared.mkdir(exist_ok=True)
    return Synthesis(shared)
