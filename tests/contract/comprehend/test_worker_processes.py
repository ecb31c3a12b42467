from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.comprehend.workers.worker_processes import WorkerDiedError, WorkerProcesses

ROOT = Path(__file__).parents[3]

# Starts a worker, says so, and would wait for ever.
HOLDS_A_WORKER = """
import os, time
from local.comprehend.workers.worker_processes import WorkerProcesses

if __name__ == "__main__":
    workers = WorkerProcesses()
    print(workers.run(os.getpid), flush=True)
    time.sleep(3600)
"""


@pytest.fixture
def processes() -> Iterator[WorkerProcesses]:
    made = WorkerProcesses()
    yield made
    made.close()


def test_work_is_done_in_another_process_and_errors_come_back(processes: WorkerProcesses) -> None:
    assert processes.run(os.getpid) != os.getpid()
    with pytest.raises(ValueError, match="invalid literal"):
        processes.run(int, "seven")


def test_another_worker_takes_the_place_of_one_that_died(processes: WorkerProcesses) -> None:
    first = processes.run(os.getpid)
    with pytest.raises(WorkerDiedError):
        processes.run(os._exit, 9)
    assert processes.run(os.getpid) != first


def test_nothing_runs_after_close(processes: WorkerProcesses) -> None:
    processes.run(os.getpid)
    processes.close()
    with pytest.raises(WorkerDiedError):
        processes.run(os.getpid)


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "holds_a_worker.py"
    script.write_text(HOLDS_A_WORKER)
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert parent.stdout is not None
    with parent.stdout as output:
        assert int(output.readline()) != parent.pid
        parent.kill()
        # The worker holds the other end of the second pipe: it comes to its end only once the worker is gone too.
        assert parent.communicate(timeout=120) == (b"", b"")
