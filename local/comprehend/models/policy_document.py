"""The resource policy of a model: JSON that lets others import it, and nothing else (developer guide, "Sharing a custom
model")."""

from __future__ import annotations

import json
import re
from typing import Any

from local.comprehend.errors import invalid_request

IMPORT = "comprehend:ImportModel"
_VERSIONS = ("2012-10-17", "2008-10-17")
_OF_POLICY = frozenset({"Version", "Id", "Statement"})
_OF_STATEMENT = frozenset({"Sid", "Effect", "Principal", "Action", "Resource", "Condition"})
_AWS_PRINCIPAL = re.compile(
    r"\*|[0-9]{12}|arn:aws(-[a-z]+)*:(iam|sts)::[0-9]{12}:(root|(user|role|assumed-role|federated-user)/[^*?]+)"
)
_SERVICE_PRINCIPAL = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?")
_PRINCIPALS = {"AWS": _AWS_PRINCIPAL, "Service": _SERVICE_PRINCIPAL}


def checked_policy(document: str, *, of: str) -> None:
    """Raise InvalidRequestException unless the document is a policy that the model with the ARN ``of`` can have."""
    try:
        policy = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise invalid_request(f"The resource policy is not JSON: {error}") from error
    if not isinstance(policy, dict):
        raise _invalid("it must be a JSON object")
    _require_known(policy, _OF_POLICY, "it")
    if policy.get("Version", _VERSIONS[1]) not in _VERSIONS:
        raise _invalid(f"its Version must be one of {', '.join(_VERSIONS)}")
    statements = _listed(policy.get("Statement"))
    if not statements:
        raise _invalid("it needs a Statement")
    for number, statement in enumerate(statements, start=1):
        _check(statement, f"statement {number}", of)


def _check(statement: object, where: str, arn: str) -> None:
    if not isinstance(statement, dict):
        raise _invalid(f"{where} must be a JSON object")
    _require_known(statement, _OF_STATEMENT, where)
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise _invalid(f"the Effect of {where} must be Allow or Deny")
    if set(map(str, _listed(statement.get("Action")))) != {IMPORT}:
        raise _invalid(f"the Action of {where} must be {IMPORT}, the only one that a model can be shared for")
    resources = _listed(statement.get("Resource"))
    if not resources or any(resource not in ("*", arn) for resource in resources):
        raise _invalid(f"the Resource of {where} must be * or {arn}")
    _check_principal(statement.get("Principal"), where)
    if not isinstance(statement.get("Condition", {}), dict):
        raise _invalid(f"the Condition of {where} must be a JSON object")


def _check_principal(principal: object, where: str) -> None:
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal:
        raise _invalid(f'{where} needs a Principal, such as {{"AWS": "arn:aws:iam::444455556666:root"}}')
    _require_known(principal, frozenset(_PRINCIPALS), f"the Principal of {where}")
    for kind, named in principal.items():
        listed = _listed(named)
        wrong = [each for each in listed if not (isinstance(each, str) and _PRINCIPALS[kind].fullmatch(each))]
        if wrong or not listed:
            raise _invalid(f"the Principal of {where} has no valid {kind} principal: {wrong or 'it names none'}")


def _require_known(block: dict[str, Any], known: frozenset[str], where: str) -> None:
    unknown = sorted(set(block) - known)
    if unknown:
        raise _invalid(f"{where} has {', '.join(unknown)}; known are {', '.join(sorted(known))}")


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _invalid(problem: str) -> Exception:
    return invalid_request(f"The resource policy is not valid: {problem}.")
