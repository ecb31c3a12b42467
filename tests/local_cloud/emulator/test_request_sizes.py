"""What is too large for AWS is refused here as well."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import CloudAccount
from tests.local_cloud.resources import allow, create_machine, run

LIMIT = 256 * 1024
ENTRY = {"Source": "tests", "DetailType": "Size"}


def detail_of(size: int) -> str:
    """A detail with which an entry of ENTRY has `size` bytes."""
    empty = json.dumps({"x": ""})
    return json.dumps({"x": "x" * (size - len(empty) - sum(map(len, ENTRY.values())))})


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_subject_and_message_of_sns(account: CloudAccount) -> None:
    sns = account.client("sns")
    topic = sns.create_topic(Name="sizes")["TopicArn"]
    sns.publish(TopicArn=topic, Subject="s" * 100, Message="m" * LIMIT)
    for subject in ("s" * 101, "two\nlines", " begins with a space", "é"):
        assert refusal(sns.publish, TopicArn=topic, Subject=subject, Message="m") == (
            "InvalidParameter",
            "Invalid parameter: Subject",
        )
    assert refusal(sns.publish, TopicArn=topic, Message="é" * (LIMIT // 2 + 1))[0] == "InvalidParameter"


def test_entries_of_events(account: CloudAccount) -> None:
    events = account.client("events")
    assert events.put_events(Entries=[{**ENTRY, "Detail": detail_of(LIMIT)}])["FailedEntryCount"] == 0
    too_large: list[Any] = [{**ENTRY, "Detail": detail_of(LIMIT)}, {**ENTRY, "Detail": "{}"}]
    code, message = refusal(events.put_events, Entries=too_large)
    assert code == "ValidationException"
    assert "Total size" in message


def test_a_machine_cannot_put_an_event_that_is_too_large(account: CloudAccount) -> None:
    """The state's own limit is 256 KiB as well: it is the ARNs of the execution that are too much."""
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::events:putEvents",
        "Arguments": {"Entries": [{**ENTRY, "Detail": "{% $states.input %}"}]},
        "End": True,
    }
    machine = create_machine(account, {"Put": task}, permissions=[allow("events:PutEvents")])
    described = run(account, machine, json.loads(detail_of(LIMIT)))
    assert (described["status"], described["error"]) == ("FAILED", "EventBridge.EventBridgeException")
    assert "Total size" in described["cause"]


def test_the_cause_of_a_failed_task(account: CloudAccount) -> None:
    fail = account.client("stepfunctions").send_task_failure
    assert refusal(fail, taskToken="t", error="E", cause="c" * 32_769)[0] == "ValidationException"
    assert refusal(fail, taskToken="t", error="E", cause="c" * 32_768)[0] == "InvalidToken"
