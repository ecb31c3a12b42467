"""Augmented manifests: JSON Lines of documents, with attributes that say what was found of each.

Source: "Augmented manifest file" of the developer guide, for classifiers and for recognizers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from local.comprehend.errors import invalid_request
from local.comprehend.training_data import DataFile, DataSource, InvalidTrainingDataError, Part

MAXIMUM_MANIFESTS = 5
MAXIMUM_ATTRIBUTES = 5


def split_manifests(
    manifests: list[dict[str, Any]],
) -> tuple[tuple[DataSource, ...], tuple[DataSource, ...]]:
    """The sources for training and those for testing, by each manifest's Split; raises InvalidRequestException."""
    sources = manifest_sources(manifests)
    testing = [manifest.get("Split", "TRAIN") == "TEST" for manifest in manifests]
    if all(testing):
        raise invalid_request("At least one augmented manifest must be for training.")
    return (
        tuple(source for source, tests in zip(sources, testing, strict=True) if not tests),
        tuple(source for source, tests in zip(sources, testing, strict=True) if tests),
    )


def manifest_sources(manifests: list[dict[str, Any]]) -> tuple[DataSource, ...]:
    """The sources in the member AugmentedManifests; raises InvalidRequestException.

    What belongs to semi-structured documents is refused: flywheels know plain text only, and so does this service.
    """
    if not manifests:
        raise invalid_request("The DataFormat AUGMENTED_MANIFEST needs AugmentedManifests.")
    if len(manifests) > MAXIMUM_MANIFESTS:
        raise invalid_request(f"At most {MAXIMUM_MANIFESTS} augmented manifests can be given, not {len(manifests)}.")
    for manifest in manifests:
        if manifest.get("DocumentType", "PLAIN_TEXT_DOCUMENT") != "PLAIN_TEXT_DOCUMENT":
            raise invalid_request("The local Comprehend service reads manifests of PLAIN_TEXT_DOCUMENT only.")
        for member in ("AnnotationDataS3Uri", "SourceDocumentsS3Uri"):
            if member in manifest:
                raise invalid_request(f"{member} is for semi-structured documents; leave it out for plain text.")
        if not 1 <= len(manifest["AttributeNames"]) <= MAXIMUM_ATTRIBUTES:
            raise invalid_request(f"An augmented manifest needs 1 to {MAXIMUM_ATTRIBUTES} AttributeNames.")
    return tuple(
        DataSource(uri=each["S3Uri"], part=Part.MANIFEST, group=group, attributes=tuple(each["AttributeNames"]))
        for group, each in enumerate(manifests)
    )


def manifest_lines(file: DataFile) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Where each line is, for messages, its members, and its document. Without any text it is no document.

    Raises InvalidTrainingDataError for a line that is not UTF-8 or no JSON object, that has no text in ``source``, or
    that lacks one of the source's attributes: Ground Truth writes such lines for tasks that failed.
    """
    with file.path.open("rb") as stream:
        for number, raw in enumerate(stream, start=1):
            where = f"{file.name}, line {number}"
            if not raw.strip():
                continue
            members = _object(raw, where)
            text = members.get("source")
            if not isinstance(text, str):
                raise InvalidTrainingDataError(f"{where}: the member source is missing or no text.")
            if not text.strip():
                # A manifest of AWS's own workshops has such lines.
                continue
            missing = [attribute for attribute in file.source.attributes if attribute not in members]
            if missing:
                raise InvalidTrainingDataError(f"{where}: the attribute {missing[0]} is missing.")
            yield where, members, text


def _object(raw: bytes, where: str) -> dict[str, Any]:
    try:
        members = json.loads(raw.decode("utf-8"))
        # JSON can spell half a surrogate pair, which is no text.
        json.dumps(members, ensure_ascii=False).encode()
    except UnicodeError as error:
        raise InvalidTrainingDataError(f"{where}: not valid UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise InvalidTrainingDataError(f"{where}: not valid JSON.") from error
    if not isinstance(members, dict):
        raise InvalidTrainingDataError(f"{where}: not a JSON object.")
    return members
