"""The policy of an event bus: put and taken away by calls and by stacks."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import CloudAccount, LocalCloud
from tests.local_cloud.resources import allow, create_role, create_stack, delete_stack, failure_of, stack_status, until

POLICY = "AWS::Events::EventBusPolicy"
OTHER = "444455556666"


_accounts = itertools.count(400_000_000_001)


@pytest.fixture
def account(cloud: LocalCloud) -> CloudAccount:
    """An account for one test alone, for each changes the policy of the default bus."""
    return cloud.account(str(next(_accounts)))


def bus_arn(account: CloudAccount, bus: str = "default") -> str:
    return f"arn:aws:events:{account.region}:{account.account}:event-bus/{bus}"


def statement(account: CloudAccount, *, bus: str = "default", **members: Any) -> dict[str, Any]:
    principal = {"AWS": f"arn:aws:iam::{OTHER}:root"}
    return {**allow("events:PutEvents", on=bus_arn(account, bus)), "Principal": principal, **members}


def policy_of(account: CloudAccount, bus: str = "default") -> list[dict[str, Any]]:
    described = account.client("events").describe_event_bus(Name=bus)
    statements: list[dict[str, Any]] = json.loads(described.get("Policy", '{"Statement": []}'))["Statement"]
    return statements


def change_stack(account: CloudAccount, stack: str, resources: dict[str, Any]) -> None:
    account.client("cloudformation").update_stack(StackName=stack, TemplateBody=json.dumps({"Resources": resources}))
    until(lambda: not stack_status(account, stack).endswith("IN_PROGRESS"))
    assert stack_status(account, stack) == "UPDATE_COMPLETE"


def resource(**properties: Any) -> dict[str, Any]:
    return {"Policy": {"Type": POLICY, "Properties": properties}}


def test_a_stack_puts_changes_and_takes_away_one_statement(account: CloudAccount) -> None:
    account.client("events").put_permission(StatementId="by-hand", Action="events:PutEvents", Principal=OTHER)
    given = statement(account, Sid="ignored")
    stack = create_stack(account, resource(StatementId="source", Statement=given), Ref={"Ref": "Policy"})
    assert stack["Ref"] == "default|source"
    by_hand, made = policy_of(account)
    assert made == {**given, "Sid": "source"}
    changed = statement(account, Condition={"StringEquals": {"events:source": "comprehend.flywheel"}})
    change_stack(account, stack["StackName"], resource(StatementId="source", Statement=changed))
    assert policy_of(account) == [by_hand, {**changed, "Sid": "source"}]
    change_stack(account, stack["StackName"], resource(StatementId="renamed", Statement=changed))
    assert policy_of(account) == [by_hand, {**changed, "Sid": "renamed"}]
    delete_stack(account, stack["StackName"])
    assert policy_of(account) == [by_hand]


def test_two_stacks_share_a_bus(account: CloudAccount) -> None:
    stacks = [
        create_stack(account, resource(StatementId=name, Statement=statement(account)))["StackName"]
        for name in ("first", "second")
    ]
    delete_stack(account, stacks[0])
    assert [each["Sid"] for each in policy_of(account)] == ["second"]


def test_a_bus_of_the_stack_has_its_own_policy_and_takes_it_along(account: CloudAccount) -> None:
    bus: dict[str, Any] = {"Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "models"}}}
    named = {"EventBusName": {"Ref": "Bus"}, "StatementId": "old", "Principal": OTHER, "Action": "events:PutEvents"}
    stack = create_stack(account, {**bus, **resource(**named)})
    assert policy_of(account, "models") == [statement(account, bus="models", Sid="old", Action="events:PutEvents")]
    assert policy_of(account, bus_arn(account, "models")) == policy_of(account, "models")
    assert policy_of(account) == []
    delete_stack(account, stack["StackName"])
    account.client("events").create_event_bus(Name="models")
    account.client("events").put_permission(
        EventBusName="models", StatementId="a", Action="events:PutEvents", Principal=OTHER
    )
    account.client("events").delete_event_bus(Name="models")
    account.client("events").create_event_bus(Name="models")
    assert policy_of(account, "models") == []


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"StatementId": "a b"}, "statementId"),
        ({"StatementId": "a" * 65}, "statementId"),
        ({"StatementId": "a", "EventBusName": "missing"}, "Event bus missing does not exist"),
        ({"StatementId": "a", "Statement": {"Effect": "Allow"}}, "needs Principal, Action, Resource"),
        ({"StatementId": "a", "Long": 10_000}, "too long"),
    ],
)
def test_what_a_stack_may_not_put(account: CloudAccount, properties: dict[str, Any], said: str) -> None:
    long = properties.pop("Long", 0)
    given = statement(account, Condition={"StringEquals": {"events:source": "a" * long}})
    assert said in failure_of(account, resource(**{"Statement": given, **properties}))
    assert policy_of(account) == []


def test_permissions_by_calls(account: CloudAccount) -> None:
    events = account.client("events")
    with pytest.raises(ClientError, match="EventBus does not have a policy"):
        events.remove_permission(StatementId="a")
    for name in ("a", "b", "c"):
        events.put_permission(StatementId=name, Action="events:PutEvents", Principal=OTHER)
    events.put_permission(StatementId="a", Action="events:PutEvents", Principal="*")
    assert [(each["Sid"], each["Principal"] == "*") for each in policy_of(account)] == [
        ("b", False),
        ("c", False),
        ("a", True),
    ]
    events.remove_permission(StatementId="b")
    with pytest.raises(ClientError, match="Statement with the provided id does not exist"):
        events.remove_permission(StatementId="b")
    assert [each["Sid"] for each in policy_of(account)] == ["c", "a"]
    events.put_permission(Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement(account, Sid="whole")]}))
    assert [each["Sid"] for each in policy_of(account)] == ["whole"]
    events.remove_permission(RemoveAllPermissions=True)
    assert policy_of(account) == []
    for wrong, code in (
        ({"StatementId": "a", "Action": "events:PutEvents", "Principal": "4444"}, "ValidationException"),
        ({"Policy": "{"}, "ValidationException"),
        ({"Policy": json.dumps({"Statement": [statement(account)] * 60})}, "PolicyLengthExceededException"),
        ({"EventBusName": "missing", "Policy": "{}"}, "ResourceNotFoundException"),
    ):
        with pytest.raises(ClientError) as raised:
            events.put_permission(**wrong)
        assert raised.value.response["Error"]["Code"] == code


def test_a_caller_needs_rights_on_the_bus(account: CloudAccount) -> None:
    everything = ("events:PutPermission", "events:RemovePermission", "events:DescribeEventBus")
    trusted = {"AWS": f"arn:aws:iam::{account.account}:root"}
    may, may_not = (
        create_role(account, allow(*everything, on=bus_arn(account, bus)), trusted=trusted)
        for bus in ("default", "models")
    )
    events = account.client("events", role_arn=may)
    events.put_permission(StatementId="a", Action="events:PutEvents", Principal=OTHER)
    assert events.describe_event_bus()["Policy"]
    assert events.describe_event_bus(Name="default")["Policy"]
    events.remove_permission(StatementId="a")
    with pytest.raises(ClientError, match="AccessDenied"):
        account.client("events", role_arn=may_not).put_permission(
            StatementId="a", Action="events:PutEvents", Principal=OTHER
        )
