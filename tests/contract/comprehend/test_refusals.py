"""How requests are refused that no client of AWS should repeat, and how a defect of the service itself shows."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from local.comprehend.http.wire import handle_http
from tests.contract.comprehend_world import ACCOUNT, REGION, World
from tests.contract.error_codes import refused

TARGET = "Comprehend_20171127."


def ask(world: World, operation: str, body: bytes, **where: str) -> tuple[int, str, str]:
    """Status, code and message."""
    headers = {"X-Amz-Target": f"{TARGET}{operation}"}
    status, _, answer = handle_http(world.service, headers, body, ACCOUNT, REGION, **where)
    content = json.loads(answer)
    return status, content.get("__type", ""), content.get("Message", "")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ExpiredTokenException", 400),
        ("ResourceConflict", 400),
        ("ResourceNotFoundException", 404),
        ("TooManyRequestsException", 429),
        ("InternalFailure", 500),
        ("ServiceUnavailable", 503),
    ],
)
def test_a_fault_has_the_status_that_its_code_calls_for(world: World, code: str, status: int) -> None:
    world.administration("POST", "faults", {"operation": "ListFlywheels", "code": code})
    with refused(code) as refusal:
        world.client.list_flywheels()
    assert refusal.status == status


def test_the_status_of_a_fault_can_be_said(world: World) -> None:
    world.administration("POST", "faults", {"operation": "ListFlywheels", "code": "Odd", "status": 418})
    with refused("Odd") as refusal:
        world.client.list_flywheels()
    assert refusal.status == 418
    assert world.administration("POST", "faults", {"operation": "ListFlywheels", "status": 200})[0] == 400


def test_a_defect_is_an_internal_error_and_logged(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> dict[str, Any]:
        raise KeyError("a defect")

    monkeypatch.setitem(world.service._operations, "ListFlywheels", broken)
    with caplog.at_level(logging.ERROR), refused("InternalServerException") as refusal:
        world.client.list_flywheels()
    assert refusal.status == 500
    assert "a defect" in caplog.text
    assert "a defect" not in refusal.message
    world.client.list_datasets()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("PUT", "/"), ("POST", "/service/Comprehend"), ("POST", "/x")]
)
def test_only_post_to_the_root_is_answered(world: World, method: str, path: str) -> None:
    status, code, message = ask(world, "ListFlywheels", b"{}", method=method, path=path)
    assert (status, code) == (404, "UnknownOperationException")
    assert f"{method} {path}" in message


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 3000 + b"]" * 3000,
        b'{"Filter":' * 3000 + b"{}" + b"}" * 3000,
        b'{"a":' * 150 + b"{}" + b"}" * 150,
        b"\xff{}",
        b'{"MaxResults": NaN}',
        b'{"NextToken": "\\ud83d"}',
        b'{"MaxResults": ' + b"1" * 5000 + b"}",
        b'"text"',
    ],
    ids=lambda body: repr(body[:12]),
)
def test_a_body_that_is_no_sensible_json(world: World, body: bytes) -> None:
    status, code, _ = ask(world, "ListFlywheels", body)
    assert (status, code) == (400, "SerializationException")


@pytest.mark.parametrize("body", [b"{}", b'{"Text": 5}', b'{"Text": "fine", "LanguageCode": "en"}'])
def test_what_is_not_provided_is_said_before_anything_else(world: World, body: bytes) -> None:
    status, code, message = ask(world, "DetectSentiment", body)
    assert (status, code) == (400, "UnknownOperationException")
    assert message == "DetectSentiment is not provided by this local Comprehend service."


def test_an_operation_that_the_api_does_not_have(world: World) -> None:
    status, code, message = ask(world, "DeleteDataset", b"{}")
    assert (status, code) == (400, "UnknownOperationException")
    assert "'DeleteDataset'" in message


def test_a_bad_value_under_the_other_code(make_world: Callable[..., World]) -> None:
    world = make_world(bad_value_error="ValidationException")
    with refused("ValidationException") as refusal:
        world.client.describe_flywheel(FlywheelArn="news")
    assert refusal.status == 400
    flywheel = world.flywheel()
    with refused("ValidationException"):
        world.client.create_endpoint(EndpointName="live", DesiredInferenceUnits=1)
    with refused("ResourceNotFoundException"):
        world.client.describe_flywheel(FlywheelArn=f"{flywheel}0")


def test_regions_without_comprehend_can_be_refused(make_world: Callable[..., World]) -> None:
    world = make_world(only_regions_with_comprehend=True)
    with refused("UnrecognizedClientException") as refusal:
        world.client_of(region="eu-north-1").list_flywheels()
    assert "eu-north-1" in refusal.message
    world.client_of(region="eu-west-1").list_flywheels()
