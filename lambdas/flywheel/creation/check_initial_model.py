"""Refuses an initial model that does not fit the settings, before a flywheel is created with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flywheel.creation.wanted_flywheel import WantedFlywheel, differing
from flywheel.faults.errors import FlywheelRefused

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient


def check_initial_model(wanted: WantedFlywheel, *, comprehend: ComprehendClient) -> None:
    """Raise FlywheelRefused with all that does not fit, as far as Comprehend describes the model."""
    try:
        properties = wanted.kind.describe_model(comprehend, wanted.initial_model_arn)
    except comprehend.exceptions.ResourceNotFoundException as error:
        raise FlywheelRefused(
            f"initial_model_arn {wanted.initial_model_arn}: there is no such {wanted.kind.words} in this account and "
            "Region. No flywheel was created."
        ) from error
    found = list(_differences(wanted, properties))
    if found:
        raise FlywheelRefused(
            f"initial_model_arn {wanted.initial_model_arn} does not fit: {'; '.join(found)}. No flywheel was created."
        )


def _differences(wanted: WantedFlywheel, properties: Any) -> Iterator[str]:
    model = wanted.kind.model(properties)
    if not model.trained:
        yield f"it is {model.status}, and only a trained model can be active"
    yield from differing("language", model.language, wanted.language_code)
    if wanted.mode is not None:
        yield from differing("mode", model.mode, wanted.mode)
    labels = wanted.kind.label_difference(properties, wanted.labels)
    if labels:
        yield labels
    for uri in sorted(set(_uris(properties.get("InputDataConfig", {})))):
        if not uri.startswith(wanted.initial_model_data):
            yield f"its data are at {uri}, which begins with nothing in initial_model_data"


def _uris(config: Any) -> Iterator[str]:
    """Every S3 URI of a model's InputDataConfig, whatever its form."""
    if isinstance(config, str) and config.startswith("s3://"):
        yield config
    elif isinstance(config, dict):
        for value in config.values():
            yield from _uris(value)
    elif isinstance(config, list):
        for value in config:
            yield from _uris(value)
