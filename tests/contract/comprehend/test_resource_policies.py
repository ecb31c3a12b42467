"""Resource policies of models: put, described, deleted, and gone with their model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.comprehend_world import World
from tests.contract.error_codes import refused
from tests.contract.sharing import IMPORTER, INTRUDER, policy, share, source, statement
from tests.contract.stepped_clock import START
from tests.contract.trainings import PREFIX, classifier, created, put, recognizer
from tests.contract.waiting import until


@pytest.fixture
def model(make_world: Callable[..., World]) -> tuple[World, str]:
    """One that is still being trained: a policy can be put on it as well."""
    world = make_world(model_training_seconds=60)
    put(world)
    return world, created(world, classifier(VersionName="1"))


@pytest.mark.parametrize("request_of", [classifier, recognizer])
def test_a_policy(world: World, request_of: Callable[..., Any]) -> None:
    put(world)
    arn = created(world, request_of(VersionName="1"))
    with refused("ResourceNotFoundException"):
        world.client.describe_resource_policy(ResourceArn=arn)
    with refused("ResourceNotFoundException"):
        world.client.delete_resource_policy(ResourceArn=arn)
    first = share(world, arn)
    found = world.client.describe_resource_policy(ResourceArn=arn)
    assert (found["ResourcePolicy"], found["PolicyRevisionId"]) == (policy(), first)
    assert found["CreationTime"].timestamp() == found["LastModifiedTime"].timestamp() == START
    world.clock.advance(10)
    second = share(world, arn, statement(Principal={"AWS": INTRUDER}))
    found = world.client.describe_resource_policy(ResourceArn=arn)
    assert found["PolicyRevisionId"] == second != first
    assert INTRUDER in found["ResourcePolicy"]
    assert (found["LastModifiedTime"] - found["CreationTime"]).total_seconds() == 10
    world.client.delete_resource_policy(ResourceArn=arn)
    with refused("ResourceNotFoundException"):
        world.client.describe_resource_policy(ResourceArn=arn)


def test_revisions(model: tuple[World, str]) -> None:
    world, arn = model
    client, document = world.client, policy()
    with refused("InvalidRequestException"):
        client.put_resource_policy(ResourceArn=arn, ResourcePolicy=document, PolicyRevisionId="0a")
    first = share(world, arn)
    answer = client.put_resource_policy(ResourceArn=arn, ResourcePolicy=document, PolicyRevisionId=first)
    second = answer["PolicyRevisionId"]
    assert second != first
    with refused("InvalidRequestException") as refusal:
        client.put_resource_policy(ResourceArn=arn, ResourcePolicy=policy(statement(Sid="a")), PolicyRevisionId=first)
    assert "another revision" in refusal.message
    with refused("InvalidRequestException"):
        client.delete_resource_policy(ResourceArn=arn, PolicyRevisionId=first)
    assert client.describe_resource_policy(ResourceArn=arn)["ResourcePolicy"] == document
    client.delete_resource_policy(ResourceArn=arn, PolicyRevisionId=second)
    with refused("ResourceNotFoundException"):
        client.delete_resource_policy(ResourceArn=arn, PolicyRevisionId=second)


def test_it_is_gone_with_its_model(world: World) -> None:
    arn = source(world)
    share(world, arn)
    world.client.delete_document_classifier(DocumentClassifierArn=arn)
    until(lambda: not world.client.list_document_classifiers()["DocumentClassifierPropertiesList"])
    with refused("ResourceNotFoundException"):
        world.client.describe_resource_policy(ResourceArn=arn)
    assert created(world, classifier(VersionName="1")) == arn
    with refused("ResourceNotFoundException"):
        world.client.describe_resource_policy(ResourceArn=arn)


@pytest.mark.parametrize("request_of", [classifier, recognizer])
def test_a_policy_given_at_creation(world: World, request_of: Callable[..., Any]) -> None:
    put(world)
    arn = created(world, request_of(VersionName="1", ModelPolicy=policy()))
    assert world.client.describe_resource_policy(ResourceArn=arn)["ResourcePolicy"] == policy()
    with refused("InvalidRequestException"):
        created(world, request_of(VersionName="2", ModelPolicy=policy(statement(Resource=arn))))


def test_only_the_models_account_has_it(model: tuple[World, str]) -> None:
    world, arn = model
    share(world, arn)
    for stranger in (world.client_of(account=IMPORTER), world.client_of(region="eu-west-1")):
        with refused("ResourceNotFoundException"):
            stranger.describe_resource_policy(ResourceArn=arn)
        with refused("ResourceNotFoundException"):
            stranger.put_resource_policy(ResourceArn=arn, ResourcePolicy=policy())
        with refused("ResourceNotFoundException"):
            stranger.delete_resource_policy(ResourceArn=arn)
    with refused("ResourceNotFoundException"):
        share(world, f"{PREFIX}:document-classifier/news")


@pytest.mark.parametrize(
    "right",
    [
        statement(Principal="*"),
        statement(Principal={"AWS": [IMPORTER, f"arn:aws:iam::{IMPORTER}:role/a/b"]}),
        statement(
            Principal={"AWS": f"arn:aws:sts::{IMPORTER}:assumed-role/a/b", "Service": "comprehend.amazonaws.com"}
        ),
        statement(Action=["comprehend:ImportModel"], Resource=[f"{PREFIX}:document-classifier/news/version/1"]),
        statement(Effect="Deny", Sid="not-these", Condition={"StringEquals": {"aws:PrincipalAccount": "1"}}),
    ],
)
def test_what_a_statement_may_say(model: tuple[World, str], right: dict[str, Any]) -> None:
    world, arn = model
    share(world, arn, right)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "must be a JSON object"),
        ("{}", "needs a Statement"),
        (json.dumps({"Statement": []}), "needs a Statement"),
        (json.dumps({"Statement": [1]}), "statement 1 must be a JSON object"),
        (json.dumps({"Version": "2020-01-01", "Statement": statement()}), "its Version"),
        (json.dumps({"Statements": statement()}), "Statements"),
        (policy(statement(Effect="allow")), "the Effect of statement 1"),
        (policy(statement(), statement(Action="comprehend:*")), "the Action of statement 2"),
        (policy(statement(Action=["comprehend:ImportModel", "comprehend:DeleteEndpoint"])), "the only one"),
        (policy(statement(Action=None, NotAction="comprehend:ImportModel")), "NotAction"),
        (policy(statement(Resource=f"{PREFIX}:document-classifier/news/version/2")), "the Resource of statement 1"),
        (policy(statement(Resource=None)), "the Resource of statement 1"),
        (policy(statement(Principal=None)), "needs a Principal"),
        (policy(statement(Principal={})), "needs a Principal"),
        (policy(statement(Principal={"AWS": []})), "names none"),
        (policy(statement(Principal={"AWS": f"arn:aws:iam::{IMPORTER}:user/*"})), "no valid AWS principal"),
        (policy(statement(Principal={"AWS": "44445555666"})), "no valid AWS principal"),
        (policy(statement(Principal={"AWS": [1]})), "no valid AWS principal"),
        (
            policy(statement(Principal={"Service": "comprehend.amazonaws.com.example.com"})),
            "no valid Service principal",
        ),
        (policy(statement(Principal={"Federated": "a"})), "Federated"),
        (policy(statement(Condition=[])), "the Condition of statement 1"),
        ("[" * 9000, "not JSON"),
        (policy(statement(Sid="a" * 20_000)), "Member must have length <= 20000"),
        (policy(statement(Sid="€")).replace("\\u20ac", "€"), "regular expression pattern"),
    ],
)
def test_what_it_must_not_say(model: tuple[World, str], document: str, reason: str) -> None:
    world, arn = model
    with refused("InvalidRequestException") as refusal:
        world.client.put_resource_policy(ResourceArn=arn, ResourcePolicy=document)
    assert reason in refusal.message
    with refused("ResourceNotFoundException"):
        world.client.describe_resource_policy(ResourceArn=arn)
