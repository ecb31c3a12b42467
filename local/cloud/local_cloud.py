"""The local cloud as a Python object: for `python -m local`, the demo and the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local.cloud.cdk import Cdk
from local.cloud.certificates import ensure_certificates
from local.cloud.emulator_process import EmulatorProcess, free_port, start_emulator
from local.cloud.endpoint import Endpoint, LocalSession
from local.cloud.errors import LocalCloudError
from local.cloud.pinned_environment import ensure_function_environment
from local.cloud.places import Places
from local.cloud.progress import Progress

DEFAULT_WAIT_SCALE = 0.01


@dataclass(frozen=True, kw_only=True)
class CloudAccount:
    """One account of a local cloud that is up."""

    endpoint: Endpoint
    places: Places
    progress: Progress

    @property
    def account(self) -> str:
        return self.endpoint.account

    @property
    def region(self) -> str:
        return self.endpoint.region

    def environment(self) -> dict[str, str]:
        """The variables that point any AWS tool at this account."""
        return self.endpoint.environment()

    def session(self, *, role_arn: str | None = None) -> LocalSession:
        return self.endpoint.session(role_arn=role_arn)

    def client(self, service: str, *, role_arn: str | None = None) -> Any:
        """A boto3 client, as the account's root or as a role."""
        return self.endpoint.client(service, role_arn=role_arn)

    def comprehend_administration(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Read or set what the local Comprehend does: `method` on `/_local/comprehend/<path>`."""
        return self.endpoint.administer(method, f"/_local/comprehend/{path.lstrip('/')}", body)

    def bootstrap(self) -> None:
        """Prepare the account for the CDK, once."""
        with self.progress.step(f"Bootstrap account {self.account} for the CDK") as step:
            self._cdk.bootstrap(step=step)

    def synthesise(
        self, *, app: str | None = None, output: Path | None = None, context: Mapping[str, str] | None = None
    ) -> Path:
        """Synthesise `app` (None: the command in `cdk.json`) and return the cloud assembly's folder."""
        assembly = output or self.places.cloud_assembly
        with self.progress.step("Synthesise the app") as step:
            self._cdk.synthesise(app=app, output=assembly, context=context or {}, step=step)
        return assembly

    def deploy(
        self,
        app: str | Path | None = None,
        *,
        stacks: Sequence[str] = (),
        parameters: Mapping[str, str] | None = None,
        context: Mapping[str, str] | None = None,
    ) -> dict[str, dict[str, str]]:
        """Bootstrap if needed, synthesise if needed, deploy, and return the outputs by stack.

        `app` is a command (`"python app.py"`; None for the one in `cdk.json`) or the folder of a cloud assembly,
        which saves the synthesis. `parameters` are keyed `Stack:Name`. Raises CdkFailed with the CLI's last words.
        """
        self.bootstrap()
        assembly = app if isinstance(app, Path) else self.synthesise(app=app, context=context)
        with self.progress.step("Deploy") as step:
            return self._cdk.deploy(assembly=assembly, stacks=stacks, parameters=parameters or {}, step=step)

    def destroy(self, assembly: Path | None = None, *, stacks: Sequence[str] = ()) -> None:
        """Destroy what was deployed from `assembly` (by default the one last synthesised)."""
        with self.progress.step("Destroy") as step:
            self._cdk.destroy(assembly=assembly or self.places.cloud_assembly, stacks=stacks, step=step)

    @property
    def _cdk(self) -> Cdk:
        return Cdk(account=self.endpoint, places=self.places)


class LocalCloud:
    """An emulator with the local Comprehend in it: a context manager that starts it and always ends it.

    `instance` names the folder below `.local/` that keeps its files; `port` None takes a free one. `wait_scale`
    shortens what state machines wait (waits, retry intervals, the time-outs of the machine and of tasks that wait for
    a callback): 0.01 makes a 5 minute wait 3 s.
    """

    def __init__(
        self,
        *,
        instance: str,
        port: int | None = None,
        wait_scale: float = DEFAULT_WAIT_SCALE,
        progress: Progress | None = None,
    ) -> None:
        self.places = Places(instance=instance)
        self._port = port
        self._wait_scale = wait_scale
        self._progress = progress or Progress()
        self._emulator: EmulatorProcess | None = None
        self._endpoint: Endpoint | None = None

    def start(self, *, detached: bool = False) -> EmulatorProcess:
        """Start the emulator and wait until it answers; a detached one outlives this process."""
        self.places.create()
        with self._progress.step("Prepare the functions' Python"):
            function_python = ensure_function_environment(self.places)
        with self._progress.step("Start the emulator"):
            certificates = ensure_certificates(self.places.certificates)
            endpoint = Endpoint(port=self._port or free_port(), authority=certificates.authority)
            self._emulator = start_emulator(
                places=self.places,
                endpoint=endpoint,
                certificates=certificates,
                function_python=function_python,
                wait_scale=self._wait_scale,
                detached=detached,
            )
        self._endpoint = endpoint
        return self._emulator

    def stop(self) -> None:
        """End the emulator and the functions it runs; nothing of its state is kept."""
        if self._emulator is not None:
            self._emulator.end()
        self._emulator = None
        self._endpoint = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def endpoint(self) -> Endpoint:
        if self._endpoint is None:
            raise LocalCloudError("This local cloud is not started: call start(), or use it in a `with` block.")
        return self._endpoint

    def account(self, account: str | None = None, *, region: str | None = None) -> CloudAccount:
        """An account of this cloud (the default one unless named by its 12 digits)."""
        endpoint = self.endpoint.in_account(account or self.endpoint.account, region=region)
        return CloudAccount(endpoint=endpoint, places=self.places, progress=self._progress)
