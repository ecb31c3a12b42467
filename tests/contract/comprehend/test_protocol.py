"""The wire form, for clients that are not boto3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.comprehend.http.wire import handle_http
from tests.contract.comprehend_world import ACCOUNT, REGION, World
from tests.contract.stepped_clock import START


@pytest.fixture
def connection(world: World) -> Iterator[HTTPConnection]:
    opened = HTTPConnection(urlsplit(world.url).netloc)
    yield opened
    opened.close()


def post(connection: HTTPConnection, target: str, body: str) -> tuple[int, str | None, dict[str, Any]]:
    connection.request(
        "POST",
        "/",
        body=body,
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": target,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20261118/{REGION}/comprehend/aws4_request, ...",
        },
    )
    answer = connection.getresponse()
    return answer.status, answer.getheader("Content-Type"), json.load(answer)


def test_timestamps_are_seconds_and_absent_members_are_absent(world: World, connection: HTTPConnection) -> None:
    arn = world.flywheel()
    status, type_, content = post(connection, "Comprehend_20171127.DescribeFlywheel", json.dumps({"FlywheelArn": arn}))
    assert (status, type_) == (200, "application/x-amz-json-1.1")
    properties = content["FlywheelProperties"]
    assert properties["CreationTime"] == START
    assert not {"ActiveModelArn", "Message", "LatestFlywheelIteration"} & properties.keys()


def test_error_body(connection: HTTPConnection) -> None:
    arn = f"arn:aws:comprehend:{REGION}:{ACCOUNT}:flywheel/none"
    status, type_, content = post(connection, "Comprehend_20171127.DescribeFlywheel", json.dumps({"FlywheelArn": arn}))
    assert (status, type_) == (404, "application/x-amz-json-1.1")
    assert content == {
        "__type": "ResourceNotFoundException",
        "Message": f"RESOURCE_NOT_FOUND: There is no flywheel {arn}.",
    }


@pytest.mark.parametrize(
    ("target", "body", "code"),
    [
        ("", "{}", "UnknownOperationException"),
        ("Other_20171127.ListFlywheels", "{}", "UnknownOperationException"),
        ("Comprehend_20171127.NoSuchOperation", "{}", "UnknownOperationException"),
        ("Comprehend_20171127.DeleteDataset", "{}", "UnknownOperationException"),
        ("Comprehend_20171127.DetectSentiment", '{"Text": "fine", "LanguageCode": "en"}', "UnknownOperationException"),
        ("Comprehend_20171127.ListFlywheels", "{", "SerializationException"),
        ("Comprehend_20171127.ListFlywheels", "[]", "SerializationException"),
    ],
)
def test_what_cannot_be_understood(connection: HTTPConnection, target: str, body: str, code: str) -> None:
    status, _, content = post(connection, target, body)
    assert content["__type"] == code
    assert status in (400, 404)


def test_empty_body_is_an_empty_request(world: World) -> None:
    headers = {"x-amz-target": "Comprehend_20171127.ListFlywheels"}
    status, _, body = handle_http(world.service, headers, b"", ACCOUNT, REGION)
    assert (status, json.loads(body)) == (200, {"FlywheelSummaryList": []})
