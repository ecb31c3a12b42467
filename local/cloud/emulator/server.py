"""The emulator's process: `python -m local.cloud.emulator.server TOKEN`, started by `local.cloud.emulator_process`.

Settings come in environment variables, which MiniStack reads while it is imported. TOKEN does nothing but mark the
process.
"""

from __future__ import annotations

import asyncio
import asyncio.constants
import logging
import os
import signal
import sys
import threading
from importlib import import_module
from pathlib import Path

from hypercorn.config import Config

from local.auto_scaling.load import Load
from local.cloud.emulator import service_roles
from local.cloud.emulator.auto_scaling import auto_scaling_service
from local.cloud.emulator.cloudwatch import metrics
from local.cloud.emulator.comprehend import comprehend_flywheel, comprehend_service
from local.cloud.emulator.ministack import app
from local.cloud.endpoint import Endpoint
from local.comprehend.service import Comprehend

# Modules of this package, in the order in which they are taught: a later one finds what an earlier one put in place.
_SUBJECTS = (
    *("functions.functions", "functions.powertools_layer", "parameters", "s3.buckets", "s3.objects"),
    *("messages.events", "messages.message_keys", "messages.queue_polling", "cloudwatch.metrics", "cloudwatch.alarms"),
    *("messages.bus_policies", "messages.bus_access", "messages.other_accounts"),
    *("cloudformation.templates", "cloudformation.stack_polling"),
    *("step_functions.definitions", "step_functions.execution_events", "step_functions.executions"),
    *("request_sizes", "step_functions.retries", "step_functions.put_events", "step_functions.nested_executions"),
    *("step_functions.state_machine_roles", "step_functions.task_limits", "step_functions.callbacks"),
    *("step_functions.maps_and_parallels", "api_gateway", "api_callers"),
)
_FORCED_AFTER = 5.0


def main() -> None:
    if os.environ["LOCAL_CLOUD_ENDS_WITH_PARENT"] == "1":
        threading.Thread(target=_end_with_parent, daemon=True).start()
    # A function that holds a connection open would otherwise delay the end by asyncio's 30 s.
    vars(asyncio.constants)["SSL_SHUTDOWN_TIMEOUT"] = 0.2
    logging.getLogger("asyncio").addFilter(lambda record: not _is_hurried_goodbye(record))
    # Nor does it wait for clients that keep their connections.
    Config.graceful_timeout = 0.2
    # MiniStack would take port 443 as well, which is not ours to take.
    app._port_is_bindable = lambda _host, _port: False
    _teach()
    sys.argv = ["ministack"]
    app.main()


def _teach() -> None:
    endpoint = Endpoint(port=int(os.environ["GATEWAY_PORT"]), authority=Path(os.environ["AWS_CA_BUNDLE"]))
    load = Load()
    comprehend = Comprehend(
        storage=comprehend_service.DataAccessRoles(endpoint),
        folder=Path(os.environ["TMPDIR"]) / "comprehend",
        observe=metrics.observer(load),
        decide=service_roles.decision_of_policy,
        use_key=comprehend_service.use_key,
    )
    comprehend_service.teach(comprehend)
    auto_scaling_service.teach(comprehend, load)
    comprehend_flywheel.teach(comprehend)
    for subject in _SUBJECTS:
        import_module(f"local.cloud.emulator.{subject}").teach()


def _is_hurried_goodbye(record: logging.LogRecord) -> bool:
    """Whether a record only says that a client did not answer the end of a connection in time."""
    return record.exc_info is not None and isinstance(record.exc_info[1], TimeoutError | asyncio.CancelledError)


def _end_with_parent() -> None:
    """Wait for the other end of standard input to close, which is when the parent ends, and end this process group."""
    # Not through sys.stdin: its lock would be held when the interpreter ends.
    os.read(0, 1)
    os.killpg(0, signal.SIGTERM)
    threading.Event().wait(_FORCED_AFTER)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
