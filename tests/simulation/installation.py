"""Lets the handlers' modules run in the simulated world: what they take from the process comes from who acts."""

from __future__ import annotations

import importlib
import importlib.util
import os
import random
import secrets
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, tzinfo
from functools import cache
from importlib.abc import InspectLoader
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3

from flywheel import environment as environments
from tests.simulation import clients
from tests.simulation.acting import acting

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType

    from flywheel.measurement import Measurement


_ABSENT = object()
_IN_MEMORY = Path("/dev/shm")


class _EnvironmentOfFunction:
    """What a module's `Environment.load()` gives: the variables of the function that runs, not those of the process."""

    def __init__(self, model: type[environments.Environment]) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(_parsed(self._model, acting.get().environment), name)


_environments: dict[tuple[type, int], tuple[Any, Any]] = {}


def _parsed(model: type[environments.Environment], variables: Any) -> Any:
    key = (model, id(variables))
    found = _environments.get(key)
    # The variables are kept with what was made of them, so that their id stays theirs.
    if found is None or found[1] is not variables:
        made = model.model_validate({name.lower(): value for name, value in variables.items()})
        _environments[key] = found = (made, variables)
    return found[0]


class _OneAfterTheOther:
    """In the place of a pool of threads: the seed decides in which order the work is done."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __enter__(self) -> _OneAfterTheOther:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, work: Callable[..., Any], *items: Any, **_: Any) -> Iterator[Any]:
        arguments = list(zip(*items, strict=False))
        order = list(range(len(arguments)))
        running = acting.get(None)
        if running is not None:
            running.world.kernel.random("threads").shuffle(order)
        results: dict[int, Any] = {}
        errors: dict[int, Exception] = {}
        for number in order:
            try:
                results[number] = work(*arguments[number])
            except Exception as error:  # noqa: BLE001 - raised where the pool would raise it
                errors[number] = error

        def given() -> Iterator[Any]:
            for number in range(len(arguments)):
                if number in errors:
                    raise errors[number]
                yield results[number]

        return given()

    def submit(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        from concurrent.futures import Future

        future: Future[Any] = Future()
        try:
            future.set_result(work(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as a pool does
            future.set_exception(error)
        return future

    def shutdown(self, *_: Any, **__: Any) -> None:
        pass


class _Time:
    """In the place of the module `time`."""

    @staticmethod
    def sleep(seconds: float) -> None:
        running = acting.get(None)
        if running is None:
            time.sleep(seconds)
        elif running.world.kernel.in_process:
            running.world.kernel.sleep(seconds)
        else:
            # A test waits, and everything else goes on.
            running.world.kernel.run_until(running.world.kernel.now + seconds)

    @staticmethod
    def time() -> float:
        running = acting.get(None)
        return time.time() if running is None else running.world.kernel.now

    monotonic = perf_counter = time


class _Lock:
    """In the place of threading's."""

    def __init__(self) -> None:
        self._held = False

    def __enter__(self) -> None:
        while self._held:
            _Time.sleep(0.01)
        self._held = True

    def __exit__(self, *_: object) -> None:
        self._held = False


class _Timer:
    """In the place of threading's: it ends with the function that set it, which cancels it."""

    daemon = True

    def __init__(self, seconds: float, function: Callable[..., None], arguments: list[Any]) -> None:
        self._seconds = seconds
        self._function, self._arguments = function, arguments
        self._cancelled = False

    def start(self) -> None:
        acting.get().world.kernel.start(self._run, name="timer", after=self._seconds)

    def _run(self) -> None:
        if not self._cancelled:
            self._function(*self._arguments)

    def cancel(self) -> None:
        self._cancelled = True


def _urlopen(request: urllib.request.Request, **_: Any) -> Any:
    running = acting.get()
    body = request.data
    assert isinstance(body, bytes)
    running.world.custom_resources.take_answer(request.full_url, body, running)
    return nullcontext()


class _Random:
    """In the place of the module `random`, for what takes numbers that nobody can foresee."""

    Random = random.Random

    @staticmethod
    def uniform(low: float, high: float) -> float:
        running = acting.get(None)
        # What runs beside the simulation, such as another test, has its own.
        drawn = random if running is None else running.world.kernel.random("random")
        return drawn.uniform(low, high)


class _Secrets:
    """In the place of the module `secrets`."""

    @staticmethod
    def token_hex(size: int) -> str:
        running = acting.get(None)
        if running is None:
            return secrets.token_hex(size)
        return f"{running.world.kernel.random('secrets').getrandbits(8 * size):0{2 * size}x}"


