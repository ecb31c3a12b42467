"""Every kind of custom model."""

from __future__ import annotations

from local.comprehend.document_classification.kind import DOCUMENT_CLASSIFICATION
from local.comprehend.entity_recognition.kind import ENTITY_RECOGNITION
from local.comprehend.model_kind import ModelKind

KINDS: tuple[ModelKind, ...] = (DOCUMENT_CLASSIFICATION, ENTITY_RECOGNITION)


def kind_of_model(arn: str) -> ModelKind | None:
    """The kind of the model with this ARN."""
    return next((kind for kind in KINDS if f":{kind.arn_resource}/" in arn), None)


def kind_of_type(model_type: str) -> ModelKind:
    """The kind of a flywheel's ModelType."""
    return next(kind for kind in KINDS if kind.model_type == model_type)
