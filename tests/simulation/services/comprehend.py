"""The local Comprehend service on the kernel's clock: its background work are processes, its models are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, cast

from botocore.model import ListShape, StructureShape

from local.cloud.emulator import service_roles
from local.comprehend.errors import ComprehendError
from local.comprehend.requests.contract import service_model
from local.comprehend.service import Comprehend
from tests.simulation.api import REGION, ApiError, Caller
from tests.simulation.kernel import Kernel
from tests.simulation.services.learner import InThisProcess

if TYPE_CHECKING:
    from botocore.model import Shape
    from mypy_boto3_s3 import S3Client

    from local.comprehend.inferences import Inference
    from local.comprehend.settings import Settings
    from local.comprehend.workers.worker_processes import WorkerProcesses


class _Clock:
    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def now(self) -> float:
        return self._kernel.now

    def wait_until(self, moment: float, *, stopped: Event) -> None:  # noqa: ARG002 - the kernel ends who waits
        if moment > self._kernel.now:
            self._kernel.sleep(moment - self._kernel.now)


class _Processes(Executor):
    """In the place of threads."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def run() -> None:
            try:
                future.set_result(work(*args, **kwargs))
            except Exception as error:  # noqa: BLE001 - as an executor does
                future.set_exception(error)

        self._kernel.start(run, name="comprehend")
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        pass


class _Storage:
    """S3 as Comprehend reaches it, in the name of a role."""

    def __init__(self, s3_of: Callable[[str], S3Client]) -> None:
        self._s3_of = s3_of

    def client(self, *, role_arn: str, source_arn: str, account: str, region: str) -> S3Client:  # noqa: ARG002
        return self._s3_of(role_arn)


class ComprehendService:
    """`s3_of` gives a client that acts as the role of this ARN."""

    def __init__(self, kernel: Kernel, *, settings: Settings, folder: Path, s3_of: Callable[[str], S3Client]) -> None:
        ids = kernel.random("comprehend ids")
        workers = cast("WorkerProcesses", InThisProcess())
        self.local = Comprehend(
            storage=_Storage(s3_of),
            settings=settings,
            clock=_Clock(kernel),
            workers=workers,
            predictors=workers,
            folder=folder,
            decide=service_roles.decision_of_policy,
            threads=_Processes(kernel),
            new_id=lambda: f"{ids.getrandbits(128):032x}",
            settings_looked_at_every=float("inf"),
            observe=lambda inference: self.inferences.append((kernel.now, inference)),
        )
        self.inferences: list[tuple[float, Inference]] = []
        """What endpoints answered, and when."""

    def answer(self, operation: str, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        try:
            found = self.local.call(
                operation=operation,
                request=dict(parameters),
                account=caller.account,
                region=REGION,
                caller=caller.arn,
            )
        except ComprehendError as error:
            raise ApiError(error.code, error.message, status=error.status) from error
        answer: dict[str, Any] = _with_times(found, _output(operation))
        return answer


@cache
def _output(operation: str) -> Shape:
    return cast("Shape", service_model().operation_model(operation).output_shape)


def _with_times(value: Any, shape: Shape) -> Any:
    """What boto3 makes of an answer: times are datetimes."""
    if not _has_times(shape):
        return value
    if isinstance(shape, StructureShape):
        members = shape.members
        return {name: _with_times(member, members[name]) for name, member in value.items()}
    if isinstance(shape, ListShape):
        return [_with_times(item, shape.member) for item in value]
    return datetime.fromtimestamp(value, tz=UTC)


@cache
def _has_times(shape: Shape) -> bool:
    """Most of an answer has none, and need not be looked through."""
    if isinstance(shape, StructureShape):
        return any(map(_has_times, shape.members.values()))
    if isinstance(shape, ListShape):
        return _has_times(shape.member)
    return bool(shape.type_name == "timestamp")
