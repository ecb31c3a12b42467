"""An event reaches another account's bus if the sender's policies and the bus's policy both let it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import CloudAccount, LocalCloud
from tests.local_cloud.resources import (
    allow,
    create_machine,
    create_queue,
    create_role,
    lets_send,
    messages,
    run,
    until,
)

SOURCE = "comprehend.flywheel"
SHARED = "Model Shared"
_numbers = itertools.count(1)
_accounts = itertools.count(1)


@pytest.fixture
def receiver(cloud: LocalCloud, account: CloudAccount) -> CloudAccount:
    """An account whose default bus no other test opens."""
    return cloud.account(f"5{next(_accounts):02}{account.account[3:]}")


def bus_of(account: CloudAccount, name: str = "default") -> str:
    return f"arn:aws:events:{account.region}:{account.account}:event-bus/{name}"


def root_of(account: CloudAccount) -> str:
    return f"arn:aws:iam::{account.account}:root"


def open_bus(
    receiver: CloudAccount,
    principal: Any,
    *,
    when: Mapping[str, Any] | None = None,
    effect: str = "Allow",
    bus: str = "default",
) -> None:
    """Let the principal put events on a bus, under these conditions."""
    lets = allow("events:PutEvents", on=bus_of(receiver, bus), when=when)
    policy = {"Version": "2012-10-17", "Statement": [{**lets, "Principal": principal, "Effect": effect}]}
    receiver.client("events").put_permission(EventBusName=bus, Policy=json.dumps(policy))


def listen(receiver: CloudAccount, pattern: Mapping[str, Any], *, bus: str = "default") -> str:
    """The URL of a queue that a rule with this pattern fills."""
    events, name = receiver.client("events"), f"rule-{next(_numbers)}"
    rule = events.put_rule(Name=name, EventPattern=json.dumps(pattern), EventBusName=bus)["RuleArn"]
    url, queue = create_queue(receiver, lets_in=[lets_send("events.amazonaws.com", source=rule)])
    events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue}])
    return url


def entry(bus: str, **members: Any) -> dict[str, Any]:
    return {"EventBusName": bus, "Source": SOURCE, "DetailType": SHARED, "Detail": '{"id": "one"}', **members}


def sender(account: CloudAccount, *statements: Mapping[str, Any], trusted: Any = None) -> str:
    return create_role(account, *statements, trusted=trusted or {"AWS": account.account})


def put(account: CloudAccount, *entries: Mapping[str, Any], role: str | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = account.client("events", role_arn=role).put_events(Entries=list(entries))
    return answer


def refusal(account: CloudAccount, *entries: Mapping[str, Any], role: str | None = None) -> str:
    with pytest.raises(ClientError) as raised:
        put(account, *entries, role=role)
    assert raised.value.response["Error"]["Code"] == "AccessDeniedException"
    return str(raised.value.response["Error"]["Message"])


def test_both_accounts_must_let_it(account: CloudAccount, receiver: CloudAccount) -> None:
    bus = bus_of(receiver)
    may = sender(account, allow("events:PutEvents", on=bus))
    may_not = sender(account, allow("events:PutEvents", on=bus_of(account)))
    by_resource = "because no resource-based policy allows the events:PutEvents action"
    said = refusal(account, entry(bus), role=may)
    assert said == (
        f"User: arn:aws:sts::{account.account}:assumed-role/{may.rsplit('/', 1)[-1]}/local-cloud is not authorized to "
        f"perform: events:PutEvents on resource: {bus} {by_resource}"
    )
    assert by_resource in refusal(account, entry(bus))
    open_bus(receiver, {"AWS": root_of(receiver)})
    assert by_resource in refusal(account, entry(bus), role=may)
    open_bus(receiver, {"AWS": root_of(account)})
    assert put(account, entry(bus), role=may)["FailedEntryCount"] == 0
    assert put(account, entry(bus))["FailedEntryCount"] == 0
    assert "because no identity-based policy allows" in refusal(account, entry(bus), role=may_not)
    open_bus(receiver, {"AWS": root_of(account)}, effect="Deny")
    assert "with an explicit deny in a resource-based policy" in refusal(account, entry(bus), role=may)
    # One's own bus needs no policy, whatever that says of others.
    assert put(receiver, entry("default"), entry(bus))["FailedEntryCount"] == 0


@pytest.mark.parametrize(
    ("when", "right", "wrong"),
    [
        ({"events:source": SOURCE}, {}, {"Source": "other"}),
        ({"events:detail-type": [SHARED, "Model Withdrawn"]}, {"DetailType": "Model Withdrawn"}, {"DetailType": "No"}),
        ({"events:source": SOURCE, "events:detail-type": SHARED}, {}, {"DetailType": "No"}),
    ],
)
def test_conditions_count_in_either_policy(
    account: CloudAccount, receiver: CloudAccount, when: dict[str, Any], right: dict[str, str], wrong: dict[str, str]
) -> None:
    bus, condition = bus_of(receiver), {"StringEquals": when}
    bound = sender(account, allow("events:PutEvents", on=[bus, bus_of(account)], when=condition))
    free = sender(account, allow("events:PutEvents", on=bus))
    open_bus(receiver, {"AWS": root_of(account)})
    for own in (bus, bus_of(account), "default"):
        assert put(account, entry(own, **right), role=bound)["FailedEntryCount"] == 0
        assert "no identity-based policy" in refusal(account, entry(own, **wrong), role=bound)
    assert put(account, entry(bus, **wrong), role=free)["FailedEntryCount"] == 0
    open_bus(receiver, {"AWS": root_of(account)}, when={"ForAllValues:StringEquals": when})
    assert put(account, entry(bus, **right), role=free)["FailedEntryCount"] == 0
    # None of a call's entries is put if one of them may not be.
    url = listen(receiver, {"source": [SOURCE]})
    for role in (free, None):
        assert "no resource-based policy" in refusal(account, entry(bus, **right), entry(bus, **wrong), role=role)
    assert messages(receiver, url) == []


def test_a_bus_may_ask_who_the_caller_is(account: CloudAccount, receiver: CloudAccount) -> None:
    bus = bus_of(receiver)
    named, other = (sender(account, allow("events:PutEvents", on=bus)) for _ in range(2))
    open_bus(receiver, {"AWS": named})
    assert put(account, entry(bus), role=named)["FailedEntryCount"] == 0
    refusal(account, entry(bus), role=other)
    for number, lets in ((account.account, True), (receiver.account, False)):
        open_bus(receiver, "*", when={"StringEquals": {"aws:PrincipalAccount": number}})
        for role in (named, None):
            if lets:
                assert put(account, entry(bus), role=role)["FailedEntryCount"] == 0
            else:
                refusal(account, entry(bus), role=role)
    # Only what a rule sends has a source account.
    open_bus(receiver, "*", when={"StringEquals": {"aws:SourceAccount": account.account}})
    refusal(account, entry(bus), role=named)


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ({"source": [SOURCE], "detail-type": [SHARED], "detail": {"id": ["one"]}}, True),
        ({"account": ["sender"], "source": [SOURCE]}, True),
        ({"account": ["receiver"], "source": [SOURCE]}, False),
        ({"source": [SOURCE], "detail": {"id": ["two"]}}, False),
    ],
)
def test_rules_there_see_the_senders_account(
    account: CloudAccount, receiver: CloudAccount, pattern: dict[str, Any], matches: bool
) -> None:
    open_bus(receiver, {"AWS": root_of(account)})
    numbers = {"sender": account.account, "receiver": receiver.account}
    if "account" in pattern:
        pattern = {**pattern, "account": [numbers[each] for each in pattern["account"]]}
    url, all_of_them = listen(receiver, pattern), listen(receiver, {"source": [SOURCE]})
    here = listen(account, {"source": [SOURCE]})
    answer = put(account, entry(bus_of(receiver), Resources=["arn:model"]))
    event = until(lambda: messages(receiver, all_of_them))[0]
    assert event["id"] == answer["Entries"][0]["EventId"]
    assert (event["account"], event["region"]) == (account.account, account.region)
    assert (event["source"], event["detail-type"], event["detail"]) == (SOURCE, SHARED, {"id": "one"})
    assert event["resources"] == ["arn:model"]
    assert bool(messages(receiver, url)) == matches
    assert messages(account, here) == []


def test_a_call_may_name_several_buses(account: CloudAccount, receiver: CloudAccount) -> None:
    open_bus(receiver, {"AWS": root_of(account)})
    own, far = listen(account, {"source": ["several"]}), listen(receiver, {"source": ["several"]})
    answer = put(
        account,
        entry(bus_of(receiver), Source="several"),
        entry(bus_of(receiver), Source="aws.comprehend"),
        entry("default", Source="several"),
    )
    first, refused, last = answer["Entries"]
    assert answer["FailedEntryCount"] == 1
    assert refused["ErrorCode"] == "NotAuthorizedForSourceException"
    assert until(lambda: messages(receiver, far))[0]["id"] == first["EventId"]
    assert until(lambda: messages(account, own))[0]["id"] == last["EventId"]


def test_a_bus_of_another_name(account: CloudAccount, receiver: CloudAccount) -> None:
    bus = bus_of(receiver, "models")
    open_bus(receiver, {"AWS": root_of(account)})
    refusal(account, entry(bus))
    receiver.client("events").create_event_bus(Name="models")
    refusal(account, entry(bus))
    open_bus(receiver, {"AWS": root_of(account)}, bus="models")
    named, default = (listen(receiver, {"source": [SOURCE]}, bus=each) for each in ("models", "default"))
    put(account, entry(bus))
    assert until(lambda: messages(receiver, named))[0]["account"] == account.account
    assert messages(receiver, default) == []
    # What is no ARN of a bus is nobody's.
    refusal(account, entry("arn:aws:events"), role=sender(account))


@pytest.mark.parametrize("resource", ["events:putEvents", "aws-sdk:eventbridge:putEvents"])
def test_a_machine_puts_as_its_role(account: CloudAccount, receiver: CloudAccount, resource: str) -> None:
    bus = bus_of(receiver)
    task = {
        "Type": "Task",
        "Resource": f"arn:aws:states:::{resource}",
        "Arguments": {"Entries": [entry(bus), entry("default", Source="at.home")]},
        "End": True,
    }
    of_source = [
        allow("events:PutEvents", on=bus, when={"StringEquals": {"events:source": SOURCE}}),
        allow("events:PutEvents", on=bus_of(account), when={"StringEquals": {"events:source": "at.home"}}),
    ]
    machine = create_machine(account, {"Put": task}, permissions=of_source)
    url = listen(receiver, {"account": [account.account]})
    refused = run(account, machine)
    assert (refused["status"], refused["error"]) == ("FAILED", "EventBridge.EventBridgeException")
    assert "no resource-based policy allows the events:PutEvents action" in refused["cause"]
    open_bus(receiver, {"AWS": root_of(account)}, when={"StringEquals": {"events:source": SOURCE}})
    assert run(account, machine)["status"] == "SUCCEEDED"
    assert until(lambda: messages(receiver, url))[0]["detail"] == {"id": "one"}
    task["Arguments"] = {"Entries": [entry(bus, Source="at.home")]}
    unlike = create_machine(account, {"Put": task}, permissions=of_source)
    assert "no identity-based policy" in run(account, unlike)["cause"]


def forward(account: CloudAccount, said: str, to: str, *statements: Mapping[str, Any]) -> tuple[str, str]:
    """A rule that sends on to another bus with a role; its ARN, and the URL of its dead-letter queue."""
    events, name = account.client("events"), f"forward-{next(_numbers)}"
    rule = events.put_rule(Name=name, EventPattern=json.dumps({"source": [said]}))["RuleArn"]
    lost_url, lost = create_queue(account, lets_in=[lets_send("events.amazonaws.com", source=rule)])
    role = create_role(account, *statements, trusted="events.amazonaws.com")
    target = {"Id": "bus", "Arn": to, "RoleArn": role, "DeadLetterConfig": {"Arn": lost}}
    assert events.put_targets(Rule=name, Targets=[target])["FailedEntryCount"] == 0
    return rule, lost_url


def test_a_rule_sends_on_as_its_role(account: CloudAccount, receiver: CloudAccount) -> None:
    bus, said = bus_of(receiver), "sent.on"
    url = listen(receiver, {"source": [said]})
    lets = allow("events:PutEvents", on=bus, when={"StringEquals": {"events:source": said}})
    rule, lost = forward(account, said, bus, lets)
    put(account, entry("default", Source=said))
    until(lambda: messages(account, lost))
    for when in ({"ArnEquals": {"aws:SourceArn": rule}}, {"StringEquals": {"aws:SourceAccount": account.account}}):
        open_bus(receiver, {"AWS": root_of(account)}, when=when)
        put(account, entry("default", Source=said))
        event = until(lambda: messages(receiver, url))[0]
        assert (event["account"], event["detail"]) == (account.account, {"id": "one"})
    _, unlike = forward(account, said, bus, allow("events:PutEvents", on=bus_of(account)))
    put(account, entry("default", Source=said))
    until(lambda: messages(account, unlike))


def test_no_event_goes_on_to_a_third_account(account: CloudAccount, receiver: CloudAccount, cloud: LocalCloud) -> None:
    third, said = cloud.account(f"6{receiver.account[1:]}"), "goes.on"
    far, near = listen(third, {"source": [said]}), listen(receiver, {"source": [said]})
    for opened, of in ((receiver, account), (third, receiver)):
        open_bus(opened, {"AWS": root_of(of)})
    forward(receiver, said, bus_of(third), allow("events:PutEvents", on=bus_of(third)))
    put(account, entry(bus_of(receiver), Source=said))
    until(lambda: messages(receiver, near))
    put(receiver, entry("default", Source=said))
    (event,) = until(lambda: messages(third, far))
    assert event["account"] == receiver.account
    assert messages(third, far) == []
