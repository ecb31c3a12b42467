"""``python -m local.comprehend`` as a process of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from tests.contract.sample_documents import LABELS, documents
from tests.contract.waiting import until

ROOT = Path(__file__).parents[3]
ACCOUNT = "111122223333"
REGION = "eu-west-1"

Start = Callable[..., str]


def client(service: str, url: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]  # one overload for each service
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="test",
        config=Config(s3={"addressing_style": "path"}),
    )


def ended(describe: Callable[[], dict[str, Any]], member: str, *passing: str) -> dict[str, Any]:
    """The described member once its status is none of ``passing``."""
    until(lambda: describe()[member]["Status"] not in passing)
    properties: dict[str, Any] = describe()[member]
    return properties


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the service with these arguments and returns its URL; each must end well when it is told to."""
    started: list[subprocess.Popen[str]] = []
    settings = tmp_path / "settings.json"
    seconds = ("flywheel_creation", "dataset_ingestion", "iteration_evaluation", "iteration_training")
    settings.write_text(json.dumps({f"{name}_seconds": 0 for name in seconds}))

    def run(*arguments: str) -> str:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.comprehend", "--port", "0", "--settings", str(settings), *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        return process.stdout.readline().split()[-1]

    yield run
    for process in started:
        process.terminate()
        output, _ = process.communicate(timeout=120)
        assert (process.returncode, output) == (0, "")


def flywheel(comprehend: Any, *, role: str) -> dict[str, Any]:
    arn = comprehend.create_flywheel(
        FlywheelName=role,
        DataAccessRoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
        DataLakeS3Uri="s3://lake-bucket",
        ModelType="DOCUMENT_CLASSIFIER",
        TaskConfig={
            "LanguageCode": "en",
            "DocumentClassificationConfig": {"Mode": "MULTI_CLASS", "Labels": list(LABELS)},
        },
    )["FlywheelArn"]
    return ended(lambda: comprehend.describe_flywheel(FlywheelArn=arn), "FlywheelProperties", "CREATING")


def ingested(comprehend: Any, arn: str) -> dict[str, Any]:
    dataset = comprehend.create_dataset(
        FlywheelArn=arn,
        DatasetName="first",
        InputDataConfig={"DocumentClassifierInputDataConfig": {"S3Uri": "s3://documents/first.csv"}},
    )["DatasetArn"]
    return ended(lambda: comprehend.describe_dataset(DatasetArn=dataset), "DatasetProperties", "CREATING")


def trained(comprehend: Any, arn: str) -> dict[str, Any]:
    id_ = comprehend.start_flywheel_iteration(FlywheelArn=arn)["FlywheelIterationId"]
    return ended(
        lambda: comprehend.describe_flywheel_iteration(FlywheelArn=arn, FlywheelIterationId=id_),
        "FlywheelIterationProperties",
        "TRAINING",
        "EVALUATING",
    )


def test_with_a_folder_for_s3(start: Start, tmp_path: Path) -> None:
    buckets = tmp_path / "buckets"
    for name in ("documents", "lake-bucket"):
        (buckets / name).mkdir(parents=True)
    (buckets / "documents" / "first.csv").write_bytes(documents())
    comprehend = client("comprehend", start("--s3-folder", str(buckets)))
    described = flywheel(comprehend, role="any")
    assert described["FlywheelArn"].startswith(f"arn:aws:comprehend:{REGION}:{ACCOUNT}:")
    assert ingested(comprehend, described["FlywheelArn"])["Status"] == "COMPLETED"
    iteration = trained(comprehend, described["FlywheelArn"])
    assert iteration["Status"] == "COMPLETED"
    assert (buckets / iteration["EvaluationManifestS3Prefix"].removeprefix("s3://")).is_dir()


def answers(url: str) -> bool:
    try:
        client("s3", url).list_buckets()
    except EndpointConnectionError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[str]:
    """An emulator of S3, IAM and STS that enforces policies; its URL."""
    log = tmp_path / "emulator.log"
    environment = {
        **os.environ,
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(free_port()),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(tmp_path),
    }
    with log.open("w") as output:
        process = subprocess.Popen([sys.executable, "-m", "ministack"], env=environment, stdout=output, stderr=output)
    url = f"http://127.0.0.1:{environment['GATEWAY_PORT']}"
    until(lambda: answers(url))
    for name in ("documents", "lake-bucket"):
        client("s3", url).create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    yield url
    process.terminate()
    process.wait(timeout=120)


def test_with_an_s3_endpoint_in_the_name_of_roles(start: Start, emulator: str) -> None:
    client("s3", emulator).put_object(Bucket="documents", Key="first.csv", Body=documents())
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    access = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:ListBucket", "s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{bucket}{keys}" for bucket in ("documents", "lake-bucket") for keys in ("", "/*")],
    }
    iam = client("iam", emulator)
    for name in ("able", "unable"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))
    iam.put_role_policy(RoleName="able", PolicyName="lake", PolicyDocument=_policy(access))
    comprehend = client("comprehend", start("--s3-endpoint", emulator, "--assume-role"))
    able = flywheel(comprehend, role="able")
    assert able["Status"] == "ACTIVE", able
    dataset = ingested(comprehend, able["FlywheelArn"])
    assert dataset["Status"] == "COMPLETED", dataset
    key = f"{dataset['DatasetS3Uri'].removeprefix('s3://lake-bucket/')}first.csv"
    copied = client("s3", emulator).get_object(Bucket="lake-bucket", Key=key)["Body"].read()
    assert copied == documents()
    for role, refused in (("unable", "ListObjectsV2"), ("nobody", "AssumeRole")):
        failed = flywheel(comprehend, role=role)
        assert failed["Status"] == "FAILED"
        assert "AccessDenied" in failed["Message"]
        assert refused in failed["Message"]


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
