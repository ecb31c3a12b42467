"""Every member of Comprehend's answers is optional in the API's model: without any one of them nobody stumbles.

A full answer to each operation that the pipeline calls is made from the SDK's model, and given without one member
after the other to whatever reads it. The reader does without, or says by a typed error which member is missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

import boto3
import pytest
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.config import Config
from botocore.model import ListShape, Shape, StructureShape
from botocore.session import get_session

from flywheel.comprehend.active_model import ActiveModelService
from flywheel.comprehend.endpoint import EndpointService
from flywheel.comprehend.flywheel import FlywheelService
from flywheel.comprehend.imported_models import ImportedModels
from flywheel.comprehend.live_endpoint import LiveEndpoint
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.faults.errors import IncompleteAnswer
from flywheel.records.uploads import Split

ARN = "arn:aws:comprehend:us-east-1:111122223333:flywheel/news"
ENDPOINT = "arn:aws:comprehend:us-east-1:111122223333:document-classifier-endpoint/news"
MODEL = "arn:aws:comprehend:us-east-1:111122223333:document-classifier/news/version/1"


class Answering:
    """A client whose every answer is full, but for one member of one operation's."""

    def __init__(self) -> None:
        self.client: Any = boto3.client(
            "comprehend",
            region_name="us-east-1",
            config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
        )
        self.asked: set[str] = set()
        self.answers: dict[str, Any] = {}
        answer: Any = self._answer
        self.client.meta.events.register("before-send", answer)

    def _answer(self, request: Any, **_: object) -> AWSResponse:
        operation = request.headers["X-Amz-Target"]
        operation = (operation.decode() if isinstance(operation, bytes) else operation).rpartition(".")[2]
        self.asked.add(operation)
        body = json.dumps(self.answers.get(operation, full_answer(operation))).encode()
        return AWSResponse(request.url, 200, HeadersDict({}), _Content(body))  # type: ignore[arg-type]  # what AWSResponse reads of a raw answer


class _Content:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._body


def full_answer(operation: str) -> Any:
    return _sample(_shape(operation), "")


@cache
def _shape(operation: str) -> Shape | None:
    return get_session().get_service_model("comprehend").operation_model(operation).output_shape


def _sample(shape: Shape | None, name: str) -> Any:
    if isinstance(shape, StructureShape):
        # One page: the token of the next one would have to end somewhere.
        return {member: _sample(of, member) for member, of in shape.members.items() if member != "NextToken"}
    if isinstance(shape, ListShape):
        return [_sample(shape.member, name)]
    if shape is None:
        return {}
    if shape.type_name == "string":
        values = getattr(shape, "enum", [])
        # A status that lets readers go all the way.
        far = [value for value in ("COMPLETED", "IN_SERVICE", "TRAINED_WITH_WARNING", "ACTIVE") if value in values]
        return (far or values or [MODEL if name.endswith("Arn") else "text"])[0]
    return {"timestamp": 1_795_000_000.0, "boolean": True}.get(shape.type_name, 1)


def without_each(answer: Any, shape: Shape | None, path: str = "") -> Iterator[tuple[str, Any]]:
    """The path of each member that the model does not require, and the answer without it."""
    if isinstance(shape, ListShape):
        yield from ((at, [less]) for at, less in without_each(answer[0], shape.member, path))
    if isinstance(shape, StructureShape):
        for member, value in answer.items():
            at = f"{path}.{member}".lstrip(".")
            if member not in shape.required_members:
                yield at, {name: kept for name, kept in answer.items() if name != member}
            yield from (
                (below, {**answer, member: less}) for below, less in without_each(value, shape.members[member], at)
            )


