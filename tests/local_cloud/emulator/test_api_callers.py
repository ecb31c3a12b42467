"""A signed call from another account needs the API's resource policy and the caller's own policies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.cloud import CloudAccount, LocalCloud
from local.cloud.endpoint import Credentials, LocalSession
from ops.deployment.clients import Clients
from ops.verbs.classify import Answer, RealTimeApi
from tests.local_cloud.resources import allow, create_function, create_role, create_stack, stack_status, until

CALLER = """
import json
def handle(event, context):
    identity = event["requestContext"]["identity"]
    return {"statusCode": 200, "body": json.dumps({"caller": identity.get("userArn"), "of": identity.get("accountId")})}
"""


def template(function: str, *, policy: dict[str, Any] | None, authorization: str = "AWS_IAM") -> dict[str, Any]:
    api = {"Ref": "Api"}
    method = {
        "RestApiId": api,
        "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
        "HttpMethod": "POST",
        "AuthorizationType": authorization,
        "Integration": {
            "Type": "AWS_PROXY",
            "IntegrationHttpMethod": "POST",
            "Uri": f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations",
        },
    }
    named = {"Name": "caller", **({"Policy": policy} if policy else {})}
    return {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": named},
        "Post": {"Type": "AWS::ApiGateway::Method", "Properties": method},
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": "Post",
            "Properties": {"RestApiId": api, "StageName": "live"},
        },
    }


class Deployed:
    """An API that answers who calls it."""

    def __init__(self, account: CloudAccount, **api: Any) -> None:
        self.account = account
        self._function, self._settings = create_function(account, CALLER), api
        made = create_stack(account, template(self._function, policy=None, **api), Id={"Ref": "Api"})
        self._stack, self.id = made["StackName"], made["Id"]
        self.arn = f"arn:aws:execute-api:{account.region}:{account.account}:{self.id}"

    def let(self, principal: Any, *, effect: str = "Allow", on: str = "execute-api:/live/POST/*") -> None:
        """Give the API a resource policy."""
        statement = {"Effect": effect, "Principal": principal, "Action": "execute-api:Invoke", "Resource": on}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        body = json.dumps({"Resources": template(self._function, policy=policy, **self._settings)})
        self.account.client("cloudformation").update_stack(StackName=self._stack, TemplateBody=body)
        until(lambda: stack_status(self.account, self._stack) == "UPDATE_COMPLETE")

    def post(self, caller: CloudAccount, role: str | None = None, *, session: LocalSession | None = None) -> Answer:
        url = f"{self.account.endpoint.url}/_aws/execute-api/{self.id}/live"
        return RealTimeApi(url=url, clients=Clients(session or caller.session(role_arn=role))).request("POST", "/", {})


@pytest.fixture(scope="module")
def deployed(account: CloudAccount) -> Deployed:
    return Deployed(account)


@pytest.fixture(scope="module")
def stranger(cloud: LocalCloud, account: CloudAccount) -> CloudAccount:
    """The account that calls."""
    return cloud.account(f"7{account.account[1:]}")


def root_of(account: CloudAccount) -> str:
    return f"arn:aws:iam::{account.account}:root"


def caller(account: CloudAccount, *statements: dict[str, Any]) -> str:
    return create_role(account, *statements, trusted={"AWS": account.account})


def test_both_accounts_must_let_it(account: CloudAccount, stranger: CloudAccount) -> None:
    deployed = Deployed(account)
    may = caller(stranger, allow("execute-api:Invoke", on=f"{deployed.arn}/live/POST/"))
    may_not = caller(stranger, allow("execute-api:Invoke", on=f"{deployed.arn}/other/POST/"))
    session = f"arn:aws:sts::{stranger.account}:assumed-role/{may.rsplit('/', 1)[-1]}/local-cloud"
    hidden = deployed.arn.replace(account.account, f"********{account.account[-4:]}")
    by_resource = "because no resource-based policy allows the execute-api:Invoke action"
    for arn, role in ((session, may), (root_of(stranger), None)):
        answer = deployed.post(stranger, role)
        said = f"User: {arn} is not authorized to perform: execute-api:Invoke on resource: {hidden}/live/POST/"
        assert (answer.status, answer.body) == (403, {"Message": f"{said} {by_resource}"})
    assert "no identity-based policy" in deployed.post(stranger, may_not).body["Message"]
    # The policy names another account, or another stage.
    for principal, on in (({"AWS": root_of(account)}, "execute-api:/*"), ("*", "execute-api:/test/*")):
        deployed.let(principal, on=on)
        assert by_resource in deployed.post(stranger, may).body["Message"]
        assert by_resource in deployed.post(stranger).body["Message"]
    deployed.let({"AWS": stranger.account})
    assert deployed.post(stranger, may).body == {"caller": session, "of": stranger.account}
    assert deployed.post(stranger).body == {"caller": root_of(stranger), "of": stranger.account}
    assert deployed.post(stranger, may_not).status == 403
    deployed.let({"AWS": may})
    assert deployed.post(stranger, may).status == 200
    assert deployed.post(stranger).status == 403
    deployed.let("*", effect="Deny")
    assert "explicit deny in a resource-based policy" in deployed.post(stranger, may).body["Message"]


def test_the_own_account_needs_no_policy(deployed: Deployed, account: CloudAccount) -> None:
    may = caller(account, allow("execute-api:Invoke", on=f"{deployed.arn}/live/POST/"))
    assert deployed.post(account, may).body["of"] == account.account
    assert deployed.post(account, caller(account)).status == 403


def test_a_user_of_another_account(account: CloudAccount, stranger: CloudAccount) -> None:
    deployed, iam = Deployed(account), stranger.client("iam")
    user = iam.create_user(UserName="caller")["User"]["Arn"]
    keys = iam.create_access_key(UserName="caller")["AccessKey"]
    policy = {"Version": "2012-10-17", "Statement": [allow("execute-api:Invoke", on=f"{deployed.arn}/*")]}
    iam.put_user_policy(UserName="caller", PolicyName="calls", PolicyDocument=json.dumps(policy))
    signed, wrong = (
        LocalSession(
            endpoint=stranger.endpoint,
            credentials=Credentials(access_key_id=keys["AccessKeyId"], secret_access_key=secret),
        )
        for secret in (keys["SecretAccessKey"], "wrong")
    )
    deployed.let({"AWS": user})
    assert deployed.post(stranger, session=signed).body == {"caller": user, "of": stranger.account}
    answer = deployed.post(stranger, session=wrong)
    assert (answer.status, "signature" in answer.body["message"]) == (403, True)
    deployed.let({"AWS": root_of(account)})
    assert deployed.post(stranger, session=signed).status == 403


def test_a_method_without_authorization_answers_everybody(account: CloudAccount, stranger: CloudAccount) -> None:
    deployed = Deployed(account, authorization="NONE")
    assert deployed.post(stranger).status == 200
    assert deployed.post(stranger, caller(stranger)).status == 200
