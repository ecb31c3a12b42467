"""Where a request says that the data of a classifier are."""

from __future__ import annotations

from typing import Any

from local.comprehend.errors import invalid_request
from local.comprehend.training_data import DEFAULT_DELIMITER, DataSource, Part


def sources_of(config: dict[str, Any]) -> tuple[DataSource, ...]:
    """The sources in the member InputDataConfig of CreateDataset; raises InvalidRequestException."""
    if config.get("DataFormat", "COMPREHEND_CSV") != "COMPREHEND_CSV" or "AugmentedManifests" in config:
        raise invalid_request("The local Comprehend service reads the DataFormat COMPREHEND_CSV only.")
    classifier = config.get("DocumentClassifierInputDataConfig")
    if classifier is None or "EntityRecognizerInputDataConfig" in config:
        raise invalid_request(
            "A flywheel of type DOCUMENT_CLASSIFIER needs a DocumentClassifierInputDataConfig and no other."
        )
    delimiter = classifier.get("LabelDelimiter", DEFAULT_DELIMITER)
    return (DataSource(uri=classifier["S3Uri"], part=Part.ROWS, delimiter=delimiter),)
