"""ImportModel: models of the account itself and of others, and how imports end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract import endpoints
from tests.contract.comprehend_world import ACCOUNT, REGION, ROLE, World
from tests.contract.error_codes import refused
from tests.contract.keys import KEYS
from tests.contract.sample_documents import text_about
from tests.contract.sharing import (
    IMPORTER,
    INTRUDER,
    ROOT,
    described,
    import_ended,
    imported,
    share,
    source,
    statement,
)
from tests.contract.trainings import PREFIX, classifier, created, put, recognizer
from tests.contract.waiting import until

ELSEWHERE = f"arn:aws:comprehend:{REGION}:{IMPORTER}"


@pytest.mark.parametrize(
    ("request_of", "resource", "metadata"),
    [
        (classifier, "document-classifier", "ClassifierMetadata"),
        (recognizer, "entity-recognizer", "RecognizerMetadata"),
    ],
)
def test_a_shared_model(
    make_world: Callable[..., World], request_of: Callable[..., Any], resource: str, metadata: str
) -> None:
    world = make_world()
    arn = source(world, request_of)
    share(world, arn)
    world.set(model_queue_seconds=60, model_import_seconds=60)
    client = world.client_of(account=IMPORTER)
    tags: list[Any] = [{"Key": "team", "Value": "news"}]
    new = client.import_model(SourceModelArn=arn, ModelName="copy", VersionName="v1", Tags=tags)["ModelArn"]
    assert new == f"{ELSEWHERE}:{resource}/copy/version/v1"
    model = described(client, new)
    assert (model["Status"], model["SourceModelArn"], metadata in model) == ("SUBMITTED", arn, False)
    world.clock.advance(60)
    until(lambda: described(client, new)["Status"] == "TRAINING")
    world.clock.advance(60)
    model = import_ended(client, new)
    assert (model["Status"], model["SourceModelArn"], model["VersionName"]) == ("TRAINED", arn, "v1")
    before = described(world.client, arn)
    same = {"LanguageCode", metadata, *({"Mode"} & set(before))}
    assert {name: model[name] for name in same} == {name: before[name] for name in same}
    assert (model["EndTime"] - model["SubmitTime"]).total_seconds() == 120
    assert {"InputDataConfig", "TrainingStartTime", "DataAccessRoleArn", "FlywheelArn"}.isdisjoint(model)
    assert client.list_tags_for_resource(ResourceArn=new)["Tags"] == tags
    assert "SourceModelArn" not in before
    with refused("ResourceNotFoundException"):
        described(client, arn)


def test_it_answers_when_its_source_is_gone(world: World) -> None:
    arn = source(world)
    share(world, arn)
    client = world.client_of(account=IMPORTER)
    new = imported(client, arn)["DocumentClassifierArn"]
    world.client.delete_document_classifier(DocumentClassifierArn=arn)
    until(lambda: not world.client.list_document_classifiers()["DocumentClassifierPropertiesList"])
    endpoint = client.create_endpoint(EndpointName="live", ModelArn=new, DesiredInferenceUnits=1)["EndpointArn"]
    until(lambda: client.describe_endpoint(EndpointArn=endpoint)["EndpointProperties"]["Status"] == "IN_SERVICE")
    answer = client.classify_document(EndpointArn=endpoint, Text=text_about("SCIENCE", seed="9"))
    assert answer["Classes"][0]["Name"] == "SCIENCE"


def test_a_model_of_the_account_itself_needs_no_policy(world: World) -> None:
    arn = source(world)
    model = imported(world.client, arn, VersionName="2", ModelName="news")
    assert (model["Status"], model["DocumentClassifierArn"]) == (
        "TRAINED",
        f"{PREFIX}:document-classifier/news/version/2",
    )
    again = imported(world.client, model["DocumentClassifierArn"])
    assert (again["Status"], again["SourceModelArn"]) == ("TRAINED", model["DocumentClassifierArn"])
    new = world.client.import_model(SourceModelArn=arn)["ModelArn"]
    assert new == f"{PREFIX}:document-classifier/news"
    assert import_ended(world.client, new)["Status"] == "TRAINED"
    share(world, arn, statement(Effect="Deny", Principal="*"))
    with refused("AccessDeniedException") as refusal:
        imported(world.client, arn, ModelName="third")
    assert refusal.message.endswith("with an explicit deny in a resource-based policy")


def test_only_those_who_are_named_may_import(world: World) -> None:
    arn = source(world)
    client = world.client_of(account=IMPORTER)
    denied = (
        f"User: {ROOT} is not authorized to perform: comprehend:ImportModel on resource: {arn} "
        "because no resource-based policy allows the comprehend:ImportModel action"
    )

    def refuses(account: str = IMPORTER, model: str = arn) -> str:
        with refused("AccessDeniedException") as refusal:
            world.client_of(account=account).import_model(SourceModelArn=model)
        return refusal.message

    assert refuses() == denied
    assert refuses(model=f"{arn}0") == denied.replace(arn, f"{arn}0")
    share(world, arn)
    assert imported(client, arn)["Status"] == "TRAINED"
    assert INTRUDER in refuses(INTRUDER)
    share(world, arn, statement(), statement(Effect="Deny"))
    assert refuses().endswith("with an explicit deny in a resource-based policy")
    # A principal within an account is not the account.
    share(world, arn, statement(Principal={"AWS": f"arn:aws:iam::{IMPORTER}:role/importer"}))
    assert refuses() == denied
    share(world, arn, statement(Condition={"StringEquals": {"aws:PrincipalAccount": INTRUDER}}))
    assert refuses() == denied
    share(world, arn, statement(Principal={"AWS": INTRUDER}))
    assert refuses() == denied
    world.client.delete_resource_policy(ResourceArn=arn)
    assert refuses(INTRUDER) == denied.replace(IMPORTER, INTRUDER)
    assert len(client.list_document_classifiers()["DocumentClassifierPropertiesList"]) == 1


def test_a_role_that_is_named_may_import(world: World) -> None:
    arn = source(world)
    share(world, arn, statement(Principal={"AWS": f"arn:aws:iam::{IMPORTER}:role/importer"}))
    session = f"arn:aws:sts::{IMPORTER}:assumed-role/importer/session"
    request = {"SourceModelArn": arn}
    answer = world.service.call(
        operation="ImportModel", request=request, account=IMPORTER, region=REGION, caller=session
    )
    assert answer == {"ModelArn": f"{ELSEWHERE}:document-classifier/news"}


def test_names(world: World) -> None:
    arn = source(world)
    with refused("ResourceInUseException"):
        imported(world.client, arn, ModelName="news")
    assert imported(world.client, arn)["Status"] == "TRAINED"
    # There is no token: the same request again is another import.
    with refused("ResourceInUseException"):
        imported(world.client, arn)
    client = world.client
    summaries = client.list_document_classifier_summaries()["DocumentClassifierSummariesList"]
    assert {(each["DocumentClassifierName"], each["NumberOfVersions"]) for each in summaries} == {
        ("news", 1),
        ("copy", 1),
    }
    client.delete_document_classifier(DocumentClassifierArn=f"{PREFIX}:document-classifier/copy/version/1")
    until(lambda: len(client.list_document_classifier_summaries()["DocumentClassifierSummariesList"]) == 1)
    assert imported(client, arn)["Status"] == "TRAINED"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"SourceModelArn": f"{PREFIX}:document-classifier/other"}, "ResourceNotFoundException"),
        ({"SourceModelArn": f"{PREFIX}:flywheel/news"}, "InvalidRequestException"),
        (
            {"SourceModelArn": f"arn:aws:comprehend:eu-west-1:{ACCOUNT}:document-classifier/news"},
            "InvalidRequestException",
        ),
        ({"SourceModelArn": f"{ELSEWHERE}:document-classifier/news"}, "AccessDeniedException"),
        ({"ModelName": "under_score"}, "InvalidRequestException"),
        ({"Tags": [{"Key": str(number)} for number in range(51)]}, "TooManyTagsException"),
        ({"ModelKmsKeyId": "no key"}, "KmsKeyValidationException"),
        ({"DataAccessRoleArn": f"arn:aws:iam::{IMPORTER}:role/other"}, "AccessDeniedException"),
        ({}, "ResourceUnavailableException"),
    ],
)
def test_refusals(make_world: Callable[..., World], changes: dict[str, Any], code: str) -> None:
    world = make_world(model_training_seconds=60)
    put(world)
    arn = created(world, classifier())
    with refused(code):
        world.client.import_model(**{"SourceModelArn": arn, "ModelName": "copy", **changes})
    assert len(world.client.list_document_classifiers()["DocumentClassifierPropertiesList"]) == 1


def test_keys_need_a_role(world: World) -> None:
    arn = source(world, ModelKmsKeyId=KEYS[0])
    with refused("InvalidRequestException"):
        imported(world.client, arn)
    model = imported(world.client, arn, DataAccessRoleArn=ROLE, ModelKmsKeyId=KEYS[1])
    assert (model["Status"], model["ModelKmsKeyId"], model["DataAccessRoleArn"]) == ("TRAINED", KEYS[1], ROLE)
    plain = imported(world.client, arn, DataAccessRoleArn=ROLE, VersionName="3")["DocumentClassifierArn"]
    with refused("InvalidRequestException"):
        imported(world.client, plain, VersionName="4", ModelKmsKeyId=KEYS[0])
    world.set(encrypted_model_needs_role=False)
    assert "ModelKmsKeyId" not in imported(world.client, arn, VersionName="2")


def test_as_many_as_trainings_at_once(world: World) -> None:
    arn = source(world)
    world.set(maximum_trainings_of_a_type=1, model_import_seconds=60)
    new = world.client.import_model(SourceModelArn=arn, ModelName="copy")["ModelArn"]
    with refused("ResourceLimitExceededException"):
        world.client.import_model(SourceModelArn=arn, ModelName="other")
    world.clock.advance(60)
    assert import_ended(world.client, new)["Status"] == "TRAINED"


def test_a_source_that_is_being_deleted(world: World) -> None:
    arn = source(world)
    world.set(model_import_seconds=60, model_deletion_seconds=600)
    new = world.client.import_model(SourceModelArn=arn, ModelName="copy")["ModelArn"]
    world.client.delete_document_classifier(DocumentClassifierArn=arn)
    with refused("ResourceUnavailableException"):
        world.client.import_model(SourceModelArn=arn, ModelName="late")
    world.clock.advance(60)
    assert import_ended(world.client, new)["Status"] == "IN_ERROR"


@pytest.mark.parametrize("again", [False, True])
def test_a_source_deleted_on_the_way(world: World, again: bool) -> None:
    arn = source(world)
    world.set(model_import_seconds=60)
    new = world.client.import_model(SourceModelArn=arn, ModelName="copy")["ModelArn"]
    world.client.delete_document_classifier(DocumentClassifierArn=arn)
    with refused("InvalidRequestException"):
        world.client.stop_training_document_classifier(DocumentClassifierArn=new)
    with refused("ResourceUnavailableException"):
        world.client.delete_document_classifier(DocumentClassifierArn=new)
    until(lambda: len(world.client.list_document_classifiers()["DocumentClassifierPropertiesList"]) == 1)
    if again:
        source(world)
    world.clock.advance(60)
    model = import_ended(world.client, new)
    assert (model["Status"], "was deleted" in model["Message"]) == ("IN_ERROR", True)
    assert "ClassifierMetadata" not in model
    with refused("ResourceUnavailableException"):
        endpoints.create(world, ModelArn=new)
    world.client.delete_document_classifier(DocumentClassifierArn=new)
    until(lambda: new not in str(world.client.list_document_classifiers()))


def test_an_import_that_fails(world: World) -> None:
    arn = source(world)
    world.administration("POST", "faults", {"resource": "import", "times": 1, "message": "Something broke."})
    model = imported(world.client, arn)
    assert (model["Status"], model["Message"]) == ("IN_ERROR", "Something broke.")
    assert imported(world.client, arn, VersionName="2")["Status"] == "TRAINED"


def test_it_starts_no_flywheel(world: World) -> None:
    model = imported(world.client, source(world))["DocumentClassifierArn"]
    with refused("InvalidRequestException") as refusal:
        world.flywheel(ActiveModelArn=model)
    assert "without its training data" in refusal.message
