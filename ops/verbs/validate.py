"""Checking files by the pipeline's own rules before they are uploaded."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

from flywheel.comprehend.model_kind import ModelType
from flywheel.preparation import AnyLabel, LabelRules, Limits, Preparation, Problem, SourceFile, UploadOptions, prepare
from flywheel.preparation.entities import AnyType, EntityLimits, EntityRules, prepare_entities
from flywheel.preparation.report import render_text
from flywheel.records.uploads import BadLine
from flywheel.store.record import Record
from ops.deployment.errors import InvalidSettingError
from ops.deployment.published import SETTINGS_FILE, Deployment, read_settings_file
from ops.verbs.upload import check_paths, files_of

Rules = LabelRules | EntityRules
"""What the files are checked against: labels, or a recognizer's entity types."""


class Validation(Record):
    """What the pipeline would make of a file. Only the pipeline knows which of its documents it already has."""

    path: str
    accepted: bool
    """False: it would be rejected whole."""
    documents: int
    labels: dict[str, int]
    """Documents by what stands in the label column. Empty where documents carry annotations."""
    annotations: dict[str, int] | None = None
    """Annotations by type, of files for a recognizer."""
    duplicates: int
    conflicts: int = 0
    """Documents with the text of an earlier one and other labels: kept, or among the bad lines."""
    conflict_examples: tuple[BadLine, ...] = ()
    bad_lines: dict[str, int]
    """How many lines broke each rule."""
    remarks: dict[str, int] = {}
    """How many things were taken and are worth knowing, by rule."""
    problem: BadLine | None = None
    """Why it would be rejected whole."""
    examples: tuple[BadLine, ...] = ()
    report: str
    """The report that the pipeline would write, for people."""


def rules_of(deployment: Deployment) -> Rules:
    if deployment.published.model_type is ModelType.ENTITY_RECOGNIZER:
        return EntityRules(types=deployment.labels)
    return LabelRules(
        labels=deployment.labels, multi_label=deployment.multi_label, delimiter=deployment.published.label_delimiter
    )


def rules_of_settings(folder: Path) -> Rules | None:
    """The labels or entity types in the cdk.json of ``folder``, as synthesis reads them; None if there are none.

    Raises InvalidSettingError.
    """
    settings = read_settings_file(folder)
    recognizes = settings.get("model_type") == ModelType.ENTITY_RECOGNIZER
    labels = settings.get("entity_types" if recognizes else "labels")
    if isinstance(labels, str):
        labels = json.loads(labels) if labels.startswith("[") else [label.strip() for label in labels.split(",")]
    if not isinstance(labels, list) or not labels:
        return None
    try:
        if recognizes:
            return EntityRules(types=tuple(map(str, labels)))
        return LabelRules(
            labels=tuple(map(str, labels)),
            multi_label=settings.get("mode") == "MULTI_LABEL",
            delimiter=str(settings.get("label_delimiter", "|")),
        )
    except ValueError as error:
        raise InvalidSettingError(f"{SETTINGS_FILE}: {error}") from error


def options_of(deployment: Deployment) -> UploadOptions:
    parameters = deployment.parameters
    return UploadOptions(
        maximum_bad_lines_percent=parameters.maximum_bad_lines_percent,
        conflicting_labels=parameters.conflicting_labels,
        repeated_documents=parameters.repeated_documents,
        machine_labels=parameters.machine_labels == "KEEP",
        manifest_attribute=parameters.manifest_attribute,
    )


def validate(paths: Sequence[Path], *, rules: Rules, options: UploadOptions) -> list[Validation]:
    """Reads each file once, however large, in little memory; for a recognizer a folder as one upload.

    Raises FileError.
    """
    check_paths(paths, folders=isinstance(rules, EntityRules))
    return [_validate_one(path, rules=rules, options=options) for path in paths]


def read_file(path: Path, *, rules: Rules | AnyLabel | AnyType, options: UploadOptions) -> Preparation:
    """What the pipeline would make of the file, or of a recognizer's folder; its documents are kept nowhere."""
    if isinstance(rules, EntityRules | AnyType):
        return _read_annotated(path, rules=rules, options=options)
    with path.open("rb") as source, Path(os.devnull).open("wb") as nowhere:
        return prepare(
            source=source,
            sink=nowhere,
            hashes=nowhere,
            rules=rules,
            limits=Limits.of(options),
            name=path.name,
            bad_lines=None,
        )


def source_files(path: Path) -> list[SourceFile]:
    """The file, or those of the folder, by their names in it."""
    return [
        SourceFile(
            name=file.relative_to(path).as_posix() if path.is_dir() else file.name,
            size=file.stat().st_size,
            open=partial(_opened, file),
        )
        for file in files_of(path)
    ]


def _opened(file: Path) -> BinaryIO:
    return file.open("rb")


def _read_annotated(path: Path, *, rules: EntityRules | AnyType, options: UploadOptions) -> Preparation:
    with Path(os.devnull).open("wb") as nowhere:
        return prepare_entities(
            files=source_files(path),
            sink=nowhere,
            hashes=nowhere,
            rules=rules,
            limits=EntityLimits.of(options),
            name=path.resolve().name if path.is_dir() else path.name,
            bad_lines=None,
        )


def _validate_one(path: Path, *, rules: Rules, options: UploadOptions) -> Validation:
    found = read_file(path, rules=rules, options=options)
    return Validation(
        path=str(path),
        accepted=found.accepted,
        documents=found.documents,
        labels=dict(found.labels) if found.annotations is None else {},
        annotations=found.annotations,
        duplicates=found.duplicates,
        conflicts=found.conflicts,
        conflict_examples=tuple(_bad_line(problem) for problem in found.conflict_examples),
        bad_lines=dict(found.bad_lines),
        remarks=dict(found.remarks),
        problem=_bad_line(found.file_problem) if found.file_problem is not None else None,
        examples=tuple(_bad_line(problem) for problem in found.examples),
        report=render_text(found),
    )


def _bad_line(problem: Problem) -> BadLine:
    return BadLine.model_validate(problem, from_attributes=True)
