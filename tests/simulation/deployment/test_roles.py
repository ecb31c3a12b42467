from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from tests.simulation.api import ACCOUNT, IMPORTER, REGION, ApiError, Caller
from tests.simulation.deployment.apps import acting_as, app, intake, machine, roles
from tests.simulation.deployment.roles import Roles
from tests.simulation.deployment.s3_requests import Check
from tests.simulation.deployment.stack import Statement
from tests.simulation.deployment.synthesis import IMPORTING
from tests.simulation.deployment.templates import resolve

FLYWHEEL = app()["news-flywheel"].flywheels[0].arn
MODEL = f"arn:aws:comprehend:{REGION}:{ACCOUNT}:document-classifier/news/version/v1"
DATA_ACCESS_ROLE = app()["news-flywheel"].flywheels[0].properties["DataAccessRoleArn"]
BUS = f"arn:aws:events:{REGION}:{IMPORTER}:event-bus/default"


def refused(caller: Caller, service: str, operation: str, at: Roles | None = None, **parameters: Any) -> str:
    with pytest.raises(ApiError) as error:
        (at or roles()).require(caller, service, operation, parameters)
    return error.value.message


def test_a_function_may_do_what_its_role_grants_and_no_more() -> None:
    at, caller = roles(), acting_as("register_dataset")
    at.require(caller, "s3", "GetObject", {"Bucket": intake(), "Key": "datasets/a"})
    # Another action, another resource, and another bucket.
    assert "s3:PutObject on resource" in refused(caller, "s3", "PutObject", at, Bucket=intake(), Key="datasets/a")
    refused(caller, "s3", "GetObject", at, Bucket=intake(), Key="train/a")
    refused(caller, "s3", "GetObject", at, Bucket="somebody-elses", Key="datasets/a")
    refused(caller, "s3", "GetObject", at, Bucket=intake(), Key="datasets/a", VersionId="v")


def test_a_refusal_is_in_the_words_of_aws() -> None:
    caller = acting_as("register_dataset")
    with pytest.raises(ApiError) as error:
        roles().require(caller, "s3", "PutObject", {"Bucket": "b", "Key": "k"})
    assert (error.value.code, error.value.status) == ("AccessDenied", 403)
    assert error.value.message == (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{caller.role}/simulation is not authorized to perform: "
        's3:PutObject on resource: "arn:aws:s3:::b/k" because no identity-based policy allows the s3:PutObject action'
    )
    with pytest.raises(ApiError) as error:
        roles().require(caller, "s3", "HeadObject", {"Bucket": "b", "Key": "k"})
    assert (error.value.code, error.value.message) == ("403", "Forbidden")
    with pytest.raises(ApiError) as error:
        roles().require(caller, "comprehend", "DeleteFlywheel", {"FlywheelArn": FLYWHEEL})
    assert (error.value.code, error.value.status) == ("AccessDeniedException", 400)
    assert error.value.message.endswith(
        f"comprehend:DeleteFlywheel on resource: {FLYWHEEL} because no identity-based policy allows the "
        "comprehend:DeleteFlywheel action"
    )


def test_all_that_a_request_needs_must_be_granted() -> None:
    at, caller = roles(), acting_as("update_active_model")
    change = {"FlywheelArn": FLYWHEEL, "ActiveModelArn": MODEL, "DataAccessRoleArn": DATA_ACCESS_ROLE}
    at.require(caller, "comprehend", "UpdateFlywheel", change)
    other = MODEL.replace(ACCOUNT, IMPORTER)
    assert other in refused(caller, "comprehend", "UpdateFlywheel", at, **{**change, "ActiveModelArn": other})
    somebody = f"{DATA_ACCESS_ROLE}-of-somebody-else"
    passing = refused(caller, "comprehend", "UpdateFlywheel", at, **{**change, "DataAccessRoleArn": somebody})
    assert f"iam:PassRole on resource: {somebody}" in passing


def test_a_role_may_be_passed_to_comprehend_only() -> None:
    at, caller = roles(), acting_as("update_active_model")
    assert at.allows(caller, "iam:PassRole", DATA_ACCESS_ROLE, **{"iam:PassedToService": "comprehend.amazonaws.com"})
    assert not at.allows(caller, "iam:PassRole", DATA_ACCESS_ROLE, **{"iam:PassedToService": "lambda.amazonaws.com"})
    assert not at.allows(caller, "iam:PassRole", DATA_ACCESS_ROLE)
    assert at.used == {}


def test_a_condition_counts() -> None:
    at = roles()
    event = {"Source": "comprehend.flywheel", "DetailType": "Model Shared", "Detail": "{}", "EventBusName": BUS}
    share = acting_as("share_model")
    at.require(share, "events", "PutEvents", {"Entries": [event]})
    refused(share, "events", "PutEvents", at, Entries=[event, {**event, "Source": "somebody"}])
    refused(share, "events", "PutEvents", at, Entries=[{**event, "DetailType": "Model Promoted"}])
    promote = Caller(account=ACCOUNT, role=machine("Promote").role)
    own = {**event, "DetailType": "Model Promoted", "EventBusName": "default"}
    at.require(promote, "events", "PutEvents", {"Entries": [own]})
    refused(promote, "events", "PutEvents", at, Entries=[{**own, "EventBusName": "other"}])


