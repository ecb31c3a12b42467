"""Which versions an account may import, and why not the others: what `flywheel share` shows."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flywheel.comprehend.resource_policy import describe_policy
from flywheel.records.sharing import SharedVersion, shared_versions
from flywheel.sharing.policy import PolicyDocument
from flywheel.sharing.principals import account_of
from flywheel.sharing.share_model import trusted_principals
from flywheel.store.record import Record

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

    from flywheel.store.bucket import IntakeBucket

_USES = ("kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant")
ReadKeyPolicy = Callable[[str], str | None]
"""The policy of the key with this ARN; None if it cannot be read."""


class Importable(Record):
    """Whether one account may import one version."""

    account: str
    model_arn: str
    may_import: bool
    reason: str
    """A sentence."""
    shared_at: datetime | None = None
    id: str | None = None
    """Of the announcement."""


@dataclass(frozen=True, kw_only=True)
class _Found:
    may_import: bool
    reason: str


def check_account(
    account: str,
    *,
    models: Sequence[str],
    intake: IntakeBucket,
    comprehend: ComprehendClient,
    read_key_policy: ReadKeyPolicy,
) -> list[Importable]:
    """Of every version that was ever shared, newest first, then of `models` that were not."""
    listed = [principal for principal in trusted_principals(intake) if account_of(principal) == account]
    versions = shared_versions(intake)[::-1]
    found = []
    for version in versions:
        result = _check(version, account, listed, comprehend, read_key_policy)
        found.append(
            Importable(
                account=account,
                model_arn=version.model_arn,
                may_import=result.may_import,
                reason=result.reason,
                shared_at=version.announcement.shared_at,
                id=version.announcement.id,
            )
        )
    shared = {version.model_arn for version in versions}
    never = "It was never promoted while an account was trusted: only promoted models are shared."
    found += [
        Importable(account=account, model_arn=model, may_import=False, reason=never)
        for model in models
        if model not in shared
    ]
    return found


def _check(
    version: SharedVersion,
    account: str,
    listed: Sequence[str],
    comprehend: ComprehendClient,
    read_key_policy: ReadKeyPolicy,
) -> _Found:
    if version.gone_at is not None:
        return _Found(may_import=False, reason="Comprehend does not have it any more.")
    policy = describe_policy(comprehend, version.model_arn)
    document = PolicyDocument.parse(policy.document if policy else None)
    by_others = any(_names(statement, account) for statement in document.others)
    let_in = [principal for principal in listed if document.lets(principal)]
    if not listed:
        because = f"TrustedAccounts does not name {account}."
    elif version.withdrawn is not None:
        gone_back = version.withdrawn
        because = f"It was withdrawn at {gone_back.at:%Y-%m-%d %H:%M} UTC, when {gone_back.by} went back."
    elif len(let_in) < len(listed):
        because = version.problem or "Its policy does not say so yet: the schedule does that."
    else:
        problem = _key_problem(version.announcement.key_arn, listed, read_key_policy)
        whole = any(principal.endswith(":root") for principal in listed)
        who = "Whoever the account lets may import it." if whole else f"It may be imported by {', '.join(listed)}."
        return _Found(may_import=problem is None, reason=problem or who)
    if by_others:
        return _Found(may_import=True, reason=f"{because} But a statement of somebody else in its policy names it.")
    return _Found(may_import=False, reason=because)


def _key_problem(key_arn: str | None, listed: Sequence[str], read_key_policy: ReadKeyPolicy) -> str | None:
    """What the key's policy lacks; None if it lacks nothing, cannot be read, or there is no key."""
    policy = read_key_policy(key_arn) if key_arn else None
    if policy is None:
        return None
    statements = [one for one in json.loads(policy).get("Statement", []) if one.get("Effect") == "Allow"]
    lacking = [
        use
        for use in _USES
        if not any(_allows(one, use) and any(_is_for(one, principal) for principal in listed) for one in statements)
    ]
    if not lacking:
        return None
    return f"The policy of its key {key_arn} does not allow {', '.join(lacking)} (docs/security.md)."


def _allows(statement: dict[str, Any], action: str) -> bool:
    return any(fnmatch.fnmatchcase(action, pattern) for pattern in _listed(statement.get("Action")))


def _is_for(statement: dict[str, Any], principal: str) -> bool:
    account = account_of(principal)
    roots = {"*", account, f"{':'.join(principal.split(':')[:5])}:root"}
    return any(name == principal or name in roots for name in _named(statement))


def _names(statement: dict[str, Any], account: str) -> bool:
    """Whether it allows somebody of the account."""
    named = list(_named(statement))
    return statement.get("Effect") == "Allow" and any(
        name in {"*", account} or f"::{account}:" in name for name in named
    )


def _named(statement: dict[str, Any]) -> Iterator[str]:
    principal = statement.get("Principal")
    yield from _listed(principal.get("AWS") if isinstance(principal, dict) else principal)


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [] if value is None else [value]
