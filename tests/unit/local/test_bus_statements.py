"""The policy of an event bus in the local cloud takes what EventBridge takes, and is no longer than there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.cloud.emulator.messages.bus_statements import (
    POLICY_CHARACTERS,
    Refused,
    fitting,
    identified,
    permission,
    policy_of,
    with_statement,
    without_statement,
)

BUS = "arn:aws:events:us-east-1:111122223333:event-bus/default"
MEMBERS = {"StatementId": "source", "Action": "events:PutEvents", "Principal": "444455556666"}
WHOLE = {"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": BUS}


def test_an_account_is_its_root() -> None:
    assert permission(MEMBERS, bus_arn=BUS) == {
        "Sid": "source",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
        "Action": "events:PutEvents",
        "Resource": BUS,
    }


def test_everybody_of_an_organisation() -> None:
    condition = {"Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": "o-1234567890"}
    statement = permission({**MEMBERS, "Principal": "*", "Condition": condition}, bus_arn=BUS)
    assert statement["Principal"] == "*"
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"StatementId": ""},
        {"StatementId": "a" * 65},
        {"StatementId": "with space"},
        {"StatementId": "dotted.name"},
        {"Action": "sqs:SendMessage"},
        {"Action": "events:*"},
        {"Action": "events:" + "a" * 58},
        {"Principal": "44445555666"},
        {"Principal": "arn:aws:iam::444455556666:root"},
    ],
)
def test_members_outside_their_pattern(wrong: dict[str, str]) -> None:
    with pytest.raises(Refused, match=r"Member must satisfy regular expression pattern") as raised:
        permission({**MEMBERS, **wrong}, bus_arn=BUS)
    assert raised.value.code == "ValidationException"


def test_a_whole_statement_gets_its_id() -> None:
    assert identified({**WHOLE, "Sid": "other"}, statement_id="a-Z_9" + "0" * 59)["Sid"] == "a-Z_9" + "0" * 59
    assert identified(json.dumps(WHOLE), statement_id="text") == {**WHOLE, "Sid": "text"}


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ({name: value for name, value in WHOLE.items() if name != "Resource"}, "needs Resource"),
        ({}, "needs Effect, Principal, Action, Resource"),
        ({**WHOLE, "Effect": "allow"}, "Allow or Deny"),
        ("{", "is not JSON"),
        ([WHOLE], "JSON object"),
        (None, "JSON object"),
    ],
)
def test_statements_that_are_none(statement: Any, said: str) -> None:
    with pytest.raises(Refused, match=said):
        identified(statement, statement_id="a")
    if statement != [WHOLE]:
        with pytest.raises(Refused, match=said):
            policy_of(json.dumps({"Statement": statement}))


def test_a_statement_replaces_the_one_with_its_id_and_leaves_others() -> None:
    first, second = identified(WHOLE, statement_id="first"), identified(WHOLE, statement_id="second")
    policy = with_statement(with_statement(None, first), second)
    changed = {**first, "Effect": "Deny"}
    assert with_statement(policy, changed)["Statement"] == [second, changed]
    assert without_statement(policy, "first") == {"Version": "2012-10-17", "Statement": [second]}
    assert without_statement(without_statement(policy, "first"), "second") is None
    assert without_statement(None, "first") is None


def test_a_policy_has_a_limit() -> None:
    def policy_with(resource: str) -> dict[str, Any]:
        return {"Statement": [{**WHOLE, "Resource": resource}]}

    room = POLICY_CHARACTERS - len(json.dumps(policy_with(""), separators=(",", ":")))
    assert fitting(policy_with("a" * room))
    with pytest.raises(Refused, match="too long") as raised:
        fitting(policy_with("a" * (room + 1)))
    assert raised.value.code == "PolicyLengthExceededException"
