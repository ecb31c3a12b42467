"""Models without a flywheel of a World: asking for them, waiting for their end."""

from __future__ import annotations

from typing import Any

from tests.contract import recognizers
from tests.contract.comprehend_world import ACCOUNT, BUCKET, REGION, ROLE, World
from tests.contract.sample_documents import documents
from tests.contract.sample_entities import TYPES, manifest, samples
from tests.contract.waiting import until

PREFIX = f"arn:aws:comprehend:{REGION}:{ACCOUNT}"
CSV = f"s3://{BUCKET}/train.csv"


def put(world: World) -> None:
    """Data for both kinds of model."""
    world.put("train.csv", documents())
    world.put("train.manifest", manifest(samples(150)))


def classifier(**changes: Any) -> dict[str, Any]:
    """A request of CreateDocumentClassifier."""
    return {
        "DocumentClassifierName": "news",
        "DataAccessRoleArn": ROLE,
        "LanguageCode": "en",
        "InputDataConfig": {"S3Uri": CSV},
        **changes,
    }


def recognizer(**changes: Any) -> dict[str, Any]:
    """A request of CreateEntityRecognizer."""
    return {
        "RecognizerName": "people",
        "DataAccessRoleArn": ROLE,
        "LanguageCode": "en",
        "InputDataConfig": {
            **recognizers.manifests(f"s3://{BUCKET}/train.manifest"),
            "EntityTypes": [{"Type": type_} for type_ in TYPES],
        },
        **changes,
    }


def created(world: World, request: dict[str, Any]) -> str:
    if "RecognizerName" in request:
        return str(world.client.create_entity_recognizer(**request)["EntityRecognizerArn"])
    return str(world.client.create_document_classifier(**request)["DocumentClassifierArn"])


def described(world: World, arn: str) -> dict[str, Any]:
    return recognizers.described(world, arn) if ":entity-recognizer/" in arn else world.model_properties(arn)


def ended(world: World, arn: str) -> dict[str, Any]:
    until(lambda: described(world, arn)["Status"] not in ("SUBMITTED", "TRAINING", "STOP_REQUESTED"))
    return described(world, arn)
