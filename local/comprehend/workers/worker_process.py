"""The worker's side of ``worker_processes``: ``python -m local.comprehend.workers.worker_process``.

Pickled tasks ``(function, args, kwargs)`` come in on standard input, pickled ``(error, result)`` go out on standard
output. None for a task loads what training needs and has no answer. The process ends with its standard input.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any

Task = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


def main() -> None:
    """Serve until standard input closes, then end at once, whatever is being done."""
    # Ctrl-C in a terminal reaches every process; only the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    results = os.fdopen(os.dup(1), "wb")
    # What a library prints must not get between the results.
    os.dup2(2, 1)
    tasks: SimpleQueue[Task | None] = SimpleQueue()
    Thread(target=_serve, args=(tasks, results), daemon=True).start()
    try:
        while True:
            tasks.put(pickle.load(sys.stdin.buffer))  # noqa: S301 (the other end is the parent process)
    except EOFError:
        os._exit(0)


def _serve(tasks: SimpleQueue[Task | None], results: IO[bytes]) -> None:
    try:
        while True:
            task = tasks.get()
            if task is None:
                from local.comprehend.document_classification import classifier, evaluation  # noqa: F401 (imported once, before the first task)
            else:
                results.write(_outcome(task))
                results.flush()
    finally:
        # Without an answer the parent would wait for ever; it understands an end.
        os._exit(1)


def _outcome(task: Task) -> bytes:
    function, args, kwargs = task
    # A future holds whatever the function raises.
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(function, *args, **kwargs)
    error = future.exception()
    return pickle.dumps((error, None if error else future.result()))


if __name__ == "__main__":
    main()
