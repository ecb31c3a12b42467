from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.comprehend.workers.worker_processes import WorkerProcesses
from tests.contract.comprehend_world import World


@pytest.fixture(scope="session")
def workers() -> Iterator[WorkerProcesses]:
    """One worker process for all tests: loading scikit-learn takes longer than any of them."""
    processes = WorkerProcesses(count=1)
    yield processes
    processes.close()


@pytest.fixture(scope="session")
def predictors() -> Iterator[WorkerProcesses]:
    """The process that answers for endpoints in all tests, for the same reason."""
    processes = WorkerProcesses(count=1)
    yield processes
    processes.close()


@pytest.fixture
def make_world(tmp_path: Path, workers: WorkerProcesses, predictors: WorkerProcesses) -> Iterator[Callable[..., World]]:
    """Worlds with settings of the test's own, closed when it ends."""
    made: list[World] = []

    def make(**settings: Any) -> World:
        root = tmp_path / f"world-{len(made)}"
        made.append(World(root=root, workers=workers, predictors=predictors, settings=settings))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()
