"""The emulator and the local Comprehend in the test's own process, reached by boto3 without a network.

It is the code that serves the local cloud's requests; a turn takes a fraction of a second and can be killed anywhere.
"""

from __future__ import annotations

import atexit
import contextvars
import io
import json
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import boto3
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.utils import parse_timestamp

from flywheel.faults.fault_names import PASSING
from local.auto_scaling.contract import AutoScalingError
from local.auto_scaling.load import Load
from local.auto_scaling.service import AutoScaling
from local.cloud.emulator.comprehend import comprehend_service
from local.cloud.emulator.ministack import app
from local.cloud.emulator.s3 import objects
from local.cloud.emulator.step_functions import executions
from local.comprehend.clock import SystemClock
from local.comprehend.http.wire import handle_http
from local.comprehend.identifiers import Scope
from local.comprehend.service import Comprehend
from local.comprehend.settings import Settings
from local.comprehend.workers.worker_processes import WorkerProcesses
from tests.pipeline.step_roles import NotGranted, Role, needed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ACCOUNT = "111122223333"
REGION = "us-east-1"

SETTINGS = Settings(
    flywheel_creation_seconds=0,
    flywheel_deletion_seconds=0,
    dataset_ingestion_seconds=0,
    iteration_evaluation_seconds=0,
    iteration_training_seconds=0,
    job_queue_seconds=0,
    job_seconds=0,
    endpoint_creation_seconds=0,
    endpoint_update_seconds=0,
    endpoint_deletion_seconds=0,
    minimum_per_label="none",
    maximum_flywheels=1_000_000,
    maximum_endpoints=1_000_000,
    maximum_inference_units=1_000_000,
)
"""No waiting, and datasets as small as tests like them."""

SERVICES = ("s3", "comprehend", "ssm", "stepfunctions", "application-autoscaling")

_ATTEMPTS = 8
"""As many as the functions' own clients make."""


@cache
def in_process_cloud() -> InProcessCloud:
    """The one of this process. Tests keep apart by the names of their buckets and flywheels."""
    cloud = InProcessCloud()
    atexit.register(cloud.close)
    return cloud


@contextmanager
def switched(**settings: Any) -> Iterator[None]:
    """The local Comprehend under other settings while the block runs."""
    service = in_process_cloud().comprehend
    before = service.settings
    service.settings = before.merged(settings)
    try:
        yield
    finally:
        service.settings = before


@contextmanager
def short_pages(keys: int) -> Iterator[None]:
    """S3 lists so many keys on a page while the block runs; AWS lists 1,000 at most, and may always list fewer."""
    cloud = in_process_cloud()
    cloud.keys_on_a_page = keys
    try:
        yield
    finally:
        cloud.keys_on_a_page = None


class _NoAlarms:
    """Of auto scaling's policies: nobody looks at them here."""

    def put(self, *, scope: Scope, alarm: dict[str, Any]) -> None:
        pass

    def delete(self, *, scope: Scope, names: Sequence[str]) -> None:
        pass


