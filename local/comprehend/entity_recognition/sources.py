"""Where a request says that the data of a recognizer are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local.comprehend.errors import invalid_request
from local.comprehend.manifests import manifest_sources, split_manifests
from local.comprehend.training_data import DataSource, Part


def sources_of(config: dict[str, Any]) -> tuple[DataSource, ...]:
    """The sources in the member InputDataConfig of CreateDataset; raises InvalidRequestException."""
    if "DocumentClassifierInputDataConfig" in config:
        raise invalid_request("A flywheel of type ENTITY_RECOGNIZER takes no DocumentClassifierInputDataConfig.")
    manifests, recognizer = config.get("AugmentedManifests"), config.get("EntityRecognizerInputDataConfig")
    if config.get("DataFormat", "COMPREHEND_CSV") == "AUGMENTED_MANIFEST":
        if recognizer is not None:
            raise invalid_request("The DataFormat AUGMENTED_MANIFEST takes no EntityRecognizerInputDataConfig.")
        return manifest_sources(manifests or [])
    if recognizer is None or manifests is not None:
        raise invalid_request(
            "For the DataFormat COMPREHEND_CSV a flywheel of type ENTITY_RECOGNIZER needs an "
            "EntityRecognizerInputDataConfig and no other."
        )
    return csv_sources(recognizer)


def csv_sources(config: dict[str, Any]) -> tuple[DataSource, ...]:
    """The documents, and the annotations or the entity list that go with them; raises InvalidRequestException."""
    documents, annotations, entity_list = (config.get(name) for name in ("Documents", "Annotations", "EntityList"))
    if documents is None:
        raise invalid_request("The DataFormat COMPREHEND_CSV needs Documents.")
    # One document a line is what the SDK's documentation calls the default.
    one_per_file = documents.get("InputFormat", "ONE_DOC_PER_LINE") == "ONE_DOC_PER_FILE"
    texts = DataSource(uri=documents["S3Uri"], part=Part.DOCUMENTS, one_per_file=one_per_file)
    if annotations is not None and entity_list is None:
        return texts, DataSource(uri=annotations["S3Uri"], part=Part.ANNOTATIONS)
    if entity_list is not None and annotations is None:
        return texts, DataSource(uri=entity_list["S3Uri"], part=Part.ENTITY_LIST)
    raise invalid_request("Give either Annotations or an EntityList.")


def training_sources_of(config: dict[str, Any]) -> tuple[tuple[DataSource, ...], tuple[DataSource, ...]]:
    """The sources for training and for testing in the member InputDataConfig of CreateEntityRecognizer; raises
    InvalidRequestException."""
    if config.get("DataFormat", "COMPREHEND_CSV") == "AUGMENTED_MANIFEST":
        plain = [name for name in ("Documents", "Annotations", "EntityList") if name in config]
        if plain:
            raise invalid_request(f"The DataFormat AUGMENTED_MANIFEST takes no {plain[0]}.")
        return split_manifests(config.get("AugmentedManifests", []))
    if "AugmentedManifests" in config:
        raise invalid_request("The DataFormat COMPREHEND_CSV takes no AugmentedManifests.")
    train = csv_sources(config)
    tests = [config.get(name, {}).get("TestS3Uri") for name in ("Documents", "Annotations")]
    if not any(tests):
        return train, ()
    if not all(tests):
        raise invalid_request("Test data are Documents and Annotations: give the TestS3Uri of both.")
    return train, tuple(replace(source, uri=uri) for source, uri in zip(train, tests, strict=True))
