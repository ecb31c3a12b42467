"""A machine puts events on a bus as its role allows, and learns of those that the bus refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.cloud import CloudAccount
from tests.local_cloud.resources import allow, create_machine, create_queue, lets_send, messages, run, until


def put(account: CloudAccount, entry: dict[str, Any], *, on: str = "default", **state: Any) -> dict[str, Any]:
    """The description of an execution that put the entry, allowed to on this bus of the account."""
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::events:putEvents",
        "Arguments": {"Entries": [entry]},
        "Next": "Done",
        **state,
    }
    bus = f"arn:aws:events:{account.region}:{account.account}:event-bus/{on}"
    states = {"Put": task, "Done": {"Type": "Succeed"}}
    machine = create_machine(account, states, permissions=[allow("events:PutEvents", on=bus)])
    return {**run(account, machine, {"model": "arn:new"}), "machine": machine}


ENTRY = {
    "Source": "comprehend.flywheel",
    "DetailType": "Model Promoted",
    "Detail": {"model": "{% $states.input.model %}", "scores": {"f1": 0.9}},
    "Resources": ["arn:flywheel"],
}


@pytest.mark.parametrize("bus", [{}, {"EventBusName": "default"}])
def test_event_reaches_the_rule_with_its_detail_as_an_object(account: CloudAccount, bus: dict[str, str]) -> None:
    events, name = account.client("events"), f"promoted-{len(bus)}"
    pattern = {"source": ["comprehend.flywheel"], "detail-type": ["Model Promoted"], "detail": {"model": ["arn:new"]}}
    rule = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    url, queue = create_queue(account, lets_in=[lets_send("events.amazonaws.com", source=rule)])
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue}])
    described = put(account, {**ENTRY, **bus})
    assert described["output"]["FailedEntryCount"] == 0
    (event,) = until(lambda: messages(account, url))
    events.delete_rule(Name=name, Force=True)
    assert event["detail"] == {"model": "arn:new", "scores": {"f1": 0.9}}
    assert event["resources"] == ["arn:flywheel", described["executionArn"], described["machine"]]


def test_bus_that_the_role_does_not_name_is_denied(account: CloudAccount) -> None:
    denied = put(account, ENTRY, on="other")
    assert (denied["status"], denied["error"]) == ("FAILED", "EventBridge.EventBridgeException")
    assert "events:PutEvents" in denied["cause"]


def test_refused_entry_fails_the_state(account: CloudAccount) -> None:
    refused = put(
        account,
        {**ENTRY, "Source": "aws.comprehend"},
        Catch=[{"ErrorEquals": ["EventBridge.FailedEntry"], "Output": "{% $states.errorOutput %}", "Next": "Done"}],
    )
    answer = json.loads(refused["output"]["Cause"])
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
