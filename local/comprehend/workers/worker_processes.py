"""Processes that do the computing, so that the API answers while a model is trained.

Not a ProcessPoolExecutor: its workers load the parent's main module again, which may be a whole emulator, and outlive a
parent that is killed.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import IO, Any, ParamSpec, TypeVar, cast

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_IMPORT_ROOT = Path(__file__).parents[3]


class WorkerDiedError(Exception):
    """A worker process ended in the middle of its task, most likely for want of memory."""


class WorkerProcesses:
    """At most ``count`` processes, started when there is work; they end with :meth:`close` or with this process."""

    def __init__(self, *, count: int = 1) -> None:
        self._free = BoundedSemaphore(count)
        self._lock = Lock()
        self._idle: list[_Worker] = []
        self._alive: set[_Worker] = set()
        self._closed = False

    def run(self, task: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        """Run a module-level function in a worker and return its result; raises what it raises, or WorkerDiedError.

        Waits while every worker is busy.
        """
        with self._free:
            worker = self._taken()
            try:
                error, result = worker.answer((task, args, kwargs))
            except WorkerDiedError:
                worker.kill()
                raise
            finally:
                self._give_back(worker)
        if error:
            raise error
        return cast("Result", result)

    def prepare(self) -> None:
        """Start a worker and load what training needs, in the background: it takes a second or two."""
        with self._lock:
            if not self._closed and not self._alive:
                worker = self._started()
                worker.load_libraries()
                self._idle.append(worker)

    def close(self) -> None:
        """End the processes at once, whatever they do."""
        with self._lock:
            self._closed = True
            # Busy ones are discarded by the call that waits for them, once it finds them gone.
            for worker in self._alive:
                worker.kill()
            for worker in self._idle:
                worker.discard()
            self._idle.clear()

    def _taken(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise WorkerDiedError("The worker processes are closed.")
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:
                    return worker
                worker.discard()
                self._alive.discard(worker)
            return self._started()

    def _started(self) -> _Worker:
        worker = _Worker()
        self._alive.add(worker)
        return worker

    def _give_back(self, worker: _Worker) -> None:
        with self._lock:
            if worker.alive and not self._closed:
                self._idle.append(worker)
            else:
                worker.discard()
                self._alive.discard(worker)


class _Worker:
    def __init__(self) -> None:
        path = os.pathsep.join(filter(None, [str(_IMPORT_ROOT), os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "local.comprehend.workers.worker_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def answer(self, task: object) -> tuple[BaseException | None, object]:
        """The error and the result of a task; raises WorkerDiedError."""
        try:
            self._send(task)
            answer: tuple[BaseException | None, object] = pickle.load(self._results)  # noqa: S301 (our own process)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
            raise WorkerDiedError("A worker process ended before its task was done.") from error
        return answer

    def load_libraries(self) -> None:
        self._send(None)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def discard(self) -> None:
        """Kill, and close the pipes; nobody may be waiting for an answer."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            # A task that could not be sent is sent no better on closing.
            with suppress(BrokenPipeError):
                cast("IO[bytes]", pipe).close()

    def _send(self, task: object) -> None:
        tasks = cast("IO[bytes]", self._process.stdin)
        pickle.dump(task, tasks)
        tasks.flush()

    @property
    def _results(self) -> Any:
        return self._process.stdout
