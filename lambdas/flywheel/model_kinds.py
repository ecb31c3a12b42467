"""Chooses the kind of model by its name, or by the ARN of a model."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from flywheel.comprehend.model_kind import ModelType
from flywheel.records.model_arn import ModelArn

if TYPE_CHECKING:
    from flywheel.comprehend.model_kind import ModelKind


@cache
def kind_of(model_type: ModelType) -> ModelKind:
    """Only the kind that is asked for is imported: functions know one."""
    if model_type is ModelType.ENTITY_RECOGNIZER:
        from flywheel.entity_recognition import ENTITY_RECOGNITION

        return ENTITY_RECOGNITION
    from flywheel.document_classification import DOCUMENT_CLASSIFICATION

    return DOCUMENT_CLASSIFICATION


def all_kinds() -> tuple[ModelKind, ...]:
    return tuple(map(kind_of, ModelType))


def kind_of_model(model_arn: str) -> ModelKind:
    """Raises ValueError if it is not the ARN of a model."""
    found = ModelArn.parse(model_arn)
    for kind in all_kinds():
        if found is not None and found.resource == kind.arn_resource:
            return kind
    raise ValueError(f"{model_arn} is not the ARN of a model of Amazon Comprehend.")
