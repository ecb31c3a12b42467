"""What only a deployment that imports models has."""

from __future__ import annotations

import pytest

from tests.infrastructure.synthesised import Synthesised, as_list, as_text, inline_statements
from tests.infrastructure.test_functions import all_statements

DETAIL_TYPES = ["Model Shared", "Model Withdrawn"]


def test_the_source_alone_may_announce_and_nothing_else(importing: Synthesised) -> None:
    (policy,) = importing.of_type("AWS::Events::EventBusPolicy")
    # Others' statements on the account's default bus stay: this one has a name of its own.
    assert policy.properties["StatementId"] == "served-import"
    assert "EventBusName" not in policy.properties
    statement = policy.properties["Statement"]
    assert as_text(statement["Principal"]["AWS"]) == "arn:<AWS::Partition>:iam::<SourceAccount>:root"
    assert statement["Action"] == "events:PutEvents"
    assert statement["Condition"]["StringEquals"] == {
        "events:source": "comprehend.flywheel",
        "events:detail-type": DETAIL_TYPES,
    }


def test_only_announcements_of_the_source_are_taken(importing: Synthesised) -> None:
    rule = importing.one("TriggersAnnounced", "AWS::Events::Rule")
    assert rule.properties["EventPattern"] == {
        "account": [{"Ref": "SourceAccount"}],
        "source": ["comprehend.flywheel"],
        "detail-type": DETAIL_TYPES,
        "detail": {"flywheel": [{"Ref": "SourceFlywheelName"}]},
    }


@pytest.mark.parametrize("kind", ["import", "serving", "analysis"])
def test_no_role_reaches_a_bucket_but_the_deployments_own(importing: Synthesised, kind: str) -> None:
    own = ("<BucketsIntake", "arn:<AWS::Partition>:s3:::<IntakeBucket>")
    roles = importing.beside(kind).of_type("AWS::IAM::Role")
    reached = [
        (role.logical_id, resource)
        for role in roles
        for statement in inline_statements(role)
        if any(action.startswith(("s3:", "*")) for action in as_list(statement["Action"]))
        for resource in map(as_text, as_list(statement["Resource"]))
    ]
    assert reached
    assert [found for found in reached if not found[1].startswith(own)] == []


def test_the_sources_key_may_be_used_for_imports_alone(importing_with_keys: Synthesised) -> None:
    key = "arn:aws:kms:us-east-1:444455556666:key/00000000-1111-2222-3333-444455556666"
    holders = {
        (holder, action)
        for holder, statement in all_statements(importing_with_keys)
        if key in map(as_text, as_list(statement.get("Resource", [])))
        for action in as_list(statement["Action"])
    }
    actions = {"kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey"}
    function = importing_with_keys.role_of(importing_with_keys.functions()["import_model"].properties["Role"])
    service = importing_with_keys.one("DataAccess", "AWS::IAM::Role")
    assert holders == {(holder, action) for holder in (function.logical_id, service.logical_id) for action in actions}


def test_comprehend_takes_on_its_role_for_this_account_alone(importing: Synthesised) -> None:
    role = importing.one("DataAccess", "AWS::IAM::Role")
    (trust,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "comprehend.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_there_is_no_flywheel(importing: Synthesised) -> None:
    for kind in ("import", "serving", "analysis"):
        assert ":flywheel/" not in importing.beside(kind).template_path.read_text()
