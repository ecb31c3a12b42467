"""The AWS CLI's own examples, run with this account's names: the answers have the form that the manual prints.

The examples are read from the AWS CLI that is installed for these tests (`awscli/examples/comprehend`, what
`aws comprehend <command> help` shows). Where the manual is behind the API, the test that knows it says so.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from local.cloud import CloudAccount, LocalCloud
from local.cloud.pinned_environment import ensure_aws_cli
from tests.local_cloud.resources import create_bucket, until
from tests.local_cloud.trained_models import WORDS, data_access_role, endpoint_status, trained

_ARN = re.compile(r"arn:aws:(\w+):([a-z0-9-]*):\d{12,13}:([\w-]+)/.+")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}000)?\+00:00")
_ARCHIVE = re.compile(r"s3://[^/]+/([^/]+/)*\d{12,13}-CLN-[0-9a-zA-Z]+/output/output\.tar\.gz")
_ENDED = ("COMPLETED", "FAILED")

Cli = Callable[..., str]


@dataclass(frozen=True, kw_only=True)
class Example:
    """A command of the manual, word by word, and what it prints; None when it prints nothing."""

    command: list[str]
    output: Any

    def with_values(self, values: Mapping[str, str]) -> list[str]:
        """The command with other values of some of its options."""
        assert values.keys() <= set(self.command), "the manual names other options now"
        words = list(self.command)
        for option, value in values.items():
            words[words.index(option) + 1] = value
        return words


@pytest.fixture(scope="module")
def manual(cloud: LocalCloud) -> Callable[[str], list[Example]]:
    """The examples of a command."""
    (folder,) = ensure_aws_cli(cloud.places).parent.parent.glob("lib/python*/site-packages/awscli/examples/comprehend")
    return lambda command: _examples((folder / f"{command}.rst").read_text())


@pytest.fixture(scope="module")
def cli(cloud: LocalCloud, account: CloudAccount, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """Runs `aws` and gives what it prints. Moments are printed as version 2, whose manual this is, prints them."""
    program, folder = ensure_aws_cli(cloud.places), tmp_path_factory.mktemp("aws")
    (folder / "config").write_text("[default]\ncli_timestamp_format = iso8601\n")

    def call(*words: str) -> str:
        done = subprocess.run(
            [str(program), *words],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                **account.environment(),
                "AWS_CONFIG_FILE": str(folder / "config"),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


@dataclass(frozen=True, kw_only=True)
class Trained:
    bucket: str
    role: str
    model: str


@pytest.fixture(scope="module")
def what_is_trained(account: CloudAccount) -> Trained:
    bucket = create_bucket(account)
    role = data_access_role(account, bucket)
    return Trained(bucket=bucket, role=role, model=trained(account, role=role, bucket=bucket)[1])


def test_life_of_an_endpoint(
    account: CloudAccount, what_is_trained: Trained, cli: Cli, manual: Callable[[str], list[Example]]
) -> None:
    def in_service() -> None:
        until(lambda: endpoint_status(account, arn) == "IN_SERVICE")

    (create,) = manual("create-endpoint")
    created = json.loads(cli(*create.with_values({"--model-arn": what_is_trained.model})[1:]))
    # The manual is older than the API's member ModelArn.
    assert form(created) == {**form(create.output), "ModelArn": "comprehend document-classifier"}
    arn = created["EndpointArn"]
    assert arn.endswith(":document-classifier-endpoint/example-classifier-endpoint-1")
    in_service()

    (describe,) = manual("describe-endpoint")
    assert form(json.loads(cli(*describe.with_values({"--endpoint-arn": arn})[1:]))) == form(describe.output)

    (classify,) = manual("classify-document")
    answer = json.loads(cli(*classify.with_values({"--endpoint-arn": arn, "--text": WORDS["A"]})[1:]))
    assert form(answer) == form(classify.output)
    scores = [each["Score"] for each in answer["Classes"]]
    assert answer["Classes"][0]["Name"] == "A"
    assert scores == sorted(scores, reverse=True)
    assert abs(sum(scores) - 1) < 0.001

    scale, swap = manual("update-endpoint")
    in_service()
    assert (cli(*scale.with_values({"--endpoint-arn": arn})[1:]), scale.output) == ("", None)
    in_service()
    assert (
        account.client("comprehend").describe_endpoint(EndpointArn=arn)["EndpointProperties"]["CurrentInferenceUnits"]
        == 2
    )
    # The manual names an option that update-endpoint never had, and is older than the answer's member.
    values = {"--endpoint-arn": arn, "--active-model-arn": what_is_trained.model}
    words = ["--desired-model-arn" if word == "--active-model-arn" else word for word in swap.with_values(values)[1:]]
    assert form(json.loads(cli(*words))) == {"DesiredModelArn": "comprehend document-classifier"}
    in_service()

    (list_,) = manual("list-endpoints")
    assert form(json.loads(cli(*list_.command[1:]))) == form(list_.output)

    (delete,) = manual("delete-endpoint")
    assert (cli(*delete.with_values({"--endpoint-arn": arn})[1:]), delete.output) == ("", None)
    until(lambda: not json.loads(cli(*list_.command[1:]))["EndpointPropertiesList"])


def test_document_classification_job(
    account: CloudAccount, what_is_trained: Trained, cli: Cli, manual: Callable[[str], list[Example]]
) -> None:
    bucket, s3 = what_is_trained.bucket, account.client("s3")
    for number, text in enumerate(WORDS.values(), start=1):
        s3.put_object(Bucket=bucket, Key=f"jobdata/SampleSMStext{number}.txt", Body=text.encode())
    (start,) = manual("start-document-classification-job")
    values = {
        "--input-data-config": f"S3Uri=s3://{bucket}/jobdata/",
        "--output-data-config": f"S3Uri=s3://{bucket}/testfolder/",
        "--data-access-role-arn": what_is_trained.role,
        "--document-classifier-arn": what_is_trained.model,
    }
    started = json.loads(cli(*start.with_values(values)[1:]))
    # The manual is older than the API's member DocumentClassifierArn.
    assert form(started) == {**form(start.output), "DocumentClassifierArn": "comprehend document-classifier"}

    (describe,) = manual("describe-document-classification-job")
    words = describe.with_values({"--job-id": started["JobId"]})[1:]

    def job() -> dict[str, Any]:
        return dict(json.loads(cli(*words))["DocumentClassificationJobProperties"])

    until(lambda: job()["JobStatus"] in _ENDED)
    assert form({"DocumentClassificationJobProperties": job()}) == form(describe.output)
    (list_,) = manual("list-document-classification-jobs")
    assert form(json.loads(cli(*list_.command[1:]))) == form(list_.output)

    key = job()["OutputDataConfig"]["S3Uri"].removeprefix(f"s3://{bucket}/")
    assert key.startswith("testfolder/")
    with tarfile.open(fileobj=io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read()), mode="r:gz") as archive:
        member = archive.extractfile("predictions.jsonl")
        assert member is not None
        found = [json.loads(line) for line in member]
    assert {line["File"] for line in found} == {"SampleSMStext1.txt", "SampleSMStext2.txt"}
    line = '{"File": "SampleSMStext1.txt", "Line": "0", "Classes": [{"Name": "spam", "Score": 0.9999}]}'
    assert all(form(each) == form(json.loads(line)) for each in found)
    assert {each["Line"] for each in found} == {"0"}


def _examples(text: str) -> list[Example]:
    """The examples of a page: a command is indented after `::`, its answer after `Output::`."""
    blocks = re.split(r"\n(?=    aws comprehend )", text)[1:]
    found = []
    for block in blocks:
        command, _, rest = block.partition("\n\n")
        output = re.search(r"^Output:: *\n\n((?:    .*\n|\n)+)", rest, re.MULTILINE)
        # One page forgets the end of a string.
        answer = re.sub(r'("arn:[^"\n]*),\n', r'\1",\n', output[1]) if output else None
        found.append(
            Example(
                command=shlex.split(command.replace("\\\n", " ").replace("\n", " ")),
                output=None if answer is None else json.loads(answer),
            )
        )
    return found


def form(value: Any) -> Any:
    """What is alike in two answers: members, types, statuses, the kind of an ARN, the shape of a moment or an archive.

    Elements of a list are alike among themselves, or they all stand.
    """
    if isinstance(value, dict):
        return {name: form(member) for name, member in value.items()}
    if isinstance(value, list):
        alike = [form(each) for each in value]
        return alike[:1] if all(each == alike[0] for each in alike) else alike
    if not isinstance(value, str):
        return type(value).__name__
    if arn := _ARN.fullmatch(value):
        return f"{arn[1]} {arn[3]}"
    if _MOMENT.fullmatch(value):
        return "moment"
    if _ARCHIVE.fullmatch(value):
        return "archive"
    if value.startswith("s3://"):
        return "folder" if value.endswith("/") else "object"
    return value if re.fullmatch("[A-Z][A-Z_]{4,}", value) else "text"
