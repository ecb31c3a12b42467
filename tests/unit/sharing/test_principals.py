"""Whom TrustedAccounts names: what is read, and what is refused with a sentence."""

from __future__ import annotations

import re

import pytest

from flywheel.faults.errors import SharingRefused
from flywheel.sharing.principals import accounts_of, read_principals
from stacks.flywheel.parameters import FlywheelParameters

ROOT = "arn:aws:iam::444455556666:root"
ROLE = "arn:aws:iam::777788889999:role/teams/importer"


def read(*given: str, partition: str = "aws") -> tuple[str, ...]:
    return read_principals(given, partition=partition)


def test_accounts_become_their_roots() -> None:
    assert read("444455556666") == read(ROOT) == read("444455556666", ROOT) == (ROOT,)
    assert read("444455556666", partition="aws-cn") == ("arn:aws-cn:iam::444455556666:root",)


def test_the_order_makes_no_difference() -> None:
    assert read(ROLE, "444455556666") == read("444455556666", ROLE) == (ROOT, ROLE)
    assert accounts_of(read(ROLE, "777788889999", "444455556666")) == ["444455556666", "777788889999"]


@pytest.mark.parametrize("nobody", [(), ("none",), ("",)])
def test_nobody(nobody: tuple[str, ...]) -> None:
    assert read(*nobody) == ()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("44445555666", "'44445555666', which is neither an account id of 12 digits nor the ARN"),
        ("*", "neither"),
        ("none", "neither"),
        ("arn:aws:iam::444455556666:role/*", "neither"),
        ("arn:aws:iam::444455556666:group/a", "neither"),
        ("arn:aws:sts::444455556666:assumed-role/a/b", "neither"),
        ("comprehend.amazonaws.com", "neither"),
        ("arn:aws-cn:iam::444455556666:root", "within aws only"),
    ],
)
def test_what_is_no_principal_is_refused(wrong: str, says: str) -> None:
    with pytest.raises(SharingRefused, match=re.escape(says)):
        read("444455556666", wrong)


def test_so_many_accounts_and_no_more() -> None:
    accounts = [f"{number:012}" for number in range(101)]
    assert len(read(*accounts[:100])) == 100
    with pytest.raises(SharingRefused, match="101 accounts; 100 are the most"):
        read(*accounts)


def test_a_policy_that_is_too_long_is_refused() -> None:
    roles = [f"arn:aws:iam::444455556666:role/{number:0>64}" for number in range(400)]
    assert read(*roles[:150])
    with pytest.raises(SharingRefused, match=r"characters, and a model's policy may have 20,000"):
        read(*roles)


@pytest.mark.parametrize(
    "entry",
    ["444455556666", ROOT, ROLE, "arn:aws-us-gov:iam::444455556666:user/ada@example.com", "4", "a", f"{ROLE}*", " "],
)
def test_the_parameter_takes_what_the_function_reads(entry: str) -> None:
    pattern = FlywheelParameters.trusted_accounts._properties["allowed_pattern"]
    partition = entry.split(":")[1] if entry.startswith("arn:") else "aws"
    try:
        read(entry, partition=partition)
        taken = True
    except SharingRefused:
        taken = False
    assert taken is (re.fullmatch(pattern, entry) is not None)
