"""The pipeline's statement in a model's policy: found again in every form, and replaced without touching others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel.sharing.policy import SID, PolicyDocument

MODEL = "arn:aws:comprehend:eu-west-1:111122223333:document-classifier/news/version/1"
ROOT = "arn:aws:iam::444455556666:root"
ROLE = "arn:aws:iam::777788889999:role/importer"
OTHER = {"Sid": "Partner", "Effect": "Allow", "Action": "comprehend:ImportModel", "Resource": "*", "Principal": "*"}
PRINCIPALS = st.sampled_from([ROOT, ROLE, "arn:aws:iam::000011112222:root", "arn:aws:iam::000011112222:user/a"])
LISTS = st.lists(PRINCIPALS, unique=True, max_size=4)


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def own(**changes: Any) -> dict[str, Any]:
    return {
        "Sid": SID,
        "Effect": "Allow",
        "Action": "comprehend:ImportModel",
        "Resource": MODEL,
        "Principal": {"AWS": [ROOT, ROLE]},
        **changes,
    }


def test_is_as_the_developer_guide_has_it() -> None:
    document = PolicyDocument().letting([ROOT, ROLE], model_arn=MODEL)
    assert document
    assert json.loads(document) == {"Version": "2012-10-17", "Statement": [own()]}


@pytest.mark.parametrize(
    "same",
    [
        own(),
        own(Action=["comprehend:ImportModel"], Resource=[MODEL]),
        own(Principal={"AWS": [ROLE, "444455556666"]}),
    ],
)
def test_another_form_of_the_same_is_right(same: dict[str, Any]) -> None:
    assert PolicyDocument.parse(policy(same)).lets_exactly([ROOT, ROLE], model_arn=MODEL)


@pytest.mark.parametrize(
    "different",
    [
        own(Effect="Deny"),
        own(Resource="*"),
        own(Principal="*"),
        own(Principal={"AWS": "*"}),
        own(Principal={"AWS": [ROOT, ROLE], "Service": "comprehend.amazonaws.com"}),
        own(Principal={"AWS": [ROOT]}),
        own(Condition={"StringEquals": {"aws:PrincipalTag/a": "b"}}),
        # What AWS shows of a role that was deleted.
        own(Principal={"AWS": [ROOT, "AROAEXAMPLE"]}),
    ],
)
def test_anything_else_is_not(different: dict[str, Any]) -> None:
    assert not PolicyDocument.parse(policy(different)).lets_exactly([ROOT, ROLE], model_arn=MODEL)


@given(before=LISTS, after=LISTS, others=st.lists(st.just(OTHER), max_size=2))
def test_what_is_written_is_what_is_found_again(
    before: list[str], after: list[str], others: list[dict[str, Any]]
) -> None:
    there = PolicyDocument.parse(policy(*others, *([own(Principal={"AWS": before})] if before else [])))
    written = there.letting(after, model_arn=MODEL)
    found = PolicyDocument.parse(written)
    assert found.lets_exactly(after, model_arn=MODEL)
    assert list(found.others) == others
    assert (written is None) is (not after and not others)
    assert {principal for principal in (ROOT, ROLE) if found.lets(principal)} == {ROOT, ROLE} & set(after)
    assert found.lets_exactly(before, model_arn=MODEL) is (set(before) == set(after))


@pytest.mark.parametrize("document", ["[]", "{"])
def test_what_is_no_policy_is_said(document: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        PolicyDocument.parse(document)
