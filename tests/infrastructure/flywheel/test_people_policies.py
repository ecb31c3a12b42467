"""What the managed policies let people do, the simulation says, which acts under them; that each is refused everything
else is tried in a deployment (tests/local_cloud/ops/test_people.py)."""

from __future__ import annotations

import pytest

from tests.infrastructure.synthesised import Synthesised, statements
from tests.infrastructure.test_functions import grants

GROUPS = ("TrainingUploaders", "TestUploaders", "RejectedReviewers", "Operators", "Approvers", "Reviewers")


def test_there_are_no_others(default: Synthesised) -> None:
    assert len(default.of_type("AWS::IAM::ManagedPolicy")) == len(GROUPS)


@pytest.mark.parametrize("name", GROUPS)
def test_each_is_an_output(default: Synthesised, name: str) -> None:
    policy = default.one(f"People{name}", "AWS::IAM::ManagedPolicy")
    assert default.template["Outputs"][f"{name}PolicyArn"]["Value"] == {"Ref": policy.logical_id}


@pytest.mark.parametrize("name", GROUPS)
def test_each_lets_use_the_key(new_key: Synthesised, name: str) -> None:
    policy = new_key.one(f"People{name}", "AWS::IAM::ManagedPolicy")
    found = grants(statements(policy.properties["PolicyDocument"]))
    assert found["kms:GenerateDataKey"] == found["kms:Decrypt"] == {"key"}


def test_who_reviews_lists_what_was_rejected_only(default: Synthesised) -> None:
    policy = default.one("PeopleRejectedReviewers", "AWS::IAM::ManagedPolicy")
    (listing,) = [
        statement
        for statement in statements(policy.properties["PolicyDocument"])
        if statement["Action"] == "s3:ListBucket"
    ]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": ["rejected/*"]}}
