"""The record of a local cloud that `up` started: `env`, `logs` and `down` find it, and a killed one is noticed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.cloud.emulator_process import EmulatorProcess
from local.cloud.endpoint import MOST_ACCOUNTS, Endpoint
from local.cloud.errors import AlreadyRunning, LocalCloudError
from local.cloud.local_cloud import CloudAccount
from local.cloud.places import Places
from local.cloud.progress import Progress
from ops.deployment.local_cloud import local_command


@dataclass(frozen=True, kw_only=True)
class Running:
    """A local cloud that is up, started by another process."""

    emulator: EmulatorProcess
    endpoint: Endpoint
    accounts: Sequence[str]
    places: Places

    def account(self, number: str | None = None) -> CloudAccount:
        """An account that is up (the first one unless named by its 12 digits). Raises LocalCloudError for any other."""
        if number is not None and number not in self.accounts:
            raise LocalCloudError(
                f"Account {number} is not up. {_listed(self.accounts)} up. More are with "
                f"`{local_command('up --accounts N')}`, at most {MOST_ACCOUNTS}."
            )
        endpoint = self.endpoint.in_account(number or self.endpoint.account)
        return CloudAccount(endpoint=endpoint, places=self.places, progress=Progress())

    def end(self) -> None:
        self.emulator.end()
        self.places.record.unlink(missing_ok=True)


def find_running(places: Places, *, refuse: bool = True) -> Running | None:
    """The local cloud that is up in this folder, if any; the record of one that was killed is removed.

    With `refuse`, one that is up raises AlreadyRunning.
    """
    if not places.record.exists():
        return None
    record = json.loads(places.record.read_text())
    emulator = EmulatorProcess(pid=record["pid"], token=record["token"])
    if not emulator.is_alive():
        places.record.unlink(missing_ok=True)
        return None
    endpoint = Endpoint(
        port=record["port"], authority=Path(record["authority"]), account=record["account"], region=record["region"]
    )
    if refuse:
        raise AlreadyRunning(
            f"A local cloud is up already, on port {endpoint.port}. Use it, or end it with `python -m local down`."
        )
    return Running(emulator=emulator, endpoint=endpoint, accounts=tuple(record["accounts"]), places=places)


@contextmanager
def record_running(
    places: Places, *, emulator: EmulatorProcess, endpoint: Endpoint, accounts: Sequence[str], keep: bool
) -> Iterator[None]:
    """Keep the record while the block runs; after it as well when `keep`, unless the block failed."""
    places.record.write_text(
        json.dumps(
            {
                "pid": emulator.pid,
                "token": emulator.token,
                "port": endpoint.port,
                "authority": str(endpoint.authority),
                "account": endpoint.account,
                "accounts": list(accounts),
                "region": endpoint.region,
            }
        )
    )
    try:
        yield
    except BaseException:
        places.record.unlink(missing_ok=True)
        raise
    if not keep:
        places.record.unlink(missing_ok=True)


def _listed(accounts: Sequence[str]) -> str:
    *others, last = accounts
    return f"{', '.join(others)} and {last} are" if others else f"Only {last} is"