class AdvancingClock(SystemClock):
    """The machine's clock, moved on by a test."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        return super().now() + self._ahead

    def wait_until(self, moment: float, *, stopped: threading.Event) -> None:
        while (remaining := moment - self.now()) > 0:
            # In small pieces: it may be moved on meanwhile.
            if stopped.wait(min(remaining, 0.01)):
                return

    def reset(self) -> None:
        self._ahead = 0.0

    def advance(self, time: timedelta) -> None:
        self._ahead += time.total_seconds()


class InProcessCloud:
    def __init__(self) -> None:
        executions.teach()
        objects.teach()
        for service in ("s3", "ssm", "states"):
            logging.getLogger(service).setLevel(logging.WARNING)
        self.keys_on_a_page: int | None = None
        self._one_at_a_time = threading.Lock()
        self._workers = WorkerProcesses()
        self._session = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="test", region_name=REGION)
        parsers: Any = self._session._session.get_component("response_parser_factory")
        # Listings give the same times again and again.
        parsers.set_parser_defaults(timestamp_parser=lru_cache(parse_timestamp))
        self.clock = AdvancingClock()
        self.comprehend = Comprehend(storage=self, settings=SETTINGS, clock=self.clock, workers=self._workers)
        comprehend_service.know(self.comprehend)
        self.auto_scaling = AutoScaling(
            comprehend=self.comprehend, alarms=_NoAlarms(), load=Load(), clock=self.clock.now
        )
        self.functions = self.new_functions()
        """What the pipeline uses."""
        self.kills = self.functions.kills
        self.functions_clients = self.functions.clients
        self.clients = {service: self._new_client(service) for service in SERVICES}
        """What people and tests use."""

    def new_functions(self) -> Functions:
        """Another set of clients for functions: what runs beside those of the pipeline."""
        return Functions(self._new_client)

    def close(self) -> None:
        self.comprehend.close()
        self._workers.close()

    def _new_client(self, service: str, functions: Functions | None = None) -> Any:
        """A client whose requests are answered in this process; it repeats as the functions' own do, but at once."""
        client: Any = self._session.client(
            service,  # type: ignore[call-overload]  # one overload for each service
            endpoint_url=f"http://{service}.in-process",
            config=Config(
                # Who asks is known without a signature.
                signature_version=UNSIGNED,
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
                # Nothing on the way can damage a request, and computing these takes longer than answering it.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                user_agent="tests",
            ),
        )
        answers = {"comprehend": self._ask_comprehend, "application-autoscaling": self._ask_auto_scaling}
        answer = answers.get(service, self._ask_emulator)

        def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
            if functions is not None:
                functions.check(service, request)
            if service == "s3" and self.keys_on_a_page and {"list-type", "versions"} & _parameters(request):
                request.url += f"&max-keys={self.keys_on_a_page}"
            return answer(request)

        _resolve_endpoints_once(client)
        client.meta.events.register("before-send", send)
        client.meta.events.register("needs-retry", _retry_as_the_sdk_does)
        return client

    def client(self, **_: str) -> S3Client:
        """What Comprehend reads and writes S3 with: the Storage of the local Comprehend."""
        client: S3Client = self.clients["s3"]
        return client

    def _ask_comprehend(self, request: AWSPreparedRequest) -> AWSResponse:
        status, headers, body = handle_http(
            self.comprehend, _texts(dict(request.headers)), _body(request), ACCOUNT, REGION
        )
        return _response(request, status, headers, body)

    def _ask_auto_scaling(self, request: AWSPreparedRequest) -> AWSResponse:
        operation = _texts(dict(request.headers))["X-Amz-Target"].rpartition(".")[2]
        asked = json.loads(_body(request))
        try:
            answer = self.auto_scaling.call(operation=operation, request=asked, account=ACCOUNT, region=REGION)
        except AutoScalingError as error:
            refusal = {"__type": error.code, "message": error.message}
            return _response(request, 400, {}, json.dumps(refusal).encode())
        return _response(request, 200, {}, json.dumps(answer, default=str).encode())

    def _ask_emulator(self, request: AWSPreparedRequest) -> AWSResponse:
        # One request at a time, as in the emulator's event loop: its conditional requests rely on it.
        with self._one_at_a_time:
            return contextvars.copy_context().run(_completed, _serve(request))


def _resolve_endpoints_once(client: Any) -> None:
    """Where a request goes depends on its operation and its bucket; botocore would work it out for each request."""
    resolver = client._ruleset_resolver
    resolve = resolver.construct_endpoint
    resolved: dict[tuple[str, str | None], Any] = {}

    def construct_endpoint(operation_model: Any, call_args: Any, request_context: Any) -> Any:
        key = (operation_model.name, (call_args or {}).get("Bucket"))
        if key not in resolved:
            resolved[key] = resolve(operation_model, call_args, request_context)
        return resolved[key]

    resolver.construct_endpoint = construct_endpoint


def _retry_as_the_sdk_does(response: Any, attempts: int, **_: Any) -> int | None:
    """The delay before the next attempt in seconds, None for no other attempt (botocore's protocol)."""
    if response is None or attempts >= _ATTEMPTS:
        return None
    http, parsed = response
    return 0 if http.status_code >= 500 or parsed.get("Error", {}).get("Code") in PASSING else None


def _completed(serving: Coroutine[Any, Any, AWSResponse]) -> AWSResponse:
    """Run it here and now: what these services do for one request never waits, so it needs no event loop."""
    try:
        serving.send(None)
    except StopIteration as answered:
        response: AWSResponse = answered.value
        return response
    raise RuntimeError("The emulator waited for something while it answered a request.")


async def _serve(request: AWSPreparedRequest) -> AWSResponse:
    url = urlsplit(request.url)
    headers = {"host": url.netloc, **{name.lower(): value for name, value in _texts(dict(request.headers)).items()}}
    scope = {
        "type": "http",
        "method": request.method,
        "scheme": "http",
        "path": unquote(url.path),
        "raw_path": url.path.encode(),
        "query_string": url.query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 0),
    }
    status, answered, content = 0, {}, bytearray()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": _body(request), "more_body": False}

    async def send(event: dict[str, Any]) -> None:
        nonlocal status, answered
        if event["type"] == "http.response.start":
            status = event["status"]
            answered = {name.decode(): value.decode() for name, value in event["headers"]}
        else:
            content.extend(event.get("body", b""))

    await app.app(scope, receive, send)
    return _response(request, status, answered, bytes(content))


