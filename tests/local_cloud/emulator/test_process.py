"""The emulator starts where it should, and no process of it is ever left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from functools import partial

import pytest

from local.cloud import CloudAccount, LocalCloud
from local.cloud.emulator_process import EmulatorProcess, free_port
from local.cloud.endpoint import account_numbers
from local.cloud.errors import AlreadyRunning, PortTaken
from local.cloud.places import PROJECT, Places
from local.cloud.running import find_running, record_running
from ops.deployment.local_cloud import local_command
from tests.local_cloud.resources import Aws, create_function, stack_status, until

STARTS_AND_WAITS = """
    import sys, time
    from local.cloud import LocalCloud
    cloud = LocalCloud(instance=sys.argv[1])
    emulator = cloud.start()
    print(emulator.pid, emulator.token, flush=True)
    time.sleep(60)
"""


def local(instance: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m local` as somebody calls it."""
    return subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        cwd=PROJECT,
        env={**os.environ, "LOCAL_CLOUD_INSTANCE": instance, "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


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
    of_cloud = partial(record_running, endpoint=cloud.endpoint, accounts=[cloud.endpoint.account], keep=True)
    with of_cloud(places, emulator=emulator):
        with pytest.raises(AlreadyRunning):
            find_running(places)
        found = find_running(places, refuse=False)
        assert found is not None
        assert found.endpoint == cloud.endpoint
    # The same process id, but another program: what `up` started is gone.
    stranger = EmulatorProcess(pid=os.getpid(), token="a-token-of-an-earlier-run")
    with of_cloud(places, emulator=stranger):
        assert find_running(places) is None
        assert not places.record.exists()


def test_variables_of_an_account_that_is_up(instance: str, cloud: LocalCloud) -> None:
    places, emulator = Places(instance=instance), cloud._emulator
    places.create()
    assert emulator is not None
    numbers = account_numbers(2)
    assert numbers == [cloud.endpoint.account, "234567890123"]
    with record_running(places, emulator=emulator, endpoint=cloud.endpoint, accounts=numbers, keep=True):
        for arguments, number in (([], numbers[0]), (["--account", numbers[1]], numbers[1])):
            done = local(instance, "env", *arguments)
            assert f"export AWS_ACCESS_KEY_ID={number}\n" in done.stdout
        refused = local(instance, "env", "--account", "999999999999")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Account 999999999999 is not up. 123456789012 and 234567890123 are up." in refused.stderr
    assert "up --accounts N" in refused.stderr


def test_two_accounts_from_the_command_line(instance: str) -> None:
    try:
        done = local(instance, "up", "--accounts", "2", "--detach", "--port", str(free_port()))
        assert done.returncode == 0, done.stderr
        assert "with the app in account 123456789012" in done.stdout
        assert local_command("env --account 234567890123") in done.stdout
        running = find_running(Places(instance=instance), refuse=False)
        assert running is not None
        first, second = (running.account(number) for number in running.accounts)
        assert (first.account, second.account) == ("123456789012", "234567890123")
        assert {stack_status(each, "CDKToolkit") for each in (first, second)} == {"CREATE_COMPLETE"}
        assert stack_status(first, "news-flywheel") == "CREATE_COMPLETE"
        assert stack_status(second, "news-flywheel") == "DELETE_COMPLETE"
        assert local(instance, "logs", "--account", "234567890123").returncode == 0
    finally:
        down = local(instance, "down")
    assert "The local cloud is down." in down.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["env"], f"No local cloud is up. Start one with `{local_command('up')}`."),
        (["env", "--account", "234567890123"], f"No local cloud is up. Start one with `{local_command('up')}`."),
        (["up", "--parameters", "nonsense"], "NAME=VALUE"),
        (["up", "--accounts", "0"], "greater than or equal to 1"),
        (["up", "--accounts", "10"], "less than or equal to 9"),
    ],
)
def test_mistakes_get_a_sentence(arguments: list[str], said: str, instance: str) -> None:
    done = local(instance, *arguments)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_taken_port_from_the_command_line(instance: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = local(instance, "up", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "is in use by another program" in done.stderr
    assert "Traceback" not in done.stderr
