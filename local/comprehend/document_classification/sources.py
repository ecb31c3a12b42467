"""Where a request says that the data of a classifier are."""

from __future__ import annotations

from typing import Any

from local.comprehend.errors import invalid_request
from local.comprehend.manifests import manifest_sources
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