def test_a_bus_of_another_account_asks_its_own_policy_too() -> None:
    event = {"Source": "comprehend.flywheel", "DetailType": "Model Shared", "Detail": "{}"}
    only_here = Roles(app().values())
    why = refused(acting_as("share_model"), "events", "PutEvents", only_here, Entries=[{**event, "EventBusName": BUS}])
    assert why.endswith("because no resource-based policy allows the events:PutEvents action")
    # The policy of the bus names its account as the only one that may.
    third = Caller(account="777788889999")
    refused(third, "events", "PutEvents", Entries=[{**event, "EventBusName": BUS}])
    at = roles()
    at.require(Caller(account=ACCOUNT), "events", "PutEvents", {"Entries": [{**event, "EventBusName": BUS}]})


def test_a_model_of_another_account_may_be_imported_while_its_policy_says_so() -> None:
    at, caller = roles(), acting_as("import_model", IMPORTING)
    role = next(each for each in app(IMPORTING)["served-import"].roles if "DataAccess" in each.logical_id)
    request = {"SourceModelArn": MODEL, "ModelName": "served", "VersionName": "v1", "DataAccessRoleArn": role.arn}
    assert "no resource-based policy" in refused(caller, "comprehend", "ImportModel", at, **request)
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": [f"arn:aws:iam::{IMPORTER}:root"]},
        "Action": "comprehend:ImportModel",
        "Resource": "*",
    }
    at.put_policy(MODEL, {"Version": "2012-10-17", "Statement": allow})
    at.require(caller, "comprehend", "ImportModel", request)
    # With tags it needs the right to tag what it makes, which has to be this deployment's.
    tags = {"Tags": [{"Key": "a", "Value": "b"}]}
    at.require(caller, "comprehend", "ImportModel", {**request, **tags})
    assert "comprehend:TagResource" in refused(
        caller, "comprehend", "ImportModel", at, **{**request, **tags, "ModelName": "other"}
    )
    # What it may import it may not describe there.
    refused(caller, "comprehend", "DescribeDocumentClassifier", at, DocumentClassifierArn=MODEL)
    at.put_policy(MODEL, {"Version": "2012-10-17", "Statement": [{**allow, "Principal": {"AWS": "1" * 12}}]})
    refused(caller, "comprehend", "ImportModel", at, **request)
    at.put_policy(MODEL, None)
    refused(caller, "comprehend", "ImportModel", at, **request)


def test_an_account_reaches_nothing_of_another_by_itself() -> None:
    owner = Caller(account=ACCOUNT)
    at = roles()
    at.require(owner, "s3", "DeleteObject", {"Bucket": intake(), "Key": "train/a"})
    at.require(owner, "comprehend", "DeleteFlywheel", {"FlywheelArn": FLYWHEEL})
    assert at.used == {}
    stranger = Caller(account=IMPORTER)
    assert "resource-based" in refused(stranger, "s3", "GetObject", Bucket=intake(), Key="train/a")
    refused(stranger, "comprehend", "DescribeFlywheel", FlywheelArn=FLYWHEEL)
    (queue, *_) = app()["news-flywheel"].queues
    refused(stranger, "sqs", "SendMessage", QueueUrl=queue.url, MessageBody="m")


def test_a_policy_of_a_resource_can_deny_and_can_allow_by_itself() -> None:
    at, caller = roles(), acting_as("register_dataset")
    bucket = f"arn:aws:s3:::{intake()}"
    request = {"Bucket": intake(), "Key": "datasets/a"}
    statement = {"Principal": "*", "Action": "s3:*", "Resource": f"{bucket}/*"}
    at.put_policy(bucket, {"Statement": [{**statement, "Effect": "Deny"}]})
    assert "explicit deny in a resource-based policy" in refused(caller, "s3", "GetObject", at, **request)
    named = {**statement, "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{caller.role}"}}
    at.put_policy(bucket, {"Statement": [named]})
    at.require(caller, "s3", "PutObject", request)


def test_a_denial_in_a_policy_of_the_caller_wins() -> None:
    statements = [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "arn:aws:s3:::b/kept/*"},
    ]
    policies = [{"PolicyName": "p", "PolicyDocument": {"Statement": statements}}]
    properties = {"Policies": policies, "AssumeRolePolicyDocument": {"Statement": []}}
    template = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}}
    found = resolve(template, name="s", account=ACCOUNT)
    at, caller = Roles([found]), Caller(account=ACCOUNT, role=found.roles[0].name)
    at.require(caller, "s3", "DeleteObject", {"Bucket": "b", "Key": "other/k"})
    why = refused(caller, "s3", "DeleteObject", at, Bucket="b", Key="kept/k")
    assert why.endswith("with an explicit deny in an identity-based policy")
    assert at.unused() == []


