"""Where a request says that the data of a recognizer are."""

from __future__ import annotations

from typing import Any

from local.comprehend.errors import invalid_request
from local.comprehend.manifests import manifest_sources
from local.comprehend.training_data import DataSource


def sources_of(config: dict[str, Any]) -> tuple[DataSource, ...]:
    """The sources in the member InputDataConfig of CreateDataset; raises InvalidRequestException."""
    if "DocumentClassifierInputDataConfig" in config:
        raise invalid_request("A flywheel of type ENTITY_RECOGNIZER takes no DocumentClassifierInputDataConfig.")
    if config.get("DataFormat", "COMPREHEND_CSV") == "AUGMENTED_MANIFEST":
        if "EntityRecognizerInputDataConfig" in config:
            raise invalid_request("The DataFormat AUGMENTED_MANIFEST takes no EntityRecognizerInputDataConfig.")
        return manifest_sources(config.get("AugmentedManifests", []))
    raise invalid_request("The local Comprehend service reads recognizers' data as AUGMENTED_MANIFEST only.")
