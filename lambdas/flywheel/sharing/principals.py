"""Reads the parameter TrustedAccounts: who may import the models."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flywheel.faults.errors import SharingRefused
from flywheel.sharing.policy import MOST_CHARACTERS, longest_document

NONE = "none"
MOST_ACCOUNTS = 100
"""Each is told of every model by a request of its own."""
_ACCOUNT = re.compile(r"[0-9]{12}")
_PRINCIPAL = re.compile(
    r"arn:(?P<partition>aws(-[a-z]+)*):iam::(?P<account>[0-9]{12}):(root|(role|user)/[A-Za-z0-9_+=.@/-]+)"
)


def read_principals(given: Iterable[str], *, partition: str) -> tuple[str, ...]:
    """The ARNs of these accounts and principals, each once and sorted. Raises SharingRefused."""
    listed = list(given)
    if listed in ([], [""], [NONE]):
        return ()
    principals = tuple(sorted({_read(entry, partition=partition) for entry in listed}))
    if len(accounts := accounts_of(principals)) > MOST_ACCOUNTS:
        raise SharingRefused(f"TrustedAccounts names {len(accounts)} accounts; {MOST_ACCOUNTS} are the most.")
    if (length := longest_document(principals)) > MOST_CHARACTERS:
        raise SharingRefused(
            f"The policy that TrustedAccounts makes would have {length:,} characters, and a model's policy may have "
            f"{MOST_CHARACTERS:,}: name accounts instead of their roles."
        )
    return principals


def accounts_of(principals: Iterable[str]) -> list[str]:
    """Each once, sorted."""
    return sorted({account_of(principal) for principal in principals})


def account_of(principal_arn: str) -> str:
    return principal_arn.split(":")[4]


def root_of(account: str, *, partition: str) -> str:
    """Everybody in the account whom its administrators let."""
    return f"arn:{partition}:iam::{account}:root"


def _read(entry: str, *, partition: str) -> str:
    if _ACCOUNT.fullmatch(entry):
        return root_of(entry, partition=partition)
    found = _PRINCIPAL.fullmatch(entry)
    if found is None:
        raise SharingRefused(
            f"TrustedAccounts names {entry!r}, which is neither an account id of 12 digits nor the ARN of an IAM role, "
            f"user or account root, such as arn:{partition}:iam::444455556666:role/importer."
        )
    if found["partition"] != partition:
        raise SharingRefused(f"TrustedAccounts names {entry}, but models can be shared within {partition} only.")
    return entry
