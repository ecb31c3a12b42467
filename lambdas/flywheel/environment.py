"""Models of the functions' environment variables. Each function combines those that it reads."""

from __future__ import annotations

import os
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from flywheel.comprehend.model_kind import ModelType
from flywheel.records.decisions import Evidence

OrNone = Annotated[str | None, BeforeValidator(lambda value: None if value == "none" else value)]
"""A parameter of a stack cannot be empty."""


class Environment(BaseModel):
    """A field is read from the variable of the same name in upper case."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def load(cls) -> Self:
        """Raises pydantic.ValidationError."""
        return cls.model_validate({name.lower(): value for name, value in os.environ.items()})


class Kind(Environment):
    model_type: ModelType


class Deployment(Kind):
    """It has a flywheel, or else it imports models."""

    flywheel_name: str
    flywheel_arn: str | None = None
    imported_model_arn: str | None = None
    """ARN that all imported versions have, without a version."""
    model_key_arn: OrNone = None
    """The key that encrypts imported models."""


class Flywheel(Deployment):
    flywheel_arn: str


class Intake(Environment):
    intake_bucket: str


class ModelsOfDeployment(Deployment, Intake):
    """For functions that ask which model is active: without a flywheel the intake bucket knows."""


class Parameters(Environment):
    parameter_prefix: str


class Pipeline(ModelsOfDeployment, Parameters):
    """For functions that need all three."""


class FlywheelPipeline(Flywheel, Intake, Parameters):
    """For functions of a deployment that trains models."""


class Labels(Environment):
    label_delimiter: str


class Conflicts(Environment):
    conflicting_labels: Literal["KEEP", "REFUSE"]


class Uploads(Conflicts):
    maximum_bad_lines_percent: float = Field(ge=0, le=100)
    repeated_documents: Literal["DROP", "KEEP"]
    machine_labels: Literal["KEEP", "REFUSE"]
    manifest_attribute: OrNone


class Pace(Environment):
    minimum_hours_between_iterations: float = Field(ge=0)
    quiet_period_minutes: float = Field(ge=0, default=0)


class Composing(Conflicts):
    minimum_documents_per_label: int = Field(ge=1)


class Review(Environment):
    reviewers_per_item: int = Field(ge=1, le=3)
    review_test_percent: float = Field(ge=0, le=100)
    review_publish_days: int = Field(ge=1)
    minimum_documents_per_label: int = Field(ge=1)


class Gate(Environment):
    selection_metric: Literal["F1Score", "Precision", "Recall", "Accuracy"]
    minimum_score: float = Field(ge=0, le=1)
    minimum_improvement: float = Field(ge=0, le=1)
    maximum_regression: float = Field(ge=0, le=1)
    maximum_label_regression: float = Field(ge=0, le=1)
    require_same_test_data: bool


class Deciding(Environment):
    evidence: Evidence
    confidence_level: float = Field(gt=0, lt=1)
    suspect_test_labels: int = Field(ge=0)


class Holdout(Environment):
    holdout_documents: int = Field(ge=1)


class Analysis(Environment):
    documents_per_part: int = Field(ge=1)
    megabytes_per_part: float = Field(gt=0)


class Confidence(Environment):
    low_confidence: float = Field(ge=0, le=1)


class AnalysisReport(ModelsOfDeployment, Confidence):
    topic_arn: str


class AnalysisReview(Environment):
    """Without a flywheel there is nobody to teach, so there is no review."""

    review_per_analysis: int = Field(ge=0, default=0)


class Quiet(Environment):
    quiet_period_minutes: float = Field(ge=0)
