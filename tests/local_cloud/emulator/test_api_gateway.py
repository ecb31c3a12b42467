"""A REST API from a template answers, refuses and logs as AWS's API Gateway does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from local.cloud import CloudAccount
from ops.deployment.clients import Clients
from ops.verbs.classify import Answer, RealTimeApi
from tests.local_cloud.resources import allow, create_function, create_role, create_stack, failure_of, until

ECHO = """
def handle(event, context):
    if event["body"] == '{"text": "fail"}':
        raise ValueError("a secret of the function")
    return {"statusCode": 200, "body": '{"ok": true}'}
"""
SCHEMA = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
FORMAT = {
    "id": "$context.requestId",
    "caller": "$context.identity.userArn",
    "path": "$context.resourcePath",
    "status": "$context.status",
    "unknown": "$context.authorizer.principalId",
}


def template(function: str, *, log_group: str) -> dict[str, Any]:
    api = {"Ref": "Api"}
    return {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "echo"}},
        "Echo": {
            "Type": "AWS::ApiGateway::Resource",
            "Properties": {"RestApiId": api, "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]}, "PathPart": "echo"},
        },
        "Model": {
            "Type": "AWS::ApiGateway::Model",
            "Properties": {"RestApiId": api, "ContentType": "application/json", "Schema": SCHEMA},
        },
        "Validator": {
            "Type": "AWS::ApiGateway::RequestValidator",
            "Properties": {"RestApiId": api, "ValidateRequestBody": True},
        },
        "Post": {
            "Type": "AWS::ApiGateway::Method",
            "Properties": {
                "RestApiId": api,
                "ResourceId": {"Ref": "Echo"},
                "HttpMethod": "POST",
                "AuthorizationType": "AWS_IAM",
                "RequestModels": {"application/json": {"Ref": "Model"}},
                "RequestValidatorId": {"Ref": "Validator"},
                "Integration": {
                    "Type": "AWS_PROXY",
                    "IntegrationHttpMethod": "POST",
                    "Uri": f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations",
                },
            },
        },
        "Refusals": {
            "Type": "AWS::ApiGateway::GatewayResponse",
            "Properties": {
                "RestApiId": api,
                "ResponseType": "DEFAULT_4XX",
                "ResponseTemplates": {
                    "application/json": '{"code": "$context.error.responseType", "why": $context.error.messageString}'
                },
            },
        },
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": ["Post", "Refusals"],
            "Properties": {"RestApiId": api},
        },
        "Stage": stage(api, {"Ref": "Deployment"}, log_group=log_group),
    }


def stage(api: Any, deployment: Any, *, log_group: str) -> dict[str, Any]:
    return {
        "Type": "AWS::ApiGateway::Stage",
        "Properties": {
            "RestApiId": api,
            "DeploymentId": deployment,
            "StageName": "live",
            "AccessLogSetting": {
                "DestinationArn": {"Fn::Sub": f"arn:aws:logs:us-east-1:${{AWS::AccountId}}:log-group:{log_group}"},
                "Format": json.dumps(FORMAT),
            },
        },
    }


class Deployed:
    """The API of the template, in an account that has the role for logs."""

    def __init__(self, account: CloudAccount) -> None:
        self.account = account
        self.log_group = "/echo/access"
        account.client("logs").create_log_group(logGroupName=self.log_group)
        function = create_function(account, ECHO)
        resources = {
            "Account": {
                "Type": "AWS::ApiGateway::Account",
                "Properties": {"CloudWatchRoleArn": create_role(account, trusted="apigateway.amazonaws.com")},
            },
            **template(function, log_group=self.log_group),
        }
        resources["Stage"]["DependsOn"] = "Account"
        self.id = create_stack(account, resources, Id={"Ref": "Api"})["Id"]

    @property
    def url(self) -> str:
        return f"{self.account.endpoint.url}/_aws/execute-api/{self.id}/live"

    def post(self, content: Any, *, role: str | None = None) -> Answer:
        api = RealTimeApi(url=self.url, clients=Clients(self.account.session(role_arn=role)))
        return api.request("POST", "/echo", content)

    def role(self, *statements: dict[str, Any]) -> str:
        return create_role(self.account, *statements, trusted={"AWS": f"arn:aws:iam::{self.account.account}:root"})

    def lines(self) -> list[dict[str, str]]:
        events = self.account.client("logs").filter_log_events(logGroupName=self.log_group)["events"]
        return [json.loads(event["message"]) for event in events]


@pytest.fixture(scope="module")
def deployed(account: CloudAccount) -> Deployed:
    return Deployed(account)


def test_a_stage_with_access_logs_needs_the_accounts_role(account: CloudAccount) -> None:
    other = CloudAccount(
        endpoint=account.endpoint.in_account("300000000001"), places=account.places, progress=account.progress
    )
    function = create_function(other, ECHO)
    assert "CloudWatch Logs role ARN must be set" in failure_of(other, template(function, log_group="/any"))


@pytest.mark.parametrize("content", [{}, {"text": 1}, {"text": "a", "more": 1}, "text", [1]])
def test_a_body_that_the_model_does_not_allow(deployed: Deployed, content: Any) -> None:
    answer = deployed.post(content)
    assert (answer.status, answer.body["code"]) == (400, "BAD_REQUEST_BODY")


def test_a_body_that_it_allows(deployed: Deployed) -> None:
    answer = deployed.post({"text": "a"})
    assert (answer.status, answer.body) == (200, {"ok": True})


def test_a_function_that_fails_keeps_its_secrets(deployed: Deployed) -> None:
    answer = deployed.post({"text": "fail"})
    assert (answer.status, answer.body) == (502, {"message": "Internal server error"})


def test_permission_counts_and_its_absence_has_the_apis_form(deployed: Deployed) -> None:
    arn = f"arn:aws:execute-api:us-east-1:{deployed.account.account}:{deployed.id}/live"
    assert (
        deployed.post({"text": "a"}, role=deployed.role(allow("execute-api:Invoke", on=f"{arn}/POST/echo"))).status
        == 200
    )
    for statements in ([], [allow("execute-api:Invoke", on=f"{arn}/GET/echo")]):
        answer = deployed.post({"text": "a"}, role=deployed.role(*statements))
        assert (answer.status, answer.body["code"]) == (403, "ACCESS_DENIED")
        assert "execute-api:Invoke" in answer.body["why"]


def test_without_a_signature_the_api_is_found_in_any_account(deployed: Deployed) -> None:
    http = URLLib3Session(
        verify=str(deployed.account.endpoint.authority),  # type: ignore[arg-type]  # as urllib3 takes it
        proxies={},
    )
    answer = http.send(AWSRequest("POST", f"{deployed.url}/echo", data=b'{"text": "a"}').prepare())
    assert (answer.status_code, json.loads(answer.content)["code"]) == (403, "MISSING_AUTHENTICATION_TOKEN")


def test_every_request_is_logged_with_its_caller(deployed: Deployed) -> None:
    role = deployed.role()
    deployed.post({"text": "a"})
    deployed.post({"text": 1})
    deployed.post({"text": "a"}, role=role)
    expected = {
        (f"arn:aws:iam::{deployed.account.account}:root", "200"),
        (f"arn:aws:iam::{deployed.account.account}:root", "400"),
        (f"arn:aws:sts::{deployed.account.account}:assumed-role/{role.rsplit('/', 1)[1]}/local-cloud", "403"),
    }

    def logged() -> set[tuple[str, str]]:
        return {(line["caller"], line["status"]) for line in deployed.lines()}

    until(lambda: expected <= logged())
    assert {(line["path"], line["unknown"]) for line in deployed.lines()} == {("/echo", "-")}
    assert len({line["id"] for line in deployed.lines()}) == len(deployed.lines())
