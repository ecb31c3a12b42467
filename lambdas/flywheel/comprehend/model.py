"""Comprehend's calls about model versions. They need no flywheel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flywheel.records.decisions import ModelScore

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

    from flywheel.comprehend.model_kind import Model, ModelKind


class ModelService:
    """The models of one kind in the account and Region."""

    def __init__(self, *, comprehend: ComprehendClient, kind: ModelKind) -> None:
        self._comprehend = comprehend
        self.kind = kind

    def describe(self, model_arn: str) -> Model | None:
        """None if the model does not exist."""
        try:
            return self.kind.model(self.kind.describe_model(self._comprehend, model_arn))
        except self._comprehend.exceptions.ResourceNotFoundException:
            return None

    def trained_by(self, flywheel_arn: str) -> list[Model]:
        """All model versions that iterations of the flywheel trained, oldest first."""
        found = [self.kind.model(item) for item in self.kind.list_models(self._comprehend)]
        own = [model for model in found if model.flywheel_arn == flywheel_arn]
        return sorted(own, key=lambda model: (model.submitted_at, model.arn))

    def delete(self, model_arn: str) -> None:
        """Raises ClientError; ResourceInUseException if an endpoint or a job uses the model."""
        self.kind.delete_model(self._comprehend, model_arn)

    def score(self, model_arn: str) -> ModelScore | None:
        """The model's metrics from its training; None if it has none, or does not exist."""
        try:
            metrics = self.kind.training_metrics(self.kind.describe_model(self._comprehend, model_arn))
        except self._comprehend.exceptions.ResourceNotFoundException:
            return None
        return ModelScore(arn=model_arn, metrics=metrics, source="the model's training") if metrics else None
