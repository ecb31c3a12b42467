"""The resource policy of a shared model version: the pipeline's own statement, and those that others put beside it.

As in the developer guide, "Sharing a custom model": the one action is comprehend:ImportModel.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SID = "TrustedAccounts"
"""Marks the pipeline's statement. Statements with another Sid, or without one, are somebody else's."""
MOST_CHARACTERS = 20_000
"""Of a model's policy (reference 11)."""
IMPORT = "comprehend:ImportModel"
_LONGEST_ARN = 256
_ACCOUNT_ROOT = re.compile(r"arn:[a-z-]+:iam::([0-9]{12}):root")


@dataclass(frozen=True, kw_only=True)
class PolicyDocument:
    own: dict[str, Any] | None = None
    others: tuple[dict[str, Any], ...] = ()

    @classmethod
    def parse(cls, document: str | None) -> PolicyDocument:
        """Raises ValueError if it is no policy."""
        if document is None:
            return cls()
        policy = json.loads(document)
        if not isinstance(policy, dict):
            raise ValueError("The policy is no JSON object.")
        statements = _listed(policy.get("Statement"))
        own = [statement for statement in statements if statement.get("Sid") == SID]
        return cls(
            own=own[0] if own else None,
            others=tuple(statement for statement in statements if statement not in own),
        )

    def lets_exactly(self, principals: Sequence[str], *, model_arn: str) -> bool:
        """Whether the pipeline's statement is as it should be; without principals, whether there is none."""
        wanted = _statement(model_arn, principals) if principals else None
        return _normal(self.own) == _normal(wanted)

    def lets(self, principal: str) -> bool:
        """Whether the pipeline's statement names this principal."""
        return self.own is not None and _principal(principal) in _normal(self.own)["Principal"]

    def letting(self, principals: Sequence[str], *, model_arn: str) -> str | None:
        """The policy with this in place of the pipeline's statement; None if nothing is left of it."""
        own = (_statement(model_arn, principals),) if principals else ()
        return _document([*self.others, *own]) if self.others or own else None


def longest_document(principals: Sequence[str]) -> int:
    """Characters of the policy for a model whose ARN is as long as one can be."""
    return len(_document([_statement("x" * _LONGEST_ARN, principals)]))


def _statement(model_arn: str, principals: Sequence[str]) -> dict[str, Any]:
    return {
        "Sid": SID,
        "Effect": "Allow",
        "Action": IMPORT,
        "Resource": model_arn,
        "Principal": {"AWS": list(principals)},
    }


def _document(statements: Sequence[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, separators=(",", ":"))


def _normal(statement: dict[str, Any] | None) -> dict[str, Any]:
    """In one form: AWS may give back a list of one as a string, and an account's root as its id."""
    if statement is None:
        return {}
    principal = statement.get("Principal")
    aws = _listed(principal.get("AWS")) if isinstance(principal, dict) and set(principal) == {"AWS"} else [principal]
    return {
        **statement,
        "Action": _listed(statement.get("Action")),
        "Resource": _listed(statement.get("Resource")),
        "Principal": {_principal(each) if isinstance(each, str) else json.dumps(each) for each in aws},
    }


def _principal(principal: str) -> str:
    root = _ACCOUNT_ROOT.fullmatch(principal)
    return root[1] if root else principal


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
