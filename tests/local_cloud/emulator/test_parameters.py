"""Parameter Store: IAM on each parameter of a call, events about changes, the history of versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import CloudAccount
from tests.local_cloud.resources import (
    allow,
    create_queue,
    create_role,
    create_stack,
    lets_send,
    messages,
    stack_status,
    until,
)


def changes_of(account: CloudAccount, rule: str, parameter: str) -> Callable[[], list[dict[str, Any]]]:
    """A rule for the changes of one parameter, made now; call the result for the events since the last call."""
    events = account.client("events")
    pattern = {"source": ["aws.ssm"], "detail-type": ["Parameter Store Change"], "detail": {"name": [parameter]}}
    arn = events.put_rule(Name=rule, EventPattern=json.dumps(pattern))["RuleArn"]
    url, queue = create_queue(account, lets_in=[lets_send("events.amazonaws.com", source=arn)])
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": queue}])
    return lambda: messages(account, url)


def parameter_arn(account: CloudAccount, name: str) -> str:
    return f"arn:aws:ssm:{account.region}:{account.account}:parameter{name}"


def test_each_parameter_of_a_call_is_authorised(account: CloudAccount) -> None:
    for name in ("/mine/a", "/mine/b", "/theirs"):
        account.client("ssm").put_parameter(Name=name, Value="value", Type="String")
    mine = f"arn:aws:ssm:{account.region}:{account.account}:parameter/mine/*"
    actions = ("ssm:GetParameters", "ssm:DeleteParameters")
    role = create_role(account, allow(*actions, on=mine), trusted={"AWS": account.account})
    ssm = account.client("ssm", role_arn=role)
    for names in (["/mine/a", "/theirs"], ["/theirs", "/mine/a"]):
        with pytest.raises(ClientError, match="AccessDenied"):
            ssm.delete_parameters(Names=names)
    assert {found["Name"] for found in ssm.get_parameters(Names=["/mine/a", "/mine/b"])["Parameters"]} == {
        "/mine/a",
        "/mine/b",
    }
    assert ssm.delete_parameters(Names=["/mine/a", "/mine/b"])["DeletedParameters"] == ["/mine/a", "/mine/b"]


def test_each_change_of_a_parameter_reaches_the_rule_for_its_name(account: CloudAccount) -> None:
    changes = changes_of(account, "one-name", "/changes/desired")
    ssm = account.client("ssm")
    ssm.put_parameter(Name="/changes/desired-not", Value="1", Type="String")
    ssm.put_parameter(Name="/changes/desired", Value="1", Type="String", Description="What is wanted")
    with pytest.raises(ClientError, match="ParameterAlreadyExists"):
        ssm.put_parameter(Name="/changes/desired", Value="2", Type="String")
    (created,) = until(changes)
    assert (created["source"], created["detail-type"]) == ("aws.ssm", "Parameter Store Change")
    assert (created["account"], created["region"]) == (account.account, account.region)
    assert created["resources"] == [parameter_arn(account, "/changes/desired")]
    assert created["detail"] == {
        "operation": "Create",
        "name": "/changes/desired",
        "type": "String",
        "description": "What is wanted",
    }
    ssm.put_parameter(Name="/changes/desired", Value="2", Overwrite=True)
    (updated,) = until(changes)
    assert updated["detail"]["operation"] == "Update"
    ssm.delete_parameter(Name="/changes/desired")
    (deleted,) = until(changes)
    assert deleted["detail"]["operation"] == "Delete"
    assert deleted["resources"] == created["resources"]


def test_deleting_several_parameters_tells_of_those_that_were_there(account: CloudAccount) -> None:
    ssm = account.client("ssm")
    ssm.put_parameter(Name="/several/b", Value="1", Type="StringList")
    there, missing = (changes_of(account, f"several-{name}", f"/several/{name}") for name in "bc")
    ssm.delete_parameters(Names=["/several/b", "/several/c"])
    (deleted,) = until(there)
    assert deleted["detail"] == {"operation": "Delete", "name": "/several/b", "type": "StringList"}
    assert missing() == []


def test_changes_by_cloudformation_reach_the_bus(account: CloudAccount) -> None:
    changes = changes_of(account, "stack", "/stack/parameter")
    cloudformation = account.client("cloudformation")
    properties = {"Name": "/stack/parameter", "Type": "String", "Value": "1"}
    stack = create_stack(account, {"Parameter": {"Type": "AWS::SSM::Parameter", "Properties": properties}})["StackName"]
    (created,) = until(changes)
    assert created["detail"] == {"operation": "Create", "name": "/stack/parameter", "type": "String"}
    resources = {"Parameter": {"Type": "AWS::SSM::Parameter", "Properties": {**properties, "Value": "2"}}}
    cloudformation.update_stack(StackName=stack, TemplateBody=json.dumps({"Resources": resources}))
    (updated,) = until(changes)
    assert updated["detail"]["operation"] == "Update"
    cloudformation.delete_stack(StackName=stack)
    (deleted,) = until(changes)
    assert deleted["detail"]["operation"] == "Delete"
    until(lambda: stack_status(account, stack) == "DELETE_COMPLETE")


def test_history_tells_versions_moments_and_who_made_them(account: CloudAccount) -> None:
    arn = parameter_arn(account, "/history/model")
    actions = ("ssm:PutParameter", "ssm:GetParameter", "ssm:GetParameterHistory")
    role = create_role(account, allow(*actions, on=arn), trusted={"AWS": account.account})
    mine, ssm = account.client("ssm", role_arn=role), account.client("ssm")
    ssm.put_parameter(Name="/history/model", Value="value 1", Type="String")
    for number in range(2, 8):
        mine.put_parameter(Name="/history/model", Value=f"value {number}", Overwrite=True)
    pages = list(
        mine.get_paginator("get_parameter_history").paginate(Name="/history/model", PaginationConfig={"PageSize": 3})
    )
    assert [len(page["Parameters"]) for page in pages] == [3, 3, 1]
    versions = [version for page in pages for version in page["Parameters"]]
    assert [(version["Version"], version["Value"]) for version in versions] == [
        (number, f"value {number}") for number in range(1, 8)
    ]
    moments = [version["LastModifiedDate"] for version in versions]
    assert moments == sorted(moments)
    assert versions[0]["LastModifiedUser"] == f"arn:aws:iam::{account.account}:root"
    assert {version["LastModifiedUser"].rpartition("/")[0] for version in versions[1:]} == {
        role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")
    }
    present = mine.get_parameter(Name="/history/model")["Parameter"]
    assert (present["Version"], present["ARN"], present["Value"]) == (7, arn, "value 7")


def test_a_hundred_versions_are_kept(account: CloudAccount) -> None:
    ssm = account.client("ssm")

    def put(value: int) -> None:
        ssm.put_parameter(Name="/hundred", Value=str(value), Type="String", Overwrite=True)

    def versions() -> list[int]:
        pages = ssm.get_paginator("get_parameter_history").paginate(Name="/hundred")
        return [version["Version"] for page in pages for version in page["Parameters"]]

    for number in range(1, 102):
        put(number)
    assert versions() == list(range(2, 102))
    ssm.label_parameter_version(Name="/hundred", ParameterVersion=2, Labels=["keep"])
    with pytest.raises(ClientError, match="ParameterMaxVersionLimitExceeded"):
        put(102)
    assert versions() == list(range(2, 102))


@pytest.mark.parametrize("operation", ["put_parameter", "get_parameter", "get_parameter_history", "delete_parameter"])
def test_a_role_reaches_its_own_parameters_only(account: CloudAccount, operation: str) -> None:
    own = parameter_arn(account, f"/own/{operation}")
    role = create_role(account, allow("ssm:*", on=own), trusted={"AWS": account.account})
    ssm = account.client("ssm", role_arn=role)
    for name in (f"/own/{operation}", f"/foreign/{operation}"):
        account.client("ssm").put_parameter(Name=name, Value="1", Type="String")
    more = {"Value": "2", "Overwrite": True} if operation == "put_parameter" else {}
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(ssm, operation)(Name=f"/foreign/{operation}", **more)
    getattr(ssm, operation)(Name=f"/own/{operation}", **more)