class _Datetime(datetime):
    """In the place of `datetime` where commands read the clock."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # a plain one, as all others are
        return datetime.now(tz) if acting.get(None) is None else now().astimezone(tz)


_EVERYWHERE: dict[str, tuple[object, object]] = {"random": (random, _Random), "secrets": (secrets, _Secrets)}
_IN_COMMANDS: dict[str, tuple[object, object]] = {"datetime": (datetime, _Datetime), "time": (time, _Time)}
"""What a module has under a name, and what it gets instead."""


def now() -> datetime:
    """What the clock of the one who acts shows."""
    running = acting.get()
    return datetime.fromtimestamp(running.world.clock_of(running.who), tz=UTC)


class _LogLine:
    """Put into words only if somebody reads it."""

    def __init__(self, message: str, details: dict[str, Any]) -> None:
        self._message = message
        self._details = details

    def __str__(self) -> str:
        return f"logs: {self._message} {self._details or ''}"


def _log(message: str, *_: Any, **details: Any) -> None:
    running = acting.get()
    running.world.tell(running.who, _LogLine(message, details))


def _emit(measurements: Any, *, flywheel_name: str) -> None:
    found: list[Measurement] = list(measurements)
    acting.get().world.measured(flywheel_name, found)


@contextmanager
def installed() -> Iterator[None]:
    """While the block runs, handlers are imported anew, for the simulation; afterwards everything is as it was."""
    import aws_lambda_powertools  # noqa: F401 - it is slow, and not part of what is imported anew

    kept = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "handlers"}
    for name in kept:
        del sys.modules[name]
    changed: list[tuple[Any, str, Any]] = []

    def change(where: Any, name: str, value: Any) -> None:
        changed.append((where, name, where.__dict__.get(name, _ABSENT)))
        setattr(where, name, value)

    if _IN_MEMORY.is_dir() and os.access(_IN_MEMORY, os.W_OK):
        # Functions and Comprehend make dozens of folders in a schedule. On a disk each takes eight times as long.
        change(tempfile, "tempdir", str(_IN_MEMORY))
    change(boto3, "client", clients.client)
    change(environments.Environment, "load", classmethod(_EnvironmentOfFunction))
    try:
        _prepare(change)
        yield
    finally:
        for where, name, value in reversed(changed):
            if value is _ABSENT:
                delattr(where, name)
            else:
                setattr(where, name, value)
        for name in [name for name in sys.modules if name.split(".")[0] == "handlers"]:
            del sys.modules[name]
        sys.modules.update(kept)
        _environments.clear()


def _prepare(change: Callable[[Any, str, Any], None]) -> None:
    clock, measuring = importlib.import_module("handlers.clock"), importlib.import_module("handlers.measuring")
    change(clock, "now", now)
    change(measuring, "emit", _emit)
    cloudformation = importlib.import_module("handlers.cloudformation")
    change(cloudformation, "threading", SimpleNamespace(Lock=_Lock, Timer=_Timer))
    opened = SimpleNamespace(Request=urllib.request.Request, urlopen=_urlopen)
    change(cloudformation, "urllib", SimpleNamespace(request=opened))
    observability = importlib.import_module("handlers.observability")
    for level in ("debug", "info", "warning", "error", "exception"):
        change(observability.logger, level, _log)
    commands = [importlib.import_module("ops.deployment.polling"), *_modules_of("ops.verbs")]
    for module in (*_modules_of("flywheel"), *commands):
        if "ThreadPoolExecutor" in module.__dict__:
            change(module, "ThreadPoolExecutor", _OneAfterTheOther)
        for name, (real, ours) in (_EVERYWHERE | (_IN_COMMANDS if module in commands else {})).items():
            if module.__dict__.get(name) is real:
                change(module, name, ours)


def _modules_of(package: str) -> list[ModuleType]:
    import pkgutil

    root = importlib.import_module(package)
    names = [found.name for found in pkgutil.walk_packages(root.__path__, f"{package}.")]
    return [importlib.import_module(name) for name in sorted(names)]


def handler(module: str) -> Callable[[dict[str, Any], Any], Any]:
    """The handler of `handlers.turn.begin_turn`."""
    return _handler_in(importlib.import_module(module))


def handler_of_its_own(module: str) -> Callable[[dict[str, Any], Any], Any]:
    """The same in a module that nobody else has: what it keeps in memory is its own."""
    spec, code = _found(module)
    imported = importlib.util.module_from_spec(spec)
    # Annotations of its classes are looked up there.
    sys.modules[module] = imported
    exec(code, imported.__dict__)  # noqa: S102 - as importing it does
    return _handler_in(imported)


@cache
def _found(module: str) -> tuple[ModuleSpec, CodeType]:
    """A module's code: to read it takes longer than to run it."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert isinstance(spec.loader, InspectLoader)
    code = spec.loader.get_code(module)
    assert code is not None
    return spec, code


def _handler_in(imported: ModuleType) -> Callable[[dict[str, Any], Any], Any]:
    if imported.__dict__.get("time") is time:
        imported.__dict__["time"] = _Time
    found: Callable[[dict[str, Any], Any], Any] = imported.handler
    return found
