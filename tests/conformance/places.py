"""Where the questions are asked: a real account, or a local Comprehend of its own."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local.comprehend.service import Comprehend
from local.comprehend.settings import Settings
from tests.contract.folder_storage import FolderStorage
from tests.contract.http_server import server

_ONE_ATTEMPT = Config(retries={"total_max_attempts": 1, "mode": "standard"})
"""For the questions about errors: the SDK would hide a throttle."""
_ROLE_SECONDS = 30
_LOCAL_ACCOUNT = "111122223333"


class Place(Protocol):
    """`name` is that of everything the run makes."""

    name: str
    title: str
    comprehend: Any
    impatient: Any
    """A client that repeats nothing."""
    role_arn: str
    bucket: str
    patience: float
    """Seconds for an iteration; a tenth of it for anything else."""
    pause: float
    """Seconds between two looks."""

    def put(self, key: str, body: bytes) -> str:
        """Write an object into the run's bucket and return its URI."""

    def remove(self) -> list[str]:
        """Delete bucket and role, if they are there; what could not be deleted."""


@contextmanager
def local_place(name: str, settings: Mapping[str, Any], **parts: Any) -> Iterator[Place]:
    """A stand-alone local Comprehend over a folder, with these settings; `parts` are more of its arguments."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / name).mkdir()
        service = Comprehend(storage=FolderStorage(root=root), settings=Settings().merged(dict(settings)), **parts)
        http = server(service, port=0)
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield Local(name, root, f"http://127.0.0.1:{http.server_port}")
        finally:
            http.shutdown()
            thread.join()
            http.server_close()
            service.close()


class Local:
    title = "the local Comprehend"
    patience = 600.0
    pause = 0.05

    def __init__(self, name: str, root: Path, url: str) -> None:
        self.name = self.bucket = name
        self._folder = root / name
        self.role_arn = f"arn:aws:iam::{_LOCAL_ACCOUNT}:role/{name}"
        session = boto3.Session(aws_access_key_id=_LOCAL_ACCOUNT, aws_secret_access_key="test", region_name="us-east-1")
        self.comprehend: Any = session.client("comprehend", endpoint_url=url)
        self.impatient: Any = session.client("comprehend", endpoint_url=url, config=_ONE_ATTEMPT)

    def put(self, key: str, body: bytes) -> str:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return f"s3://{self.bucket}/{key}"

    def remove(self) -> list[str]:
        return []


class Account:
    """The account and Region of the environment's credentials. Makes a bucket and a role."""

    patience = 4 * 3600.0
    pause = 20.0

    def __init__(self, name: str) -> None:
        session = boto3.Session()
        self.name = name
        self.region = str(session.region_name)
        self._s3: Any = session.client("s3")
        self._iam: Any = session.client("iam")
        self.comprehend: Any = session.client("comprehend")
        self.impatient: Any = session.client("comprehend", config=_ONE_ATTEMPT)
        self.account = str(session.client("sts").get_caller_identity()["Account"])
        self.title = f"AWS, {self.region}"
        self.bucket = f"{name}-{self.account}"
        self.role_arn = f"arn:aws:iam::{self.account}:role/{name}"

    def make(self) -> None:
        where = {} if self.region == "us-east-1" else {"LocationConstraint": self.region}
        self._s3.create_bucket(Bucket=self.bucket, **({"CreateBucketConfiguration": where} if where else {}))
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "comprehend.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": self.account}},
        }
        access = {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:DeleteObject", "s3:GetBucketLocation"],
            "Resource": [f"arn:aws:s3:::{self.bucket}", f"arn:aws:s3:::{self.bucket}/*"],
        }
        self._iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=_policy(trust))
        self._iam.put_role_policy(RoleName=self.name, PolicyName="data", PolicyDocument=_policy(access))
        # Nothing tells when a new role is known everywhere.
        time.sleep(_ROLE_SECONDS)

    def put(self, key: str, body: bytes) -> str:
        self._s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def remove(self) -> list[str]:
        left = []
        for what, delete in ((self.bucket, self._remove_bucket), (self.role_arn, self._remove_role)):
            try:
                delete()
            except ClientError as error:
                if error.response["Error"]["Code"] not in {"NoSuchBucket", "NoSuchEntity"}:
                    left.append(f"{what} ({error})")
        return left

    def _remove_bucket(self) -> None:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket):
            for item in page.get("Contents", []):
                self._s3.delete_object(Bucket=self.bucket, Key=item["Key"])
        self._s3.delete_bucket(Bucket=self.bucket)

    def _remove_role(self) -> None:
        self._iam.delete_role_policy(RoleName=self.name, PolicyName="data")
        self._iam.delete_role(RoleName=self.name)


def _policy(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
