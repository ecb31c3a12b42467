"""Models of a deployed flywheel under a key of its own, imported by another account as long as it is trusted."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from flywheel.records.announcements import EVENT_SOURCE, MODEL_SHARED, ModelShared
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionStatus
from flywheel.records.sharing import STATE_KEY, SharedVersion, SharingState, shared_versions
from local.cloud import CloudAccount, LocalCloud
from ops.verbs.rollback import rollback
from ops.verbs.share import share as importable
from ops.verbs.share import sharing_now
from ops.verbs.status import status
from tests.local_cloud.people import mislabelled
from tests.local_cloud.pipeline import CONTEXT, LONG, STACK, Pipeline, documents, paused
from tests.local_cloud.resources import (
    Synthesise,
    allow,
    change_parameters,
    create_queue,
    create_role,
    delete_stack,
    lets_send,
    messages,
    stack_status,
    until,
)

SOURCE, TARGET, INTRUDER = "100000000020", "100000000021", "100000000022"
KEY_USES = ("kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant")


@pytest.fixture(scope="module")
def pipeline(cloud: LocalCloud, synthesise: Synthesise) -> Pipeline:
    """One that trusts an account before it has a model, and has two models since, each promoted."""
    context = {**CONTEXT, "encryption": json.dumps({"mode": "new"})}
    pipeline = Pipeline.deploy(cloud.account(SOURCE), synthesise(context=context), MinimumScore="0")
    change_parameters(pipeline.account, STACK, {"TrustedAccounts": TARGET})
    with paused(pipeline):
        pipeline.upload("test/test.csv", documents(20))
    for rows in (mislabelled(documents(50)), documents(60)):
        before = pipeline.current
        pipeline.upload(f"train/{uuid.uuid4().hex[:8]}.csv", rows)
        record = pipeline.recorded(pipeline.next_turn(before))
        assert record.decision is DecisionKind.PROMOTE, record.reasons
        promotion = pipeline.promotion_of(record)
        assert promotion.status.made_active, promotion.reason
        assert "It is shared with 1 account." in promotion.reason
    pipeline.await_promotions()
    return pipeline


@pytest.fixture(scope="module")
def target(cloud: LocalCloud) -> CloudAccount:
    return cloud.account(TARGET)


def versions(pipeline: Pipeline) -> list[SharedVersion]:
    """Oldest first."""
    return shared_versions(pipeline.deployment.intake)


def imported(pipeline: Pipeline, account: CloudAccount, model: str) -> dict[str, Any]:
    """What becomes of it, as a role of the account imports it that its administrators let."""
    key = versions(pipeline)[0].announcement.key_arn
    assert key
    caller = create_role(account, allow("comprehend:ImportModel", on=model), trusted={"AWS": account.account})
    data_access = create_role(account, allow(*KEY_USES, on=key), trusted="comprehend.amazonaws.com")
    administrator = account.client("iam")
    pass_role = {"Version": "2012-10-17", "Statement": [allow("iam:PassRole", on=data_access)]}
    administrator.put_role_policy(
        RoleName=caller.rsplit("/", 1)[-1], PolicyName="pass", PolicyDocument=json.dumps(pass_role)
    )
    arn = account.client("comprehend", role_arn=caller).import_model(
        SourceModelArn=model, ModelName=f"copy-{uuid.uuid4().hex[:8]}", DataAccessRoleArn=data_access
    )["ModelArn"]

    def find() -> dict[str, Any] | None:
        found: dict[str, Any] = account.client("comprehend").describe_document_classifier(DocumentClassifierArn=arn)[
            "DocumentClassifierProperties"
        ]
        return found if found["Status"] not in ("SUBMITTED", "TRAINING") else None

    return until(find, patience=LONG)


def refused(pipeline: Pipeline, account: CloudAccount, model: str) -> None:
    with pytest.raises(ClientError, match="because no resource-based policy allows") as raised:
        imported(pipeline, account, model)
    assert raised.value.response["Error"]["Code"] == "AccessDeniedException"


def on_schedule(pipeline: Pipeline) -> dict[str, Any]:
    """What the rule of the schedule does."""
    answer = pipeline.account.client("lambda").invoke(
        FunctionName=pipeline.functions["share_model"], Payload=json.dumps({"poke": "schedule"}).encode()
    )
    assert "FunctionError" not in answer
    found: dict[str, Any] = json.loads(answer["Payload"].read())
    return found


def require_state(pipeline: Pipeline) -> SharingState:
    return pipeline.deployment.intake.require(STATE_KEY, SharingState)


def key_sids(pipeline: Pipeline) -> set[str]:
    name = "/comprehend-flywheel/press/key-arn"
    key = pipeline.account.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    policy = json.loads(pipeline.account.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    return {str(statement.get("Sid")) for statement in policy["Statement"]}


def may_import(pipeline: Pipeline, account: str) -> list[bool]:
    found = {each.model_arn: each.may_import for each in importable(pipeline.deployment, account=account)}
    return [found[version.model_arn] for version in versions(pipeline)]


def test_a_trusted_account_imports_what_was_promoted_and_others_nothing(
    pipeline: Pipeline, target: CloudAccount, cloud: LocalCloud
) -> None:
    for version in versions(pipeline):
        model = imported(pipeline, target, version.model_arn)
        assert (model["Status"], model["SourceModelArn"]) == ("TRAINED", version.model_arn), model
        refused(pipeline, cloud.account(INTRUDER), version.model_arn)
    operators = pipeline.as_person("Operators")
    sharing = status(operators).sharing
    assert sharing
    assert (sharing.accounts, sharing.versions, sharing.problems) == ((TARGET,), 2, ())
    assert all(found.may_import for found in importable(operators) if found.shared_at)
    assert may_import(pipeline, INTRUDER) == [False, False]


def test_the_schedule_undoes_what_somebody_changed(pipeline: Pipeline) -> None:
    newest = versions(pipeline)[-1].model_arn
    comprehend = pipeline.account.client("comprehend")
    comprehend.delete_resource_policy(ResourceArn=newest)
    assert may_import(pipeline, TARGET) == [True, False]
    assert "It is shared with 1 account." in on_schedule(pipeline)["reason"]
    assert may_import(pipeline, TARGET) == [True, True]


def test_the_account_hears_of_it_once_its_bus_takes_the_events(pipeline: Pipeline, target: CloudAccount) -> None:
    events, inbox = target.client("events"), create_queue(target, lets_in=[lets_send("events.amazonaws.com")])
    on_schedule(pipeline)
    refusal = require_state(pipeline).undelivered[TARGET]
    assert "AccessDenied" in refusal
    statement = allow("events:PutEvents", on=f"arn:aws:events:us-east-1:{TARGET}:event-bus/default")
    principal = {"Principal": {"AWS": f"arn:aws:iam::{SOURCE}:root"}, "Sid": "source"}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, **principal}]}
    events.put_permission(Policy=json.dumps(policy))
    pattern = {"source": [EVENT_SOURCE], "account": [SOURCE], "detail-type": [MODEL_SHARED]}
    events.put_rule(Name="shared", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="shared", Targets=[{"Id": "inbox", "Arn": inbox[1]}])
    on_schedule(pipeline)
    assert require_state(pipeline).undelivered == {}
    (event,) = until(lambda: messages(target, inbox[0]))
    shared = ModelShared.model_validate(event["detail"])
    newest = versions(pipeline)[-1]
    assert (shared.model, shared.id) == (newest.model_arn, newest.announcement.id)
    assert shared.scores
    assert shared.scores.F1Score


def test_going_back_withdraws_the_newer_model(pipeline: Pipeline, target: CloudAccount) -> None:
    older, newer = (version.model_arn for version in versions(pipeline))
    for to, reason, expected in ((older, "complaints", [True, False]), (newer, "a mistake", [True, True])):
        asked = rollback(pipeline.deployment, to=to, reason=reason)
        assert asked.request
        assert pipeline.ended(asked.request.id).status is PromotionStatus.PROMOTED
        assert may_import(pipeline, TARGET) == expected
        if not expected[1]:
            refused(pipeline, target, newer)


def test_who_is_taken_off_the_list_imports_nothing_from_then_on(pipeline: Pipeline, target: CloudAccount) -> None:
    models = [version.model_arn for version in versions(pipeline)]
    assert {"ImportersUse", "ImportersGrant"} <= key_sids(pipeline)
    change_parameters(pipeline.account, STACK, {"TrustedAccounts": INTRUDER})
    for model in models:
        refused(pipeline, target, model)
    change_parameters(pipeline.account, STACK, {"TrustedAccounts": "none"})
    for model in models:
        refused(pipeline, target, model)
    assert not {"ImportersUse", "ImportersGrant"} & key_sids(pipeline)
    assert sharing_now(pipeline.deployment) is None
    assert on_schedule(pipeline) == {"reason": None}
    change_parameters(pipeline.account, STACK, {"TrustedAccounts": TARGET})
    assert may_import(pipeline, TARGET) == [True, True]


def test_a_list_that_comprehend_refuses_is_rolled_back(pipeline: Pipeline) -> None:
    cloudformation = pipeline.account.client("cloudformation")
    fault = {
        "operation": "PutResourcePolicy",
        "code": "InvalidRequestException",
        "message": "Invalid principal in policy.",
    }
    with pipeline.fault(**fault), pytest.raises(AssertionError):
        change_parameters(pipeline.account, STACK, {"TrustedAccounts": INTRUDER})
    assert stack_status(pipeline.account, STACK) == "UPDATE_ROLLBACK_COMPLETE"
    events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    reasons = [str(event.get("ResourceStatusReason")) for event in events]
    assert any("Invalid principal in policy." in reason for reason in reasons)
    assert may_import(pipeline, TARGET) == [True, True]
    assert may_import(pipeline, INTRUDER) == [False, False]


def test_no_access_outlives_the_stack(cloud: LocalCloud, synthesise: Synthesise, target: CloudAccount) -> None:
    """A deployment of its own, because it is destroyed."""
    pipeline = Pipeline.deploy(
        cloud.account("100000000023"), synthesise(context=CONTEXT), MinimumScore="0", TrustedAccounts=TARGET
    )
    before = pipeline.current
    with paused(pipeline):
        pipeline.upload("test/test.csv", documents(20))
        pipeline.upload("train/train.csv", documents(50))
    record = pipeline.recorded(pipeline.next_turn(before))
    assert pipeline.promotion_of(record).status.made_active
    model = pipeline.active_model()
    assert model
    assert may_import(pipeline, TARGET) == [True]
    delete_stack(pipeline.account, STACK)
    assert stack_status(pipeline.account, STACK) == "DELETE_COMPLETE"
    comprehend = pipeline.account.client("comprehend")
    assert comprehend.describe_document_classifier(DocumentClassifierArn=model)
    with pytest.raises(comprehend.exceptions.ResourceNotFoundException):
        comprehend.describe_resource_policy(ResourceArn=model)
