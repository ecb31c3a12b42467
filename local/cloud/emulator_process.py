"""The emulator as a child process: started, waited for, ended, and never left behind.

It runs in a process group of its own together with the functions it starts. It holds the read end of a pipe whose
other end its parent keeps open: when the parent dies, however it dies, the pipe closes and the emulator ends itself.
A detached one has no such pipe; `down` finds it by the record that `up` wrote.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.cloud.certificates import Certificates
from local.cloud.endpoint import Endpoint
from local.cloud.errors import AlreadyRunning, LocalCloudError, PortTaken
from local.cloud.places import PROJECT, Places

_READY_WITHIN = 60.0
# Nothing has to be saved, so an emulator that waits for an open connection is not waited for.
_END_WITHIN = 2.0
# Functions and tools must not see what the user's shell happens to hold; only this is handed on.
_HANDED_ON = ("HOME", "LANG", "LC_ALL", "PATH", "TZ", "USER")


@dataclass(frozen=True, kw_only=True)
class EmulatorProcess:
    """A running emulator. `token` stands on its command line and tells it from a stranger that got its process id."""

    pid: int
    token: str
    _lifeline: int | None = None
    _child: subprocess.Popen[bytes] | None = None

    def is_alive(self) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        return self.token in _command_line(self.pid)

    def end(self) -> None:
        """End the emulator and every process it started: first asked, then forced."""
        # Only while the leader lives is the number of its group certain to be ours; it stays ours until the group is
        # empty.
        if self.is_alive():
            _signal_group(self.pid, signal.SIGTERM)
            if not self._is_gone_within(_END_WITHIN):
                _signal_group(self.pid, signal.SIGKILL)
                self._is_gone_within(_END_WITHIN)
        if self._child is not None:
            self._child.wait()
        if self._lifeline is not None:
            os.close(self._lifeline)

    def _is_gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.is_alive() or _signal_group(self.pid, None):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def start_emulator(
    *,
    places: Places,
    endpoint: Endpoint,
    certificates: Certificates,
    function_python: Path,
    wait_scale: float,
    detached: bool,
) -> EmulatorProcess:
    """Start the emulator and wait until it answers.

    Raises PortTaken when the port is in use, AlreadyRunning when an emulator runs in this folder, LocalCloudError when
    the emulator ends or does not answer in time.
    """
    _refuse_taken_port(endpoint.port)
    environment = _environment(places, endpoint, certificates, function_python) | {
        "SFN_WAIT_SCALE": str(wait_scale),
        "LOCAL_CLOUD_ENDS_WITH_PARENT": "0" if detached else "1",
    }
    with _claimed(places) as claim:
        return _start(places=places, endpoint=endpoint, environment=environment, detached=detached, claim=claim)


@contextmanager
def _claimed(places: Places) -> Iterator[int]:
    """A lock on the folder, which the emulator takes over: it is free again when the emulator ends, however that is."""
    with (places.folder / "in-use").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                f"An emulator is running in {places.folder} already. End it with `python -m local down`, "
                "or wait until the program that started it is done."
            ) from None
        shutil.rmtree(places.temporary, ignore_errors=True)
        places.create()
        yield file.fileno()


def _start(
    *, places: Places, endpoint: Endpoint, environment: dict[str, str], detached: bool, claim: int
) -> EmulatorProcess:
    token = f"local-cloud-{secrets.token_hex(8)}"
    read_end, write_end = os.pipe()
    with places.emulator_log.open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "local.cloud.emulator.server", token],
            cwd=PROJECT,
            env=environment,
            pass_fds=[claim],
            stdin=subprocess.DEVNULL if detached else read_end,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    os.close(read_end)
    if detached:
        os.close(write_end)
    emulator = EmulatorProcess(pid=child.pid, token=token, _lifeline=None if detached else write_end, _child=child)
    try:
        _wait_until_ready(emulator, endpoint, places.emulator_log)
    except BaseException:
        emulator.end()
        raise
    return emulator


def free_port() -> int:
    """A port of the loopback address that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(
    places: Places, endpoint: Endpoint, certificates: Certificates, function_python: Path
) -> dict[str, str]:
    handed_on = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    return {
        **handed_on,
        # Functions inherit these: their SDK must find the emulator and trust its certificate.
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_CA_BUNDLE": str(certificates.authority),
        "REQUESTS_CA_BUNDLE": str(certificates.authority),
        "SSL_CERT_FILE": str(certificates.authority),
        "AWS_EC2_METADATA_DISABLED": "true",
        "TMPDIR": str(places.temporary),
        "PYTHONUNBUFFERED": "1",
        "AUTH": "true",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(certificates.server),
        "MINISTACK_SSL_KEY": str(certificates.key),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(endpoint.port),
        "MINISTACK_ACCOUNT_ID": endpoint.account,
        "MINISTACK_REGION": endpoint.region,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        # The emulator removes containers it takes for its own leftovers: it must not find the user's Docker.
        "DOCKER_HOST": f"unix://{places.temporary / 'no-docker.sock'}",
        "LOG_LEVEL": "WARNING",
        "LOCAL_CLOUD_FUNCTION_PYTHON": str(function_python),
    }


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise PortTaken(
                f"Port {port} is in use by another program. Choose another with --port, "
                "or end the local cloud that uses it: `python -m local down`."
            )


def _wait_until_ready(emulator: EmulatorProcess, endpoint: Endpoint, log: Path) -> None:
    opener = endpoint.opener()
    deadline = time.monotonic() + _READY_WITHIN
    while time.monotonic() < deadline:
        if not emulator.is_alive():
            raise LocalCloudError(f"The emulator ended while it was starting. The end of {log}:\n{_tail(log)}")
        try:
            with opener.open(f"{endpoint.url}/_ministack/ready", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise LocalCloudError(f"The emulator did not answer within {_READY_WITHIN:.0f} s. The end of {log}:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])


def _command_line(pid: int) -> str:
    """The command line of a process, empty when there is none with this id."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except FileNotFoundError:
        pass
    if Path("/proc/self").exists():
        return ""
    # macOS has no /proc.
    return subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout


def _signal_group(group: int, number: signal.Signals | None) -> bool:
    """Signal every process of the group (None: none, only look); whether there was any."""
    try:
        os.killpg(group, number or 0)
    except ProcessLookupError:
        return False
    return True
