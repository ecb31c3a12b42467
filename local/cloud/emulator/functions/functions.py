"""Lambda: Python functions run through AWS's own runtime client, with what AWS gives a function and no more.

MiniStack's Python executor runs functions with the emulator's packages, whatever the layers are, and reports every
exception as `Runtime.HandlerError`, so a state machine's `Retry` on an error's name would never match. Its path for
custom runtimes serves the real Runtime API; a `bootstrap` that starts `awslambdaric` turns it into the managed Python
runtime.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

from local.cloud.emulator.cloudformation.resource_types import adjust
from local.cloud.emulator.functions.function_output import FunctionOutput
from local.cloud.emulator.ministack import lambda_runtime, lambda_svc, stepfunctions

_BOOTSTRAP = """#!/bin/sh
exec "$LOCAL_CLOUD_FUNCTION_PYTHON" -m awslambdaric "$_HANDLER"
"""

# What a function may see of the emulator's own environment: where to find AWS, and what any process needs.
_INHERITED = frozenset(
    "AWS_CA_BUNDLE AWS_EC2_METADATA_DISABLED AWS_ENDPOINT_URL HOME LANG LC_ALL LOCAL_CLOUD_FUNCTION_PYTHON PATH "
    "REQUESTS_CA_BUNDLE SSL_CERT_FILE TMPDIR".split()
)
_IDLE_SECONDS = 120.0
_LOOKS_EVERY = 5.0


def teach() -> None:
    _run_python_through_the_runtime_client()
    _let_invocations_end()
    lambda_svc.reap_idle_workers = end_idle_environments
    _give_the_managed_runtime_environment()
    _log_what_went_wrong_at_import()
    adjust("AWS::Lambda::Function", after=_reserve_concurrency)
    _name_throttles_to_state_machines()


def _is_python(configuration: dict[str, Any]) -> bool:
    return str(configuration.get("Runtime", "")).startswith("python")


def _run_python_through_the_runtime_client() -> None:
    unpack = lambda_svc._provided_runtime_code_dir
    choose_worker = lambda_runtime._worker_class_for
    execute_warm = lambda_svc._execute_function_warm

    def unpack_with_bootstrap(code: bytes) -> str:
        folder = Path(unpack(code))
        bootstrap = folder / "bootstrap"
        if not bootstrap.exists():
            # Several environments of one function may start at once: none must see half a file.
            unfinished = folder / f"bootstrap.{threading.get_ident()}"
            unfinished.write_text(_BOOTSTRAP)
            unfinished.chmod(0o755)
            unfinished.replace(bootstrap)
        return str(folder)

    def worker_for(configuration: dict[str, Any]) -> Any:
        return PythonEnvironment if _is_python(configuration) else choose_worker(configuration)

    def execute(function: dict[str, Any], event: Any, request_id: str) -> Any:
        if _is_python(function.get("config") or function):
            return lambda_svc._execute_function_provided_warm(function, event, request_id)
        return execute_warm(function, event, request_id)

    lambda_svc._provided_runtime_code_dir = unpack_with_bootstrap
    lambda_runtime._worker_class_for = worker_for
    lambda_svc._execute_function_warm = execute


class PythonEnvironment(lambda_runtime.ProvidedWorker):  # type: ignore[misc]  # MiniStack has no types
    """An execution environment whose failed start is reported under the error type that the runtime client gave, whose
    log is complete when an invocation ends, and whose invocation goes on when the function is changed or deleted."""

    def __init__(self, name: str, configuration: dict[str, Any], code: bytes) -> None:
        super().__init__(name, configuration, code)
        self._output: FunctionOutput | None = None
        self._finding_output = threading.Lock()
        self._changing = threading.Lock()
        self._busy = self._retired = False

    def invoke(self, *arguments: Any, **options: Any) -> Any:
        with self._changing:
            self._busy = True
        try:
            return super().invoke(*arguments, **options)
        finally:
            with self._changing:
                self._busy = False
            if self._retired:
                lambda_runtime.kill_workers([self])

    def retire(self) -> bool:
        """Whether an invocation is under way, with whose end this environment ends."""
        with self._changing:
            self._retired = self._busy
            return self._retired

    def _build_handler_class(self, generation: int, pending: Any) -> Any:
        return super()._build_handler_class(generation, _Patient(pending))

    def _pump_output(self, stream: Any, _log_queue: Any) -> None:
        self._output_of(stream).pump()

    def _output_of(self, stream: Any) -> FunctionOutput:
        with self._finding_output:
            if self._output is None or self._output.stream is not stream:
                self._output = FunctionOutput(stream)
            return self._output

    def _drain_stderr(self) -> str:
        process = self._proc
        # Of a process that has ended, what is left is with the last output.
        output = self._output_of(process.stdout) if process is not None else self._output
        return "\n".join(output.take()) if output is not None else ""

    def _drain_stderr_bounded(self, *_: Any, **__: Any) -> str:
        return self._drain_stderr()

    def _await_init(self, init_timeout: float | None = None) -> None:
        try:
            super()._await_init(init_timeout)
        except RuntimeError as error:
            reported = self._init_error
            if not isinstance(reported, dict):
                raise
            raise lambda_runtime.ProvidedRuntimeError(
                reported.get("errorMessage", str(error)), reported.get("errorType", "Runtime.Unknown")
            ) from error


class _Patient:
    """The events of an environment, for the thread that waits for them: it would look ten times a second."""

    def __init__(self, pending: Any) -> None:
        self._pending = pending

    def get(self, *, timeout: float) -> Any:
        return self._pending.get(timeout=max(timeout, _LOOKS_EVERY))


def end_idle_environments(ttl: float | None = None) -> int:
    """End those that did nothing for `ttl` seconds; how many. As on AWS, sooner.

    MiniStack keeps one of each function for good: 65 MB and a thread, of hundreds of functions in a long run.
    """
    limit = time.time() - (_IDLE_SECONDS if ttl is None else ttl)
    ended = []
    with lambda_runtime._lock:
        for key, environments in list(lambda_runtime._workers.items()):
            ended += [each for each in environments if not each.in_use and each.last_used < limit]
            lambda_runtime._workers[key] = [each for each in environments if each.in_use or each.last_used >= limit]
    lambda_runtime.kill_workers(ended)
    return len(ended)


def _let_invocations_end() -> None:
    """A function that is changed or deleted takes no new requests; those under way go on, as they do on AWS."""
    kill = lambda_runtime.kill_workers

    def kill_idle(workers: list[Any]) -> None:
        kill([worker for worker in workers if not (isinstance(worker, PythonEnvironment) and worker.retire())])

    lambda_runtime.kill_workers = kill_idle


def _give_the_managed_runtime_environment() -> None:
    original = lambda_svc._provided_worker_env

    def environment(configuration: dict[str, Any], code: str, port: int) -> dict[str, str]:
        variables: dict[str, str] = original(configuration, code, port)
        if not _is_python(configuration):
            return variables
        own = {name: value for name, value in variables.items() if name in _INHERITED or os.environ.get(name) != value}
        logging = configuration.get("LoggingConfig") or {}
        return {
            **own,
            "PYTHONPATH": os.pathsep.join([code, *_layer_folders(configuration)]),
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{configuration['Runtime']}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": logging.get("LogGroup") or f"/aws/lambda/{configuration['FunctionName']}",
        }

    lambda_svc._provided_worker_env = environment


def _layer_folders(configuration: dict[str, Any]) -> list[str]:
    folders = []
    for layer in configuration.get("Layers") or []:
        content = lambda_svc._resolve_layer_zip(layer)
        if content:
            folders.append(str(Path(lambda_svc._docker_extracted_dir(content, "layer")) / "python"))
    return folders


def _log_what_went_wrong_at_import() -> None:
    original = lambda_svc._execute_function_provided_warm

    def execute(function: dict[str, Any], event: Any, request_id: str) -> Any:
        result = original(function, event, request_id)
        body = result.get("body")
        if result.get("error") and not result.get("log") and isinstance(body, dict):
            result["log"] = f"[ERROR] {body.get('errorType')}: {body.get('errorMessage')}"
        return result

    lambda_svc._execute_function_provided_warm = execute


def _reserve_concurrency(name: str, properties: dict[str, Any]) -> None:
    function = lambda_svc._functions.get(name)
    if function is not None:
        reserved = properties.get("ReservedConcurrentExecutions")
        function["concurrency"] = None if reserved is None else int(reserved)


def _name_throttles_to_state_machines() -> None:
    """A function without concurrency to spare is `Lambda.TooManyRequestsException` to a `Retry`, as on AWS."""
    call = stepfunctions._call_lambda

    def call_function(function: str, event: Any) -> Any:
        try:
            return call(function, event)
        except stepfunctions._ExecutionError as error:
            # A function's own error has a name; what has none is Lambda's answer.
            if error.error == "Lambda.Unknown" and '"TooManyRequestsException"' in str(error.cause):
                raise stepfunctions._ExecutionError("Lambda.TooManyRequestsException", error.cause) from error
            raise

    stepfunctions._call_lambda = call_function