def _texts(headers: Mapping[str, Any]) -> dict[str, str]:
    return {name: value.decode() if isinstance(value, bytes) else str(value) for name, value in headers.items()}


def _parameters(request: AWSPreparedRequest) -> set[str]:
    """The names of what stands in the query."""
    return {part.partition("=")[0] for part in urlsplit(request.url).query.split("&")}


def _body(request: AWSPreparedRequest) -> bytes:
    body: Any = request.body
    if body is None:
        return b""
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    if isinstance(body, str):
        return body.encode()
    content: bytes = body.read()
    # It is read for the check and for the answer.
    body.seek(-len(content), io.SEEK_CUR)
    return content


class _Headers(dict[str, str]):
    """Of an answer: names in any case, as in botocore's HeadersDict, which takes several times as long."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in headers.items()})

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


class _Content(io.BytesIO):
    """What botocore reads an answer from: urllib3's response has a `stream`."""

    def stream(self, amount: int = 1 << 16, **_: Any) -> Iterator[bytes]:
        while block := self.read(amount):
            yield block


def _response(request: AWSPreparedRequest, status: int, headers: Mapping[str, str], body: bytes) -> AWSResponse:
    return AWSResponse(request.url, status, _Headers(headers), _Content(body))  # type: ignore[arg-type]  # what AWSResponse reads of headers and of a raw answer


MUTATING = frozenset(
    {
        "PutObject",
        "DeleteObject",
        "CopyObject",
        "CreateMultipartUpload",
        "CompleteMultipartUpload",
        "UploadPart",
        "UploadPartCopy",
        "CreateFlywheel",
        "DeleteFlywheel",
        "TagResource",
        "UntagResource",
        "CreateDataset",
        "StartFlywheelIteration",
        "StartDocumentClassificationJob",
        "UpdateFlywheel",
        "DeleteDocumentClassifier",
        "PutParameter",
        "StartExecution",
        "CreateEndpoint",
        "UpdateEndpoint",
        "DeleteEndpoint",
        "RegisterScalableTarget",
        "DeregisterScalableTarget",
        "PutScalingPolicy",
        "DeleteParameters",
        "PutResourcePolicy",
        "DeleteResourcePolicy",
    }
)


class Functions:
    """The clients that functions use: they can be killed, and get no more than the role of the function that runs."""

    def __init__(self, new_client: Callable[[str, Functions], Any]) -> None:
        self.clients = {service: new_client(service, self) for service in SERVICES}
        self.kills = Kills(*self.clients.values())
        self._role: Role | None = None
        self._refusals: list[NotGranted] = []

    @contextmanager
    def acting_as(self, role: Role | None) -> Iterator[None]:
        """None: somebody who may do anything, such as a test. Raises NotGranted, also if a step made do without."""
        before, self._role = self._role, role
        try:
            yield
        finally:
            self._role = before
            refusals, self._refusals = self._refusals, []
            if refusals:
                raise refusals[0]

    def check(self, service: str, request: AWSPreparedRequest) -> None:
        if self._role is not None:
            checks = needed(service, request, _body(request), account=ACCOUNT, region=REGION)
            try:
                self._role.require(checks, account=ACCOUNT, region=REGION)
            except NotGranted as refusal:
                self._refusals.append(refusal)
                raise


class Killed(Exception):
    """The function was killed: every request it would still have sent raises this as well."""


class Kills:
    """Kills what uses the clients it watches after a number of requests that changed something.

    Killed after request k was answered, and before request k + 1 is sent, leave the same behind: what is in memory is
    lost either way. So one kill for each k, from 0 on, is every place at which a process can die.
    """

    def __init__(self, *clients: Any) -> None:
        self.requests: list[str] = []
        """The operations that changed something since `reset`, in order."""
        self._limit: int | None = None
        self._dead = False
        self._lock = threading.Lock()
        for client in clients:
            client.meta.events.register("before-call", self._before)
            client.meta.events.register("after-call", self._after)

    def reset(self, *, after: int | None = None) -> None:
        """Come to life, and die after so many changes; None: never."""
        with self._lock:
            self.requests = []
            self._limit = after
            self._dead = False

    @property
    def struck(self) -> bool:
        return self._dead

    def _before(self, model: Any, **_: Any) -> None:
        with self._lock:
            if self._limit is not None and len(self.requests) >= self._limit and model.name in MUTATING:
                self._dead = True
            if self._dead:
                raise Killed(model.name)

    def _after(self, model: Any, http_response: Any, **_: Any) -> None:
        if model.name in MUTATING and http_response.status_code < 300:
            with self._lock:
                self.requests.append(model.name)
