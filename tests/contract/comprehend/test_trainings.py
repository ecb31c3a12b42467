"""Models without a flywheel: created and stopped."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract import endpoints, recognizers
from tests.contract.comprehend_world import ACCOUNT, BUCKET, DENIED_ROLE, World
from tests.contract.error_codes import refused
from tests.contract.keys import KEYS
from tests.contract.sample_documents import LABELS, csv_of, documents, multi_label_documents, rows, text_about
from tests.contract.sample_entities import TYPES, json_lines, manifest, samples
from tests.contract.trainings import CSV, PREFIX, classifier, created, described, ended, put, recognizer
from tests.contract.waiting import until


def test_a_classifier(world: World) -> None:
    put(world)
    (world.root / "results").mkdir()
    request = classifier(
        OutputDataConfig={"S3Uri": "s3://results/testfolder", "KmsKeyId": "alias/results"},
        ModelKmsKeyId=KEYS[0],
        Tags=[{"Key": "team", "Value": "news"}],
    )
    arn = created(world, request)
    assert arn == f"{PREFIX}:document-classifier/news"
    model = ended(world, arn)
    assert model["Status"] == "TRAINED", model
    moments = [model[name] for name in ("SubmitTime", "TrainingStartTime", "TrainingEndTime", "EndTime")]
    assert moments == sorted(moments)
    assert (model["Mode"], model["ModelKmsKeyId"], model["InputDataConfig"]) == ("MULTI_CLASS", KEYS[0], {"S3Uri": CSV})
    assert {"VersionName", "FlywheelArn"}.isdisjoint(model)
    metadata = model["ClassifierMetadata"]
    assert (metadata["NumberOfLabels"], metadata["NumberOfTrainedDocuments"]) == (3, 135)
    assert metadata["NumberOfTestDocuments"] == 15
    assert metadata["EvaluationMetrics"]["F1Score"] > 0.9
    uri = model["OutputDataConfig"]["S3Uri"]
    assert uri.startswith(f"s3://results/testfolder/{ACCOUNT}-CLR-")
    assert uri.endswith("/output/output.tar.gz")
    content = (world.root / uri.removeprefix("s3://")).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        member = archive.extractfile("confusion_matrix.json")
        assert member is not None
        assert json.load(member)["labels"] == sorted(LABELS)
    assert world.client.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "news"}]


def test_a_classifier_answers(world: World) -> None:
    put(world)
    arn = created(world, classifier(VersionName="v1"))
    assert arn == f"{PREFIX}:document-classifier/news/version/v1"
    assert ended(world, arn)["VersionName"] == "v1"
    endpoint = endpoints.serving(world, ModelArn=arn)
    assert endpoints.best(world, endpoint, text_about("SCIENCE", seed="9")) == "SCIENCE"
    with refused("ResourceInUseException"):
        world.client.delete_document_classifier(DocumentClassifierArn=arn)
    world.client.delete_endpoint(EndpointArn=endpoint)
    endpoints.gone(world, endpoint)
    world.client.delete_document_classifier(DocumentClassifierArn=arn)
    until(lambda: not world.client.list_document_classifiers()["DocumentClassifierPropertiesList"])


def test_test_data_of_its_own(world: World) -> None:
    put(world)
    test = world.put("test.csv", csv_of(rows(10, tag="t")))
    model = ended(world, created(world, classifier(InputDataConfig={"S3Uri": CSV, "TestS3Uri": test})))
    metadata = model["ClassifierMetadata"]
    assert (metadata["NumberOfTrainedDocuments"], metadata["NumberOfTestDocuments"]) == (150, 30)
    few = world.put("few.csv", csv_of(rows(20, tag="t", labels=LABELS[:2])))
    request = classifier(InputDataConfig={"S3Uri": CSV, "TestS3Uri": few}, VersionName="v2")
    model = ended(world, created(world, request))
    assert (model["Status"], LABELS[2] in model["Message"]) == ("IN_ERROR", True)
    assert "ClassifierMetadata" not in model


def test_multi_label_with_few_documents_of_each_label(world: World) -> None:
    world.put("train.csv", multi_label_documents(10, delimiter=";"))
    config = {"S3Uri": CSV, "LabelDelimiter": ";"}
    model = ended(world, created(world, classifier(Mode="MULTI_LABEL", InputDataConfig=config)))
    assert (model["Status"], model["Mode"]) == ("TRAINED", "MULTI_LABEL")
    assert model["ClassifierMetadata"]["NumberOfLabels"] == 3


def test_manifests_with_their_splits(world: World) -> None:
    def manifest_of(name: str, listed: list[tuple[str, str]]) -> str:
        lines = [{"source": text, "a": 0, "a-metadata": {"class-name": label}} for label, text in listed]
        return world.put(name, json_lines(lines))

    config = {
        "DataFormat": "AUGMENTED_MANIFEST",
        "AugmentedManifests": [
            {"S3Uri": manifest_of("a.manifest", rows(20)), "AttributeNames": ["a"]},
            {"S3Uri": manifest_of("b.manifest", rows(6, tag="t")), "AttributeNames": ["a"], "Split": "TEST"},
        ],
    }
    metadata = ended(world, created(world, classifier(InputDataConfig=config)))["ClassifierMetadata"]
    assert (metadata["NumberOfTrainedDocuments"], metadata["NumberOfTestDocuments"]) == (60, 18)


def test_a_recognizer(world: World) -> None:
    put(world)
    arn = created(world, recognizer(VersionName="v1"))
    assert arn == f"{PREFIX}:entity-recognizer/people/version/v1"
    model = ended(world, arn)
    assert model["Status"] == "TRAINED", model
    assert model["InputDataConfig"] == recognizer()["InputDataConfig"]
    metadata = model["RecognizerMetadata"]
    assert (metadata["NumberOfTrainedDocuments"], metadata["NumberOfTestDocuments"]) == (135, 15)
    assert metadata["EvaluationMetrics"]["F1Score"] > 90
    endpoint = endpoints.serving(world, ModelArn=arn)
    text, entities = samples(1, tag="new")[0]
    found = world.client.detect_entities(EndpointArn=endpoint, Text=text)["Entities"]
    assert [(each["BeginOffset"], each["EndOffset"], each["Type"]) for each in found] == entities


def test_a_recognizer_from_documents_and_annotations(world: World) -> None:
    for name, count in (("train", 150), ("test", 40)):
        listed = samples(count, tag=name)
        world.put(f"{name}.txt", "\n".join(text for text, _ in listed).encode())
        annotations = [
            f"{name}.txt,{number},{begin},{end},{type_}"
            for number, (_, entities) in enumerate(listed)
            for begin, end, type_ in entities
        ]
        header = "File,Line,Begin Offset,End Offset,Type"
        world.put(f"{name}.csv", "\n".join([header, *annotations]).encode())
    config = {
        "EntityTypes": [{"Type": type_} for type_ in TYPES],
        "Documents": {"S3Uri": f"s3://{BUCKET}/train.txt", "TestS3Uri": f"s3://{BUCKET}/test.txt"},
        "Annotations": {"S3Uri": f"s3://{BUCKET}/train.csv", "TestS3Uri": f"s3://{BUCKET}/test.csv"},
    }
    model = ended(world, created(world, recognizer(InputDataConfig=config)))
    assert model["Status"] == "TRAINED", model
    metadata = model["RecognizerMetadata"]
    assert (metadata["NumberOfTrainedDocuments"], metadata["NumberOfTestDocuments"]) == (150, 40)


def test_a_recognizer_needs_five_kilobytes(world: World) -> None:
    world.put("train.manifest", manifest(samples(60)))
    model = ended(world, created(world, recognizer()))
    assert (model["Status"], "at least 5000 bytes" in model["Message"]) == ("IN_ERROR", True)


@pytest.mark.parametrize("request_of", [classifier, recognizer])
def test_a_training_can_be_stopped(make_world: Callable[..., World], request_of: Callable[..., Any]) -> None:
    world = make_world(model_training_seconds=60)
    put(world)
    arn = created(world, request_of())
    until(lambda: described(world, arn)["Status"] == "TRAINING")
    recognizes = ":entity-recognizer/" in arn

    def stop() -> None:
        if recognizes:
            world.client.stop_training_entity_recognizer(EntityRecognizerArn=arn)
        else:
            world.client.stop_training_document_classifier(DocumentClassifierArn=arn)

    def delete() -> None:
        if recognizes:
            world.client.delete_entity_recognizer(EntityRecognizerArn=arn)
        else:
            world.client.delete_document_classifier(DocumentClassifierArn=arn)

    with refused("ResourceUnavailableException"):
        delete()
    stop()
    assert described(world, arn)["Status"] == "STOP_REQUESTED"
    stop()
    world.clock.advance(60)
    assert ended(world, arn)["Status"] == "STOPPED"
    with refused("ResourceUnavailableException"):
        endpoints.create(world, ModelArn=arn)
    stop()
    delete()
    world.set(model_training_seconds=0)
    arn = created(world, request_of(VersionName="v2"))
    assert ended(world, arn)["Status"] == "TRAINED"
    with refused("InvalidRequestException"):
        stop()


def test_an_iterations_model_cannot_be_stopped(world: World) -> None:
    _, model = endpoints.trained(world)
    with refused("InvalidRequestException") as refusal:
        world.client.stop_training_document_classifier(DocumentClassifierArn=model)
    assert "iterations cannot be stopped" in refusal.message


def test_names_versions_and_tokens(world: World) -> None:
    put(world)
    arn = created(world, classifier(ClientRequestToken="one"))
    assert created(world, classifier(ClientRequestToken="one")) == arn
    with refused("ResourceInUseException"):
        created(world, classifier(ClientRequestToken="two"))
    versions = [created(world, classifier(VersionName=version)) for version in ("v1", "v2")]
    for each in (arn, *versions):
        assert ended(world, each)["Status"] == "TRAINED"
    (summary,) = world.client.list_document_classifier_summaries()["DocumentClassifierSummariesList"]
    assert (summary["DocumentClassifierName"], summary["NumberOfVersions"]) == ("news", 3)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"LanguageCode": "ja"}, "UnsupportedLanguageException"),
        ({"VolumeKmsKeyId": "no key"}, "KmsKeyValidationException"),
        ({"ModelPolicy": "{}"}, "InvalidRequestException"),
        ({"Tags": [{"Key": "aws:a"}]}, "InvalidRequestException"),
        ({"DataAccessRoleArn": "arn:aws:iam::999999999999:role/other"}, "AccessDeniedException"),
    ],
)
@pytest.mark.parametrize("request_of", [classifier, recognizer])
def test_refusals(world: World, request_of: Callable[..., Any], changes: dict[str, Any], code: str) -> None:
    put(world)
    with refused(code):
        created(world, request_of(**changes))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({}, "needs an S3Uri"),
        ({"S3Uri": CSV, "DocumentType": "SEMI_STRUCTURED_DOCUMENT"}, "plain text only"),
        ({"S3Uri": CSV, "Documents": {"S3Uri": CSV}}, "plain text only"),
        (recognizers.manifests(CSV, Split="TEST"), "must be for training"),
        (recognizers.manifests(CSV) | {"S3Uri": CSV}, "takes no S3Uri"),
        ({"DataFormat": "AUGMENTED_MANIFEST"}, "needs AugmentedManifests"),
    ],
)
def test_data_that_a_classifier_cannot_have(world: World, config: dict[str, Any], reason: str) -> None:
    with refused("InvalidRequestException") as refusal:
        created(world, classifier(InputDataConfig=config))
    assert reason in refusal.message


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({}, "needs Documents"),
        ({"Documents": {"S3Uri": CSV}}, "either Annotations or an EntityList"),
        ({"Documents": {"S3Uri": CSV, "TestS3Uri": CSV}, "EntityList": {"S3Uri": CSV}}, "give the TestS3Uri of both"),
        ({"AugmentedManifests": [{"S3Uri": CSV, "AttributeNames": ["a"]}]}, "takes no AugmentedManifests"),
        (recognizers.manifests(CSV) | {"Documents": {"S3Uri": CSV}}, "takes no Documents"),
        ({"EntityTypes": [{"Type": "A"}] * 2, "Documents": {"S3Uri": CSV}}, "more than once"),
    ],
)
def test_data_that_a_recognizer_cannot_have(world: World, config: dict[str, Any], reason: str) -> None:
    with refused("InvalidRequestException") as refusal:
        created(world, recognizer(InputDataConfig={"EntityTypes": [{"Type": "A"}], **config}))
    assert reason in refusal.message


def test_what_makes_a_training_end_in_error(world: World) -> None:
    put(world)
    model = ended(world, created(world, classifier(DataAccessRoleArn=DENIED_ROLE)))
    assert (model["Status"], model["Message"][:23]) == ("IN_ERROR", "NO_READ_ACCESS_TO_INPUT")
    few = world.put("few.csv", documents(20))
    model = ended(world, created(world, classifier(InputDataConfig={"S3Uri": few}, VersionName="v2")))
    assert "Each label of a model needs at least 50 training documents" in model["Message"]
    output = {"S3Uri": "s3://not-there/"}
    model = ended(world, created(world, classifier(OutputDataConfig=output, VersionName="v3")))
    assert model["Message"].startswith("NO_WRITE_ACCESS_TO_OUTPUT")


def test_no_more_trainings_of_a_kind_at_once_than_set(make_world: Callable[..., World]) -> None:
    world = make_world(model_queue_seconds=60, maximum_trainings_of_a_type=2)
    put(world)
    for version in ("v1", "v2"):
        created(world, classifier(VersionName=version))
    with refused("ResourceLimitExceededException"):
        created(world, classifier(VersionName="v3"))
    created(world, recognizer())