def test_people_may_do_what_the_policies_that_they_have_say() -> None:
    at = roles()
    stack = app()["news-flywheel"]
    policies = {each.logical_id: each for each in stack.managed_policies}
    uploader = at.add_person(
        "ann", account=ACCOUNT, policies=[policies[name] for name in policies if "TrainingUploaders" in name]
    )
    at.require(uploader, "s3", "PutObject", {"Bucket": intake(), "Key": "train/a.csv"})
    at.require(uploader, "ssm", "GetParameters", {"Names": ["/comprehend-flywheel/news/deployment"]})
    refused(uploader, "s3", "PutObject", at, Bucket=intake(), Key="test/a.csv")
    reviewer = at.add_person(
        "bob", account=ACCOUNT, policies=[policies[name] for name in policies if "RejectedReviewers" in name]
    )
    at.require(reviewer, "s3", "ListObjectsV2", {"Bucket": intake(), "Prefix": "rejected/a"})
    refused(reviewer, "s3", "ListObjectsV2", at, Bucket=intake(), Prefix="train/")
    refused(reviewer, "s3", "ListObjectsV2", at, Bucket=intake())


def test_a_role_that_there_is_not_is_no_refusal() -> None:
    with pytest.raises(LookupError, match="There is no role nobody"):
        roles().require(Caller(account=ACCOUNT, role="nobody"), "s3", "GetObject", {"Bucket": "b", "Key": "k"})


def test_the_statements_of_a_token_are_about_its_machine() -> None:
    at, caller = roles(), acting_as("start_promotion")
    failure = {"taskToken": "t", "error": "e", "cause": "c"}
    at.require(caller, "stepfunctions", "SendTaskFailure", failure, about=(machine("Promote").arn,))
    with pytest.raises(ApiError):
        at.require(caller, "stepfunctions", "SendTaskFailure", failure, about=(machine("Turn").arn,))


def test_a_request_that_was_allowed_once_is_counted_each_time() -> None:
    at, caller = roles(), acting_as("register_dataset")
    for _ in range(3):
        at.require(caller, "s3", "GetObject", {"Bucket": intake(), "Key": "datasets/a"})
        at.require(caller, "comprehend", "CreateDataset", {"FlywheelArn": FLYWHEEL, "DatasetName": "d"})
    role = next(each for each in app()["news-flywheel"].roles if each.name == caller.role)
    assert at.used == {
        f"news-flywheel/{role.logical_id} s3:GetObject <{_logical_id_of_intake()}.Arn>/datasets/*": 3,
        f"news-flywheel/{role.logical_id} comprehend:CreateDataset "
        f"arn:<AWS::Partition>:comprehend:<AWS::Region>:<AWS::AccountId>:flywheel/{FLYWHEEL.rpartition('/')[2]}": 3,
    }


def test_grants_that_nothing_needed_are_listed() -> None:
    first, second = roles(), roles()
    assert first.unused() == sorted(first.grants())
    caller = acting_as("register_dataset")
    first.require(caller, "s3", "GetObject", {"Bucket": intake(), "Key": "datasets/a"})
    second.require(caller, "s3", "GetObject", {"Bucket": intake(), "Key": "turns/a"})
    assert len(first.unused()) == len(first.grants()) - 1
    together = Counter(first.used) + Counter(json.loads(json.dumps(second.used)))
    assert first.unused(together) == sorted(set(first.grants()) - set(together))
    assert len(first.unused(together)) == len(first.grants()) - 2
    assert any("PeopleOperators" in text and "sqs:SendMessage" in text for text in first.unused())


@pytest.mark.parametrize("kind", ["classifier", "recognizer", IMPORTING])
def test_each_grant_of_a_role_can_be_used(kind: str) -> None:
    """What allows nothing here could never be told from what nobody needs."""
    at = Roles(app(kind).values())
    expected = set()
    for stack in app(kind).values():
        for role in stack.roles:
            caller = Caller(account=stack.account, role=role.name)
            expected |= {text for text in at.grants() if text.startswith(f"{stack.name}/{role.logical_id} ")}
            for statement in role.statements:
                for check in _examples(statement):
                    # What another account has says itself who may use it.
                    everybody = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
                    at.put_policy(check[1], {"Statement": everybody} if f":{stack.account}:" not in check[1] else None)
                    at.require_all(caller, [check])
    assert set(at.used) == expected


def _examples(statement: Statement) -> list[Check]:
    values = [pair for keys in statement.conditions.values() for pair in keys.items()]
    conditions = tuple((key.lower(), value if isinstance(value, str) else value[0]) for key, value in values)
    resources = [re.sub(r"[*?]", "x", resource) for resource in statement.resources]
    return [(action, resource, conditions) for action in statement.actions for resource in resources]


def _logical_id_of_intake() -> str:
    return next(each.logical_id for each in app()["news-flywheel"].buckets if each.name == intake())
