"""The host as a program: it says its address, answers there and ends at Ctrl-C."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from ops.server.host import listening

_PROGRAM = """
from starlette.routing import Route
from ops.server.answers import json_route
from ops.server.host import serve
from ops.commands.local_host import show_page
show_page([Route("/api/thing", json_route(lambda _: "said", policy="-"))], "console", no_open=True, port={port})
"""


@contextmanager
def program(port: int = 0) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM.format(port=port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_at_the_address_that_it_prints_until_it_is_ended(end: signal.Signals) -> None:
    with program() as process:
        assert process.stdout
        address = urlsplit(process.stdout.readline().strip())
        token = address.fragment.removeprefix("token=")
        connection = http.client.HTTPConnection(str(address.hostname), address.port or 0, timeout=30)
        connection.request("GET", "/api/thing", headers={"X-Flywheel-Token": token})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b'"said"')
        assert "server" not in {name.lower() for name, _ in answer.getheaders()}
        # The connection is still open: it keeps nobody waiting.
        process.send_signal(end)
        _, errors = process.communicate(timeout=30)
        assert "Traceback" not in errors


def test_a_port_that_is_taken_is_told_in_a_sentence() -> None:
    with listening(0) as taken, program(taken.getsockname()[1]) as process:
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"Port {taken}" not in errors
    assert "cannot be used (Address already in use)" in errors


def test_no_other_machine_reaches_it() -> None:
    with listening(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
