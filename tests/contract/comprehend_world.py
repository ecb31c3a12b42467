"""A local Comprehend behind HTTP with boto3 clients, buckets in a folder, and a clock that tests move."""

from __future__ import annotations

import json
import threading
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.model import OperationModel

from local.cloud.emulator import service_roles
from local.comprehend.inferences import Inference
from local.comprehend.requests.contract import response_problems
from local.comprehend.service import Comprehend
from local.comprehend.settings import Settings
from local.comprehend.workers.worker_processes import WorkerProcesses
from tests.contract.folder_storage import FolderStorage
from tests.contract.http_server import server
from tests.contract.sample_documents import LABELS, documents
from tests.contract.stepped_clock import SteppedClock
from tests.contract.waiting import until

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

ACCOUNT = "111122223333"
REGION = "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/data-access"
DENIED_ROLE = f"arn:aws:iam::{ACCOUNT}:role/denied"
BUCKET = "documents"
LAKE = "lake-bucket"

# Nothing takes time, so that work is done as soon as it can be.
AT_ONCE: dict[str, Any] = {name: 0.0 for name in Settings.model_fields if name.endswith("_seconds")}


class World:
    """``settings`` are changes to settings under which nothing takes longer than it must."""

    def __init__(
        self,
        *,
        root: Path,
        workers: WorkerProcesses,
        predictors: WorkerProcesses,
        settings: dict[str, Any] | None = None,
    ) -> None:
        for bucket in (BUCKET, LAKE):
            (root / bucket).mkdir(parents=True)
        self.root = root
        self.clock = SteppedClock()
        self.inferences: list[Inference] = []
        self.service = Comprehend(
            storage=FolderStorage(root=root, denied_roles=frozenset({DENIED_ROLE})),
            settings=Settings().merged({**AT_ONCE, **(settings or {})}),
            clock=self.clock,
            workers=workers,
            predictors=predictors,
            observe=self.inferences.append,
            decide=service_roles.decision_of_policy,
        )
        self._http = server(self.service, port=0)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.client = self.client_of()

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        self.service.close()

    def client_of(
        self, *, account: str = ACCOUNT, region: str = REGION, attempts: int = 1, patience: float = 60
    ) -> ComprehendClient:
        """A boto3 client, without retries, that refuses an answer the API's model does not allow.

        ``patience`` is for how many seconds it waits for an answer.
        """
        client = boto3.client(
            "comprehend",
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="test",
            config=Config(read_timeout=patience, retries={"total_max_attempts": attempts, "mode": "standard"}),
        )
        client.meta.events.register("before-parse.comprehend", _require_modelled)
        return client

    def administration(self, method: str, path: str, content: object = None) -> tuple[int, dict[str, Any]]:
        """Status and content of a request below ``/_local/comprehend/``."""
        connection = HTTPConnection("127.0.0.1", self._http.server_port)
        try:
            body = None if content is None else json.dumps(content)
            connection.request(method, f"/_local/comprehend/{path}", body=body)
            answer = connection.getresponse()
            return answer.status, json.load(answer)
        finally:
            connection.close()

    def set(self, **changes: Any) -> None:
        self.service.settings = self.service.settings.merged(changes)

    def put(self, key: str, body: bytes, *, bucket: str = BUCKET) -> str:
        """Write an object and return its URI."""
        path = self.root / bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return f"s3://{bucket}/{key}"

    def objects(self, uri: str) -> dict[str, bytes]:
        """The objects below a URI that ends in ``/``: name after it, and content."""
        folder = self.root / uri.removeprefix("s3://")
        return {
            str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
        }

    def flywheel(self, name: str = "news", *, mode: str = "MULTI_CLASS", **members: Any) -> str:
        """Create a flywheel, wait until it is ACTIVE or FAILED and return its ARN."""
        request: dict[str, Any] = {
            "FlywheelName": name,
            "DataAccessRoleArn": ROLE,
            "DataLakeS3Uri": f"s3://{LAKE}/flywheels",
            **members,
        }
        if "ActiveModelArn" not in members:
            request.setdefault("ModelType", "DOCUMENT_CLASSIFIER")
            request.setdefault(
                "TaskConfig",
                {
                    "LanguageCode": "en",
                    "DocumentClassificationConfig": {"Mode": mode, "Labels": list(LABELS)},
                },
            )
        arn = self.client.create_flywheel(**request)["FlywheelArn"]
        until(lambda: self.flywheel_properties(arn)["Status"] != "CREATING")
        return arn

    def dataset(
        self, flywheel: str, name: str, body: bytes | None = None, *, type_: str = "TRAIN", delimiter: str | None = None
    ) -> dict[str, Any]:
        """Create a dataset of these documents, wait until it has ended and return its properties."""
        uri = self.put(f"{name}/documents.csv", documents(tag=name) if body is None else body)
        arn = self.create_dataset(flywheel, name, uri, type_=type_, delimiter=delimiter)
        until(lambda: self.dataset_properties(arn)["Status"] != "CREATING")
        return self.dataset_properties(arn)

    def create_dataset(
        self, flywheel: str, name: str, uri: str, *, type_: str = "TRAIN", delimiter: str | None = None, **members: Any
    ) -> str:
        source = {"S3Uri": uri} | ({"LabelDelimiter": delimiter} if delimiter else {})
        answer = self.client.create_dataset(
            FlywheelArn=flywheel,
            DatasetName=name,
            DatasetType=type_,  # type: ignore[arg-type]  # any string, also wrong ones
            InputDataConfig={"DataFormat": "COMPREHEND_CSV", "DocumentClassifierInputDataConfig": source},  # type: ignore[typeddict-item]  # a plain dict
            **members,
        )
        return answer["DatasetArn"]

    def iterate(self, flywheel: str) -> dict[str, Any]:
        """Run an iteration to its end and return its properties."""
        # The next one gets another second, and with it another id.
        self.clock.advance(1)
        id_ = self.client.start_flywheel_iteration(FlywheelArn=flywheel)["FlywheelIterationId"]
        until(lambda: self.iteration_properties(flywheel, id_)["Status"] not in ("TRAINING", "EVALUATING"))
        return self.iteration_properties(flywheel, id_)

    def promote(self, flywheel: str, model: str) -> None:
        self.client.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)

    def flywheel_properties(self, arn: str) -> dict[str, Any]:
        return dict(self.client.describe_flywheel(FlywheelArn=arn)["FlywheelProperties"])

    def dataset_properties(self, arn: str) -> dict[str, Any]:
        return dict(self.client.describe_dataset(DatasetArn=arn)["DatasetProperties"])

    def iteration_properties(self, flywheel: str, id_: str) -> dict[str, Any]:
        answer = self.client.describe_flywheel_iteration(FlywheelArn=flywheel, FlywheelIterationId=id_)
        return dict(answer["FlywheelIterationProperties"])

    def model_properties(self, arn: str) -> dict[str, Any]:
        answer = self.client.describe_document_classifier(DocumentClassifierArn=arn)
        return dict(answer["DocumentClassifierProperties"])


def _require_modelled(operation_model: OperationModel, response_dict: dict[str, Any], **_: object) -> None:
    if response_dict["status_code"] < 300:
        problems = response_problems(operation=operation_model.name, response=json.loads(response_dict["body"]))
        assert not problems, f"{operation_model.name} answered what its model does not allow: {problems}"
