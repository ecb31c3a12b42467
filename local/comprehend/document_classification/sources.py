"""Where a request says that the data of a classifier are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local.comprehend.errors import invalid_request
from local.comprehend.manifests import manifest_sources, split_manifests
from local.comprehend.training_data import DEFAULT_DELIMITER, DataSource, Part


def sources_of(config: dict[str, Any]) -> tuple[DataSource, ...]:
    """The sources in the member InputDataConfig of CreateDataset; raises InvalidRequestException."""
    if "EntityRecognizerInputDataConfig" in config:
        raise invalid_request("A flywheel of type DOCUMENT_CLASSIFIER takes no EntityRecognizerInputDataConfig.")
    manifests, classifier = config.get("AugmentedManifests"), config.get("DocumentClassifierInputDataConfig")
    if config.get("DataFormat", "COMPREHEND_CSV") == "AUGMENTED_MANIFEST":
        if classifier is not None:
            raise invalid_request("The DataFormat AUGMENTED_MANIFEST takes no DocumentClassifierInputDataConfig.")
        return manifest_sources(manifests or [])
    if classifier is None or manifests is not None:
        raise invalid_request(
            "For the DataFormat COMPREHEND_CSV a flywheel of type DOCUMENT_CLASSIFIER needs a "
            "DocumentClassifierInputDataConfig and no other."
        )
    delimiter = classifier.get("LabelDelimiter", DEFAULT_DELIMITER)
    return (DataSource(uri=classifier["S3Uri"], part=Part.ROWS, delimiter=delimiter),)


def training_sources_of(config: dict[str, Any]) -> tuple[tuple[DataSource, ...], tuple[DataSource, ...]]:
    """The sources for training and for testing in the member InputDataConfig of CreateDocumentClassifier; raises
    InvalidRequestException."""
    native = config.get("DocumentType", "PLAIN_TEXT_DOCUMENT") != "PLAIN_TEXT_DOCUMENT"
    if native or "Documents" in config or "DocumentReaderConfig" in config:
        raise invalid_request("The local Comprehend service trains with plain text only; give no other documents.")
    rows = [name for name in ("S3Uri", "TestS3Uri", "LabelDelimiter") if name in config]
    if config.get("DataFormat", "COMPREHEND_CSV") == "AUGMENTED_MANIFEST":
        if rows:
            raise invalid_request(f"The DataFormat AUGMENTED_MANIFEST takes no {rows[0]}.")
        return split_manifests(config.get("AugmentedManifests", []))
    if "S3Uri" not in config or "AugmentedManifests" in config:
        raise invalid_request("The DataFormat COMPREHEND_CSV needs an S3Uri and no AugmentedManifests.")
    source = DataSource(uri=config["S3Uri"], part=Part.ROWS, delimiter=config.get("LabelDelimiter", DEFAULT_DELIMITER))
    test = (replace(source, uri=config["TestS3Uri"]),) if "TestS3Uri" in config else ()
    return (source,), test
