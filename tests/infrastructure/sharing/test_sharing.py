"""Sharing in the templates: the list, what runs on schedule, whom a key lets in, and when."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.infrastructure.synthesised import Synthesised, as_text, inline_statements, statements

HERE = "<AWS::Region>:<AWS::AccountId>"
LIST = {"Fn::Split": [",", {"Ref": "TrustedAccounts"}]}


def key_statements(stack: Synthesised) -> list[Any]:
    (key,) = stack.of_type("AWS::KMS::Key")
    return statements(key.properties["KeyPolicy"])


def condition_of(stack: Synthesised) -> str:
    (name,) = [
        name for name, condition in stack.template["Conditions"].items() if "TrustedAccounts" in json.dumps(condition)
    ]
    assert stack.template["Conditions"][name] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "TrustedAccounts"}, "none"]}]}
    return str(name)


def test_a_change_of_the_list_is_applied_by_the_deployment(any_flywheel: Synthesised) -> None:
    (resource,) = any_flywheel.of_type("Custom::ModelSharing")
    function = any_flywheel.functions()["share_model"]
    assert as_text(resource.properties["ServiceToken"]) == f"<{function.logical_id}.Arn>"
    assert resource.properties["TrustedAccounts"] == LIST
    # Also with none: what was shared before is taken back.
    assert "Condition" not in resource.body


def test_no_change_of_the_list_begins_when_the_deployment_waits_no_more(any_flywheel: Synthesised) -> None:
    (resource,) = any_flywheel.of_type("Custom::ModelSharing")
    function = any_flywheel.functions()["share_model"]
    (waits,) = any_flywheel.of_type("AWS::Lambda::EventInvokeConfig")
    assert as_text(waits.properties["FunctionName"]) == f"<{function.logical_id}>"
    longest = waits.properties["MaximumEventAgeInSeconds"] + function.properties["Timeout"]
    assert longest <= int(resource.properties["ServiceTimeout"])
    assert resource.body["DependsOn"] == [waits.logical_id]


def test_the_schedule_tries_again(default: Synthesised) -> None:
    function = default.functions()["share_model"]
    (rule,) = [rule for rule in default.of_type("AWS::Events::Rule") if rule.logical_id.startswith("Sharing")]
    (target,) = rule.properties["Targets"]
    assert rule.properties["ScheduleExpression"] == {"Ref": "TurnSchedule"}
    assert json.loads(target["Input"]) == {"poke": "schedule"}
    assert as_text(target["Arn"]) == f"<{function.logical_id}.Arn>"
    (permission,) = [
        found
        for found in default.of_type("AWS::Lambda::Permission")
        if function.logical_id in as_text(found.properties["FunctionName"])
    ]
    assert as_text(permission.properties["SourceArn"]) == f"<{rule.logical_id}.Arn>"


def test_it_sends_nothing_but_its_two_events(any_flywheel: Synthesised) -> None:
    role = any_flywheel.role_of(any_flywheel.functions()["share_model"].properties["Role"])
    (sending,) = [found for found in inline_statements(role) if found["Action"] == "events:PutEvents"]
    assert sending["Condition"] == {
        "StringEquals": {
            "events:source": "comprehend.flywheel",
            "events:detail-type": ["Model Shared", "Model Withdrawn"],
        }
    }


def test_a_new_key_lets_the_list_import_only_while_there_is_one(new_key: Synthesised) -> None:
    conditional = [statement["Fn::If"] for statement in key_statements(new_key) if "Fn::If" in statement]
    assert [(name, otherwise) for name, _, otherwise in conditional] == [
        (condition_of(new_key), {"Ref": "AWS::NoValue"})
    ] * 2
    use, grant = (statement for _, statement, _ in conditional)
    models = f"arn:<AWS::Partition>:comprehend:{HERE}:document-classifier/*"
    assert use["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert as_text(use["Condition"]["ArnLike"].pop("aws:SourceArn")) == models
    assert grant["Action"] == "kms:CreateGrant"
    assert as_text(grant["Condition"]["StringLike"].pop("kms:EncryptionContext:aws:comprehend:arn")) == models
    for statement in (use, grant):
        assert statement["Condition"] in ({"ArnLike": {}}, {"StringLike": {}})
        assert (statement["Effect"], statement["Principal"]) == ("Allow", {"AWS": LIST})


def test_the_other_statements_of_the_key_know_nothing_of_it(new_key: Synthesised) -> None:
    sids = [statement.get("Sid") for statement in key_statements(new_key) if "Fn::If" not in statement]
    assert sids == [None, "CloudWatchLogs", "EventsToQueues", "AlarmsToTopic"]


@pytest.mark.parametrize("variant", ["default", "organisation"])
def test_a_key_of_somebody_elses_is_left_alone(variant: str, request: pytest.FixtureRequest) -> None:
    stack: Synthesised = request.getfixturevalue(variant)
    assert stack.of_type("AWS::KMS::Key") == []


def test_the_corrupted_principal_of_the_source_document_is_nowhere(any_flywheel: Synthesised) -> None:
    assert "rproxy" not in any_flywheel.template_path.read_text()
