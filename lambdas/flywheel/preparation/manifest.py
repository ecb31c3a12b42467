"""Augmented manifests of SageMaker Ground Truth: which attribute counts, and whether a line of it was annotated.

What an attribute holds differs by the kind of model; this does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .json_object import keys_shown
from .label_advice import shortened
from .problems import Rule, Violation
from .rules import (
    FAILED_ANNOTATION,
    MACHINE_ANNOTATED,
    MISSING_JSON_KEY,
    NO_ATTRIBUTE,
    NOT_ANNOTATED,
    SEVERAL_ATTRIBUTES,
    SOURCE_REF,
    WRONG_JSON_VALUE,
)

_METADATA = "-metadata"
_NO_SOURCE = replace(MISSING_JSON_KEY, fix='Give every line its document as "source".')
_NAMES_SHOWN = 10


def is_manifest(value: Mapping[str, Any]) -> bool:
    """Whether an object is a line of a manifest and not of JSON Lines."""
    return ("text" not in value or "text" + _METADATA in value) and ("source" in value or "source-ref" in value)


def manifest_lines(objects: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of the first objects of a file those that are a manifest's; none if most are not."""
    found = [value for value in objects if is_manifest(value)]
    return found if 2 * len(found) > len(objects) else []


def find_attribute(
    values: Iterable[Mapping[str, Any]],
    *,
    configured: str | None,
    fits: Callable[[Mapping[str, Any]], bool],
    none: Rule,
) -> str | Violation:
    """The attribute that counts, by the first lines of a manifest: the configured one, or the only one whose metadata
    fit. ``none`` is broken where there is none; it is told their ``names``."""
    if configured is not None:
        return configured
    fitting: dict[str, None] = {}
    failed: dict[str, None] = {}
    others: dict[str, None] = {}
    only_references = True
    for value in values:
        only_references = only_references and "source" not in value
        for key, metadata in value.items():
            if key.endswith(_METADATA) and isinstance(metadata, dict):
                # The metadata of a failure may lack everything else.
                names = fitting if fits(metadata) else failed if "failure-reason" in metadata else others
                names[key.removesuffix(_METADATA)] = None
    if only_references:
        return Violation(SOURCE_REF)
    found = fitting or failed
    if len(found) > 1:
        return Violation(SEVERAL_ATTRIBUTES, {"names": _listed(found)})
    return next(iter(found)) if found else Violation(none, {"names": _listed(others) or "none at all"})


def source_of(value: Mapping[str, Any]) -> str | Violation:
    """The document of a line."""
    source = value.get("source")
    if isinstance(source, str):
        return source
    if "source" in value:
        facts = {"what": 'The value of "source" is not a string', "instead": "Write the text in double quotes"}
        return Violation(WRONG_JSON_VALUE, facts)
    if "source-ref" in value:
        return Violation(SOURCE_REF)
    return Violation(_NO_SOURCE, {"key": '"source"', "keys": keys_shown(value)})


def metadata_of(value: Mapping[str, Any], attribute: str) -> dict[str, Any] | Violation:
    """The metadata of a line that has the attribute and did not fail."""
    metadata = value.get(attribute + _METADATA)
    reason = (metadata if isinstance(metadata, dict) else {}).get("failure-reason", value.get("failure-reason"))
    if reason is not None:
        return Violation(FAILED_ANNOTATION, {"reason": reason if isinstance(reason, str) else "no text says why"})
    if value.get(attribute) is None:
        return Violation(NO_ATTRIBUTE, {"attribute": shortened(attribute)})
    return metadata if isinstance(metadata, dict) else not_annotated(attribute, "there are none")


def check_annotator(metadata: Mapping[str, Any], attribute: str, *, machines: bool) -> Violation | None:
    """``machines`` says that lines are taken that no person annotated."""
    human = metadata.get("human-annotated")
    if human not in ("yes", "no"):
        return not_annotated(attribute, '"human-annotated" is neither "yes" nor "no"')
    return Violation(MACHINE_ANNOTATED) if human == "no" and not machines else None


def not_annotated(attribute: str, what: str) -> Violation:
    return Violation(NOT_ANNOTATED, {"what": what, "attribute": shortened(attribute)})


def _listed(names: Iterable[str]) -> str:
    shown = [f'"{shortened(name)}"' for name in names]
    return ", ".join(shown[:_NAMES_SHOWN]) + (", ..." if len(shown) > _NAMES_SHOWN else "")
