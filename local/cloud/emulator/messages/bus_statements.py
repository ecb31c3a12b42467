"""The resource policy of an event bus, as PutPermission and AWS::Events::EventBusPolicy write it.

Patterns: EventBridge API Reference, PutPermission. The size: EventBridge User Guide, "Quotas".
"""

from __future__ import annotations

import json
import re
from typing import Any

Policy = dict[str, Any]
Statement = dict[str, Any]

POLICY_CHARACTERS = 10_240
_VERSION = "2012-10-17"
_PATTERNS = {
    "StatementId": re.compile(r"[a-zA-Z0-9-_]{1,64}"),
    "Action": re.compile(r"events:[a-zA-Z]{1,57}"),
    "Principal": re.compile(r"\d{12}|\*"),
}
_ELEMENTS = ("Effect", "Principal", "Action", "Resource")


class Refused(Exception):
    """What AWS does not take as a bus's policy; ``code`` is the name of its error."""

    def __init__(self, message: str, *, code: str = "ValidationException") -> None:
        super().__init__(message)
        self.code = code


def permission(members: dict[str, Any], *, bus_arn: str) -> Statement:
    """The statement that the members StatementId, Action, Principal and Condition stand for."""
    for name, pattern in _PATTERNS.items():
        _require(name, str(members.get(name, "")), pattern)
    principal = members["Principal"]
    statement = {
        "Sid": members["StatementId"],
        "Effect": "Allow",
        "Principal": principal if principal == "*" else {"AWS": f"arn:aws:iam::{principal}:root"},
        "Action": members["Action"],
        "Resource": bus_arn,
    }
    condition = members.get("Condition")
    if condition:
        statement["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
    return statement


def identified(statement: object, *, statement_id: str) -> Statement:
    """A whole statement, as an object or its JSON, under its StatementId."""
    _require("StatementId", statement_id, _PATTERNS["StatementId"])
    return {**_checked(_parsed(statement)), "Sid": statement_id}


def policy_of(document: str) -> Policy:
    """The policy that PutPermission's member Policy is."""
    policy = _parsed(document)
    statements = policy.get("Statement")
    listed = statements if isinstance(statements, list) else [statements]
    return fitting({**policy, "Statement": [_checked(_parsed(each)) for each in listed]})


def with_statement(policy: Policy | None, statement: Statement) -> Policy:
    """The policy with the statement, instead of the one that has its StatementId."""
    others = _without(policy, statement["Sid"])
    return fitting({"Version": _VERSION, **(policy or {}), "Statement": [*others, statement]})


def without_statement(policy: Policy | None, statement_id: str) -> Policy | None:
    """The policy without that statement, None if it was the last one."""
    others = _without(policy, statement_id)
    return {**(policy or {}), "Statement": others} if others else None


def fitting(policy: Policy) -> Policy:
    """The policy itself. Raises Refused if it is too long."""
    if len(json.dumps(policy, separators=(",", ":"))) > POLICY_CHARACTERS:
        raise Refused(
            f"The event bus policy is too long: it may have {POLICY_CHARACTERS:,} characters.",
            code="PolicyLengthExceededException",
        )
    return policy


def _without(policy: Policy | None, statement_id: str) -> list[Statement]:
    return [each for each in (policy or {}).get("Statement", []) if each.get("Sid") != statement_id]


def _require(name: str, value: str, pattern: re.Pattern[str]) -> None:
    if not pattern.fullmatch(value):
        member = name[0].lower() + name[1:]
        raise Refused(
            f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {pattern.pattern}"
        )


def _parsed(value: object) -> dict[str, Any]:
    try:
        parsed = json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        raise Refused(f"The policy of the event bus is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise Refused("The policy of an event bus, and each of its statements, must be a JSON object.")
    return parsed


def _checked(statement: Statement) -> Statement:
    missing = [element for element in _ELEMENTS if element not in statement]
    if missing:
        raise Refused(f"A statement of an event bus's policy needs {', '.join(missing)}.")
    if statement["Effect"] not in ("Allow", "Deny"):
        raise Refused("The Effect of a statement must be Allow or Deny.")
    return statement