READERS: dict[str, Callable[[Any], Any]] = {
    "describe": lambda client: flywheel(client).describe(),
    "tags": lambda client: flywheel(client).tags(),
    "datasets": lambda client: flywheel(client).datasets(),
    "dataset": lambda client: flywheel(client).dataset("train-1"),
    "create_dataset": lambda client: flywheel(client).create_dataset(
        name="train-1", split=Split.TRAIN, s3_uri="s3://b/k/", delimiter=None, token="t"
    ),
    "iterations": lambda client: list(flywheel(client).iterations()),
    "iteration": lambda client: flywheel(client).iteration("20220907T214613Z"),
    "start_iteration": lambda client: flywheel(client).start_iteration(token="t"),
    "start_job": lambda client: flywheel(client).start_job(
        model_arn=MODEL, documents_uri="s3://b/k", output_uri="s3://b/o", name="job", token="t"
    ),
    "find": lambda client: flywheel(client).jobs.find("1"),
    "find_active_model": lambda client: flywheel(client).find_active_model(),
    "set_active_model": lambda client: flywheel(client).set_active_model(MODEL),
    "task_of": lambda client: flywheel(client).task_of(MODEL),
    "flywheel_of": lambda client: flywheel(client).flywheel_of(cast("Any", flywheel(client).models.describe(MODEL))),
    "own_models": lambda client: imported(client).own_models(),
    "task_of_import": lambda client: imported(client).task_of(MODEL),
    "import_version": lambda client: imported(client).import_version(MODEL),
    "blocked_by": lambda client: flywheel(client).blocked_by(),
    "describe_model": lambda client: flywheel(client).models.describe(MODEL),
    "trained_by": lambda client: flywheel(client).models.trained_by(ARN),
    "delete_model": lambda client: flywheel(client).models.delete(MODEL),
    "score": lambda client: flywheel(client).models.score(MODEL),
    "describe_endpoint": lambda client: endpoint(client).describe(),
    "create_endpoint": lambda client: endpoint(client).create(
        flywheel_arn=ARN, model_arn=MODEL, units=1, role_arn=None, tags={}
    ),
    "move_endpoint": lambda client: endpoint(client).move(flywheel_arn=ARN, model_arn=MODEL, role_arn=None, units=1),
    "scale_endpoint": lambda client: endpoint(client).scale(2),
    "delete_endpoint": lambda client: endpoint(client).delete(),
    "classify": lambda client: live(client).classify("text"),
    "look": lambda client: live(client).look(),
}


def flywheel(client: Any) -> FlywheelService:
    return FlywheelService(comprehend=client, flywheel_arn=ARN, kind=DOCUMENT_CLASSIFICATION)


def imported(client: Any) -> ImportedModels:
    class Bucket:
        def tags(self) -> dict[str, str]:
            return {}

    name = MODEL.partition("/version/")[0]
    return ImportedModels(comprehend=client, kind=DOCUMENT_CLASSIFICATION, intake=cast("Any", Bucket()), model_arn=name)


def endpoint(client: Any) -> EndpointService:
    return EndpointService(comprehend=client, arn=ENDPOINT)


def live(client: Any) -> LiveEndpoint:
    return LiveEndpoint(comprehend=client, kind=DOCUMENT_CLASSIFICATION, arn=ENDPOINT, clock=lambda: datetime.now(UTC))


@pytest.fixture(scope="module")
def answering() -> Answering:
    return Answering()


_SERVICES = (ActiveModelService, FlywheelService, ImportedModels, EndpointService, LiveEndpoint)


def test_every_reader_is_tried() -> None:
    own = {name for kind in _SERVICES for name in vars(kind) if name[0] != "_"}
    aliases = {
        "scale": "scale_endpoint",
        "move": "move_endpoint",
        "create": "create_endpoint",
        "delete": "delete_endpoint",
    }
    readers = {aliases.get(name, name) for name in own} - {
        "arn",
        "at",
        "exceptions",
        "dataset_arn",
        "operation",
        "place",
        "version_arn",
    }
    assert readers <= READERS.keys()


@pytest.mark.parametrize("reader", READERS)
def test_no_member_of_an_answer_is_taken_for_granted(answering: Answering, reader: str) -> None:
    answering.asked.clear()
    answering.answers.clear()
    READERS[reader](answering.client)
    for operation in sorted(answering.asked):
        for path, answer in without_each(full_answer(operation), _shape(operation)):
            answering.answers = {operation: answer}
            assert _missing(READERS[reader], answering.client) in (None, path.rpartition(".")[2]), (operation, path)


def _missing(read: Callable[[Any], Any], client: Any) -> str | None:
    try:
        read(client)
    except IncompleteAnswer as error:
        return error.member
    return None


def test_an_endpoint_of_which_little_is_said(answering: Answering) -> None:
    """While it is CREATING, say, no model and no units have to be there."""
    answering.answers = {"DescribeEndpoint": {"EndpointProperties": {"Status": "CREATING"}}}
    found = endpoint(answering.client).describe()
    assert found
    assert (found.status, found.model_arn, found.desired_units, found.flywheel_arn) == ("CREATING", None, None, None)
