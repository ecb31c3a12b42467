"""The custom resource of a flywheel that begins with a model: who starts what, and what CloudFormation is told."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from handlers import clients
from tests.unit.handlers.test_custom_resources import CloudFormation, cloudformation, context

__all__ = ["cloudformation"]
MACHINE = "arn:aws:states:eu-west-1:111122223333:stateMachine:news-flywheel-create"
FLYWHEEL = "arn:aws:comprehend:eu-west-1:111122223333:flywheel/news-0000000a"
OTHER = "arn:aws:comprehend:eu-west-1:111122223333:flywheel/news-0000000b"
MODEL = "arn:aws:comprehend:eu-west-1:111122223333:document-classifier/first"
PROPERTIES = {
    "ServiceToken": "arn:aws:lambda:eu-west-1:111122223333:function:provide",
    "FlywheelArn": FLYWHEEL,
    "InitialModelArn": MODEL,
    "InitialModelData": ["s3://data/"],
    "ModelType": "DOCUMENT_CLASSIFIER",
    "LanguageCode": "en",
    "Mode": "MULTI_CLASS",
    "Labels": ["A", "B"],
    "DataAccessRoleArn": "arn:aws:iam::111122223333:role/data-access",
    "DataLakeS3Uri": "s3://lake/flywheels/",
    "DataSecurityConfig": {},
    "Tags": [{"Key": "owner", "Value": "news"}],
}
DESCRIBED = {
    "FlywheelArn": FLYWHEEL,
    "ActiveModelArn": MODEL,
    "Status": "ACTIVE",
    "DataLakeS3Uri": "s3://lake/flywheels/news-0000000a/schemaVersion=1/20261129T000000Z/",
    "CreationTime": datetime(2026, 11, 29, tzinfo=UTC),
    "TaskConfig": {
        "LanguageCode": "en",
        "DocumentClassificationConfig": {"Mode": "MULTI_CLASS", "Labels": ["B", "A"]},
    },
}


@pytest.fixture(autouse=True)
def environment(account: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREATE_MACHINE_ARN", MACHINE)
    monkeypatch.setenv("INTAKE_BUCKET", "intake")


@pytest.fixture
def comprehend() -> Iterator[Stubber]:
    with Stubber(clients.client("comprehend")) as stub:
        yield stub


def module(name: str) -> ModuleType:
    """After the environment is there, which the handlers read at their start."""
    return importlib.import_module(f"handlers.creation.{name}")


def event(at: CloudFormation, request: str, *, physical_id: str | None = FLYWHEEL) -> dict[str, Any]:
    found = at.event(request, ResourceProperties=PROPERTIES, LogicalResourceId="Flywheel")
    if physical_id is None:
        del found["PhysicalResourceId"]
        return found
    former = {**PROPERTIES, "Tags": [{"Key": "former", "Value": "1"}]}
    return {**found, "PhysicalResourceId": physical_id, "OldResourceProperties": former}


def step(at: CloudFormation, request: str, *, physical_id: str | None = FLYWHEEL, **more: Any) -> dict[str, Any]:
    """What the machine gives its steps."""
    parsed = module("events").FlywheelEvent.model_validate(event(at, request, physical_id=physical_id))
    return {"request": parsed.model_dump(mode="json", by_alias=True), **more}


class TestTheEvent:
    def test_starts_an_execution_named_after_it_which_answers(self, cloudformation: CloudFormation) -> None:
        expected = {
            "stateMachineArn": MACHINE,
            "name": "update-7c2f3b0e",
            "input": json.dumps(step(cloudformation, "Update")),
        }
        with Stubber(clients.client("stepfunctions")) as stub:
            stub.add_response("start_execution", {"executionArn": f"{MACHINE}:e", "startDate": 0}, expected)
            stub.add_client_error("start_execution", "ExecutionAlreadyExists")
            for _ in range(2):
                module("provide_flywheel").handler(event(cloudformation, "Update"), context())
            stub.assert_no_pending_responses()
        assert cloudformation.answers == []
        given = json.loads(expected["input"])["request"]
        assert given["OldResourceProperties"] == {"Tags": [{"Key": "former", "Value": "1"}]}

    def test_is_answered_if_the_machine_does_not_start(self, cloudformation: CloudFormation) -> None:
        with Stubber(clients.client("stepfunctions")) as stub:
            stub.add_client_error("start_execution", "AccessDeniedException")
            module("provide_flywheel").handler(event(cloudformation, "Create", physical_id=None), context())
        assert cloudformation.answer[0] == "FAILED"
        assert cloudformation.answers[0]["PhysicalResourceId"] == "no-flywheel"

    def test_is_answered_if_it_lacks_something(self, cloudformation: CloudFormation) -> None:
        lacking = {**event(cloudformation, "Create"), "ResourceProperties": {"FlywheelArn": FLYWHEEL}}
        module("provide_flywheel").handler(lacking, context())
        assert cloudformation.answer[0] == "FAILED"
        assert "InitialModelArn" in cloudformation.answer[1]


class TestADeletion:
    @pytest.mark.parametrize("status", ["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_IN_PROGRESS"])
    def test_by_an_update_keeps_the_flywheel(self, cloudformation: CloudFormation, status: str) -> None:
        assert self.awaited(cloudformation, status) == "NOTHING"

    @pytest.mark.parametrize(
        "status", ["DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"]
    )
    def test_of_the_stack_or_of_what_an_update_made_deletes_it(
        self, cloudformation: CloudFormation, comprehend: Stubber, status: str
    ) -> None:
        comprehend.add_response("describe_flywheel", {"FlywheelProperties": DESCRIBED}, {"FlywheelArn": FLYWHEEL})
        comprehend.add_response("delete_flywheel", {}, {"FlywheelArn": FLYWHEEL})
        assert self.awaited(cloudformation, status) == "GONE"

    def test_of_what_was_never_created_is_none(self, cloudformation: CloudFormation, comprehend: Stubber) -> None:
        assert self.awaited(cloudformation, "ROLLBACK_IN_PROGRESS", physical_id="no-flywheel") == "NOTHING"
        comprehend.add_client_error("describe_flywheel", "ResourceNotFoundException")
        assert self.awaited(cloudformation, "ROLLBACK_IN_PROGRESS") == "NOTHING"

    @staticmethod
    def awaited(at: CloudFormation, status: str, *, physical_id: str = FLYWHEEL) -> str:
        stack = {
            "StackName": "news-flywheel",
            "StackStatus": status,
            "CreationTime": datetime(2026, 11, 29, tzinfo=UTC),
        }
        with Stubber(clients.client("cloudformation")) as stub:
            stub.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": at.event()["StackId"]})
            found = module("change_flywheel").handler(step(at, "Delete", physical_id=physical_id), context())
        return str(found["awaited"])


class TestTheAnswer:
    def test_names_the_flywheel_that_replaces_another(
        self, cloudformation: CloudFormation, comprehend: Stubber
    ) -> None:
        comprehend.add_response("describe_flywheel", {"FlywheelProperties": DESCRIBED}, {"FlywheelArn": FLYWHEEL})
        with Stubber(clients.client("s3")) as stub:
            stub.add_response("put_object", {}, {"Bucket": "intake", "Key": ANY, "Body": ANY, "ContentType": ANY})
            module("report_flywheel").handler(step(cloudformation, "Update", physical_id=OTHER), context())
        assert cloudformation.answer == ("SUCCESS", f"{FLYWHEEL} is ACTIVE.")
        assert cloudformation.answers[0]["PhysicalResourceId"] == FLYWHEEL

    def test_of_a_failed_update_names_the_flywheel_that_there_was(self, cloudformation: CloudFormation) -> None:
        cause = json.dumps({"errorMessage": "It does not fit."})
        failed = step(cloudformation, "Update", physical_id=OTHER, error="FlywheelRefused", cause=cause)
        module("report_flywheel").handler(failed, context())
        assert cloudformation.answer == ("FAILED", "FlywheelRefused: It does not fit.")
        assert cloudformation.answers[0]["PhysicalResourceId"] == OTHER

    def test_of_a_flywheel_that_failed_comes_after_it_was_deleted(
        self, cloudformation: CloudFormation, comprehend: Stubber
    ) -> None:
        failed = {**DESCRIBED, "Status": "FAILED"}
        comprehend.add_response("describe_flywheel", {"FlywheelProperties": failed}, {"FlywheelArn": FLYWHEEL})
        comprehend.add_response("delete_flywheel", {}, {"FlywheelArn": FLYWHEEL})
        request = step(cloudformation, "Create", physical_id=None, error="FlywheelFailed", cause="no access")
        module("report_flywheel").handler(request, context())
        assert cloudformation.answer == ("FAILED", "FlywheelFailed: no access")
        # CloudFormation deletes what has this id.
        assert cloudformation.answers[0]["PhysicalResourceId"] == FLYWHEEL
        comprehend.assert_no_pending_responses()

    def test_of_a_deletion_needs_nothing(self, cloudformation: CloudFormation) -> None:
        module("report_flywheel").handler(step(cloudformation, "Delete"), context())
        assert cloudformation.answer[0] == "SUCCESS"

    @pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
    def test_is_given_for_an_execution_that_did_not_give_it(self, cloudformation: CloudFormation, status: str) -> None:
        given = json.dumps(step(cloudformation, "Delete"))
        detail = {"name": "delete-7c2f3b0e", "status": status, "startDate": 0, "input": given}
        module("report_flywheel").handler({"detail-type": "any", "detail": detail}, context())
        assert cloudformation.answer[0] == "FAILED"
        assert status in cloudformation.answer[1]
