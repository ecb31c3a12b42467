"""The emulator starts where it should, and no process of it is ever left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap

import pytest

from local.cloud import CloudAccount, LocalCloud
from local.cloud.emulator_process import EmulatorProcess
from local.cloud.errors import AlreadyRunning, PortTaken
from local.cloud.places import PROJECT, Places
from local.cloud.running import find_running, record_running
from ops.local_cloud import local_command
from tests.local_cloud.resources import Aws, create_function, until

STARTS_AND_WAITS = """
    import sys, time
    from local.cloud import LocalCloud
    cloud = LocalCloud(instance=sys.argv[1])
    emulator = cloud.start()
    print(emulator.pid, emulator.token, flush=True)
    time.sleep(60)
"""


def processes_of(group: int) -> list[int]:
    """The processes of a process group, from the system's own list."""
    listed = subprocess.run(["ps", "-eo", "pid=,pgid="], capture_output=True, text=True, check=True).stdout
    pairs = [line.split() for line in listed.splitlines()]
    return [int(pid) for pid, its_group in pairs if int(its_group) == group]


@pytest.fixture
def instance(request: pytest.FixtureRequest) -> str:
    return f"tests/{os.getpid()}-{request.node.name}"


def test_emulator_and_functions_end_when_the_parent_is_killed(instance: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(STARTS_AND_WAITS), instance],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    pid, token = parent.stdout.readline().split()
    emulator = EmulatorProcess(pid=int(pid), token=token)
    assert emulator.is_alive()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    until(lambda: not processes_of(int(pid)))


def test_stop_ends_the_functions_too(instance: str) -> None:
    with LocalCloud(instance=instance) as cloud:
        emulator = cloud._emulator
        assert emulator is not None
        account = cloud.account()
        function = create_function(account, "def handle(event, context):\n    return 1\n")
        account.client("lambda").invoke(FunctionName=function)
        assert len(processes_of(emulator.pid)) > 1
    assert processes_of(emulator.pid) == []


def test_it_listens_on_the_loopback_address_only(account: CloudAccount) -> None:
    with socket.socket() as probe:
        probe.connect(("127.0.0.1", account.endpoint.port))
    others = {
        str(address[4][0]) for address in socket.getaddrinfo(socket.gethostname(), None, family=socket.AF_INET)
    } - {"127.0.0.1", "127.0.1.1"}
    for address in others:
        with socket.socket() as probe:
            probe.settimeout(1)
            assert probe.connect_ex((address, account.endpoint.port)) != 0


def test_aws_cli_works_with_the_printed_environment(account: CloudAccount, aws: Aws) -> None:
    assert aws(account, "sts", "get-caller-identity")["Account"] == account.account
    aws(account, "s3", "mb", "s3://made-with-the-cli")
    names = [bucket["Name"] for bucket in aws(account, "s3api", "list-buckets")["Buckets"]]
    assert names == ["made-with-the-cli"]


def test_second_emulator_in_a_folder_is_refused(cloud: LocalCloud) -> None:
    with pytest.raises(AlreadyRunning, match="An emulator is running in"):
        LocalCloud(instance=cloud.places.instance).start()
    assert cloud.account().client("sts").get_caller_identity()


def test_taken_port_is_said(instance: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} is in use"):
            LocalCloud(instance=instance, port=port).start()


def test_record_of_a_killed_cloud_is_noticed_and_removed(instance: str, cloud: LocalCloud) -> None:
    places = Places(instance=instance)
    places.create()
    emulator = cloud._emulator
    assert emulator is not None
    with record_running(places, emulator=emulator, endpoint=cloud.endpoint, keep=True):
        with pytest.raises(AlreadyRunning):
            find_running(places)
        found = find_running(places, refuse=False)
        assert found is not None
        assert found.endpoint == cloud.endpoint
    # The same process id, but another program: what `up` started is gone.
    stranger = EmulatorProcess(pid=os.getpid(), token="a-token-of-an-earlier-run")
    with record_running(places, emulator=stranger, endpoint=cloud.endpoint, keep=True):
        assert find_running(places) is None
        assert not places.record.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["env"], f"No local cloud is up. Start one with `{local_command('up')}`."),
        (["up", "--parameters", "nonsense"], "NAME=VALUE"),
    ],
)
def test_mistakes_get_a_sentence(arguments: list[str], said: str, instance: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        cwd=PROJECT,
        env={**os.environ, "LOCAL_CLOUD_INSTANCE": instance, "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_taken_port_from_the_command_line(instance: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            [sys.executable, "-m", "local", "up", "--port", str(taken.getsockname()[1])],
            cwd=PROJECT,
            env={**os.environ, "LOCAL_CLOUD_INSTANCE": instance, "COLUMNS": "400"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 1
    assert "is in use by another program" in done.stderr
    assert "Traceback" not in done.stderr
