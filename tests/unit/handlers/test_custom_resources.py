"""CloudFormation gets an answer about each custom resource, whatever happens: else the stack hangs for an hour."""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.stub import Stubber

from handlers import clients
from handlers.cloudformation import RESERVE_SECONDS, CustomResourceEvent, answered
from handlers.promotions import delete_runtime_parameters
from handlers.serving import remove_endpoint

MACHINE = "arn:aws:states:eu-west-1:111122223333:stateMachine:news-serving-serve"
LONG = 60.0
"""Seconds; nothing waits that long when all is well."""


@dataclass
class CloudFormation:
    """Where answers are sent."""

    url: str
    answers: list[dict[str, Any]] = field(default_factory=list)
    refusals: int = 0
    """So many answers are not taken."""
    bytes_taken: int = 0
    taken: threading.Event = field(default_factory=threading.Event)

    def event(self, request: str = "Delete", **more: Any) -> dict[str, Any]:
        return {
            "RequestType": request,
            "ResponseURL": self.url,
            "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/news-serving/1",
            "RequestId": "7c2f3b0e",
            "LogicalResourceId": "Removal",
            "PhysicalResourceId": "endpoint",
            **more,
        }

    @property
    def answer(self) -> tuple[str, str]:
        (only,) = self.answers
        return only["Status"], only["Reason"]


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    class Answers(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            refused = there.refusals > 0
            there.refusals -= refused
            if not refused:
                there.answers.append(json.loads(body))
                there.bytes_taken = len(body)
                there.taken.set()
            self.send_response(503 if refused else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        there = CloudFormation(url=f"http://127.0.0.1:{server.server_port}/answer")
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield there
        server.shutdown()
        thread.join()


def context(seconds: float = 120) -> Any:
    return SimpleNamespace(
        function_name="a-function",
        memory_limit_in_mb=256,
        invoked_function_arn="arn:aws:lambda:eu-west-1:111122223333:function:a-function",
        aws_request_id="1",
        get_remaining_time_in_millis=lambda: seconds * 1000,
    )


@pytest.fixture(autouse=True)
def environment(account: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVE_MACHINE_ARN", MACHINE)
    monkeypatch.setenv("PARAMETER_PREFIX", "/comprehend-flywheel/news")


@pytest.fixture
def stepfunctions() -> Iterator[Stubber]:
    with Stubber(clients.client("stepfunctions")) as stub:
        yield stub


@pytest.fixture
def ssm() -> Iterator[Stubber]:
    with Stubber(clients.client("ssm")) as stub:
        yield stub


class TestRemovalOfTheEndpoint:
    @pytest.mark.parametrize("request_type", ["Create", "Update"])
    def test_nothing_to_do_is_answered_at_once(self, cloudformation: CloudFormation, request_type: str) -> None:
        remove_endpoint.handler(cloudformation.event(request_type), context())
        assert cloudformation.answer == ("SUCCESS", "nothing to do")

    def test_the_machine_that_was_started_answers(self, cloudformation: CloudFormation, stepfunctions: Stubber) -> None:
        asked = CustomResourceEvent.model_validate(cloudformation.event())
        expected = {
            "stateMachineArn": MACHINE,
            "name": "remove-7c2f3b0e",
            "input": json.dumps({"answer": asked.model_dump()}),
        }
        stepfunctions.add_response("start_execution", {"executionArn": f"{MACHINE}:e", "startDate": 0}, expected)
        remove_endpoint.handler(cloudformation.event(), context())
        assert cloudformation.answers == []

    def test_an_event_that_lambda_repeats_is_left_to_the_machine(
        self, cloudformation: CloudFormation, stepfunctions: Stubber
    ) -> None:
        stepfunctions.add_client_error("start_execution", "ExecutionAlreadyExists")
        remove_endpoint.handler(cloudformation.event(), context())
        assert cloudformation.answers == []

    @pytest.mark.parametrize(
        "code", ["ThrottlingException", "AccessDeniedException", "StateMachineDoesNotExist", "ExecutionLimitExceeded"]
    )
    def test_a_machine_that_does_not_start_is_answered_for(
        self, cloudformation: CloudFormation, stepfunctions: Stubber, code: str
    ) -> None:
        for _ in range(8):
            stepfunctions.add_client_error("start_execution", code)
        remove_endpoint.handler(cloudformation.event(), context())
        status, reason = cloudformation.answer
        assert status == "FAILED"
        assert code in reason
        assert "billed by the hour" in reason
        assert "Destroy the stack again." in reason

    def test_an_environment_without_the_machine_is_answered_for(
        self, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SERVE_MACHINE_ARN")
        remove_endpoint.handler(cloudformation.event(), context())
        assert cloudformation.answer[0] == "FAILED"
        assert "serve_machine_arn" in cloudformation.answer[1]

    @pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
    def test_a_run_that_ended_without_an_answer_is_answered_for(
        self, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch, status: str
    ) -> None:
        for name in ("FLYWHEEL_NAME", "FLYWHEEL_ARN", "INTAKE_BUCKET", "ENDPOINT_ARN"):
            monkeypatch.setenv(name, "x")
        monkeypatch.setenv("MODEL_TYPE", "DOCUMENT_CLASSIFIER")
        report = importlib.import_module("handlers.serving.report_serving")
        started = {"answer": CustomResourceEvent.model_validate(cloudformation.event()).model_dump()}
        for given in ({"started_by": "schedule"}, started):
            detail = {"name": "remove-7c2f3b0e", "status": status, "startDate": 0, "input": json.dumps(given)}
            assert report.handler({"detail-type": "any", "detail": detail}, context()) == {}
        assert cloudformation.answer[0] == "FAILED"
        assert status in cloudformation.answer[1]


class TestRemovalOfParameters:
    def test_is_answered(self, cloudformation: CloudFormation, ssm: Stubber) -> None:
        ssm.add_response("delete_parameters", {})
        delete_runtime_parameters.handler(cloudformation.event(), context())
        assert cloudformation.answer == ("SUCCESS", "deleted")

    def test_that_failed_is_answered_for(self, cloudformation: CloudFormation, ssm: Stubber) -> None:
        ssm.add_client_error("delete_parameters", "AccessDeniedException")
        delete_runtime_parameters.handler(cloudformation.event(), context())
        assert cloudformation.answer[0] == "FAILED"
        assert "/comprehend-flywheel/news/active-model-arn" in cloudformation.answer[1]


class TestAnswers:
    def test_an_event_of_an_unknown_kind_is_answered_for(self, cloudformation: CloudFormation) -> None:
        answered(cloudformation.event("Rename"), context(), physical_id="x", work=lambda _: "done")
        assert cloudformation.answer[0] == "FAILED"
        assert "RequestType" in cloudformation.answer[1]

    def test_an_event_that_says_nobody_whom_to_answer_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="ResponseURL"):
            answered({"RequestType": "Delete"}, context(), physical_id="x", work=lambda _: "done")

    def test_whatever_is_raised_is_answered_for(self, cloudformation: CloudFormation) -> None:
        def work(_: CustomResourceEvent) -> str:
            raise ZeroDivisionError("of all things")

        answered(cloudformation.event(), context(), physical_id="x", work=work)
        assert cloudformation.answer == ("FAILED", "of all things The log of a-function says more.")

    def test_work_that_takes_too_long_is_answered_for_once(self, cloudformation: CloudFormation) -> None:
        def work(_: CustomResourceEvent) -> str:
            assert cloudformation.taken.wait(LONG)
            return "done after all"

        answered(cloudformation.event(), context(RESERVE_SECONDS), physical_id="x", work=work)
        assert cloudformation.answer == ("FAILED", "a-function was not done after 0 s.")

    def test_an_answer_that_is_not_taken_is_repeated(self, cloudformation: CloudFormation) -> None:
        cloudformation.refusals = 2
        answered(cloudformation.event(), context(), physical_id="x", work=lambda _: "done")
        assert cloudformation.answer == ("SUCCESS", "done")

    def test_one_that_is_never_taken_lets_the_function_fail_so_that_lambda_tries_again(
        self, cloudformation: CloudFormation
    ) -> None:
        cloudformation.refusals = 1000
        with pytest.raises(OSError, match="503"):
            answered(cloudformation.event(), context(), physical_id="x", work=lambda _: "done")

    @pytest.mark.parametrize("character", ["a", "\u00e9", "\U0001f600", '"'])
    def test_an_answer_has_a_size_that_cloudformation_takes(
        self, cloudformation: CloudFormation, character: str
    ) -> None:
        answered(cloudformation.event(), context(), physical_id="x", work=lambda _: character * 10_000)
        assert cloudformation.answer[0] == "SUCCESS"
        assert 1000 < cloudformation.bytes_taken <= 4096
